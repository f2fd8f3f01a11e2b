"""Ours against the usual way and against the limit, each pair in one run: python -m benchmarks."""
