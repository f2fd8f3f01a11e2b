"""What `python -m local` does."""
