"""What `python -m schema` does: propose a schema, and check one."""
