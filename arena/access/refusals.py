"""What somebody may not do here."""

from trading.domain.errors import TradefloorError


class Forbidden(TradefloorError):
    """The caller's role does not allow the act."""
