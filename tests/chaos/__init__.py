"""A trading process killed again and again against a loopback exchange, and what must hold afterwards."""
