"""Repair the chain: replay failed records, work off the dead-letter queue, prove that CDC works."""
