"""The recordings, as the tests of market data have them."""

from tests.trading.marketdata.conftest import recordings

__all__ = ["recordings"]
