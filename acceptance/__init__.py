"""The proof on a real account: a fresh stack, from nothing to nothing, and what held of it."""
