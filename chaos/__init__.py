"""Break the running local chain on purpose, and see that nothing is lost."""
