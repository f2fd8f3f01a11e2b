"""`python -m schema`: see `schema.commands.cli`."""

if __name__ == "__main__":
    from schema.commands.cli import app

    app(prog_name="python -m schema")
