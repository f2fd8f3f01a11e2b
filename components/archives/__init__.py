"""How the zips of Lambda functions are built."""
