"""Fakes that pass the same conformance tests as the real parts. Nothing outside tests and benchmarks uses them."""
