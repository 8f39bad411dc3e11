"""Evaluation: how well desks forecast, decide and use their tools. Judges records; never runs a market itself."""
