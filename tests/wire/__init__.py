"""Makers of models on 127.0.0.1 that speak the real wire formats and fail on request. No client lives here."""

from tests.wire.faults import LASTING, LONG_TEXT_BYTES, UNKNOWN_TOOL, WEATHER, Fault, FaultPlan
from tests.wire.ledger import Ledger, ServedCall, Totals
from tests.wire.loopback import Gate
from tests.wire.makers import RETRY_AFTER_S, Maker, Makers, MakerSetup, serve_makers

__all__ = [
    "LASTING",
    "LONG_TEXT_BYTES",
    "RETRY_AFTER_S",
    "UNKNOWN_TOOL",
    "WEATHER",
    "Fault",
    "FaultPlan",
    "Gate",
    "Ledger",
    "Maker",
    "MakerSetup",
    "Makers",
    "ServedCall",
    "Totals",
    "serve_makers",
]
