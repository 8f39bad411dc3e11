"""Evaluation: what desks are asked, what they answered, how it is scored, and what can be concluded from it.

A suite (cases and scorers) is run on variants (desks) for some epochs; every attempt is stored by content and never
changed, scorers run again on what is stored, and comparisons are paired by case.
"""
