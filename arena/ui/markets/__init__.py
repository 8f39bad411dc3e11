"""The market on a page: candles with what desks did and said on them, and panels of what is known beside them."""
