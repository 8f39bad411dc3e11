"""Running by itself on an exchange's market: the pace of bar closes, the watch over it, and what people are told.

No rules of the contest: those are the season's. No orders: those are the engine's and the venue's.
"""
