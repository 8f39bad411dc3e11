"""The prompt lab: variants side by side on the same cases, a verdict in words, new cases from decisions, optimisation.

Attempts, scores and comparisons are those of ``evals``; nothing here asks a model but through its runner.
"""
