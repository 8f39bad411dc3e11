"""The suites that ship, one package each, found by name."""
