"""Benchmarks against common alternatives and theoretical limits: python -m benchmarks."""
