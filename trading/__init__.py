"""The ground floor: markets, accounts, orders and limits, usable and testable by itself.

Nothing in here knows a language model or a web framework.
"""
