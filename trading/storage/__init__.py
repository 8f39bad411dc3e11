"""What is kept: the journal of every run, its telemetry, and the register of runs. Candles live in ``marketdata``."""
