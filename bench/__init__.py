"""Benchmarks: what it costs, measured on the spot. They print and never fail a build."""
