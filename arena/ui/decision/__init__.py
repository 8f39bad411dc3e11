"""The page of one decision: its steps on one time axis, the words behind them, totals and hashes."""
