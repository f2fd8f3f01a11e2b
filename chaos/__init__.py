"""Fault injection: break the running local chain and check that nothing is lost."""
