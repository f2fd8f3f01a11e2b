"""The subcommands of `python -m local`."""
