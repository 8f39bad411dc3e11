"""Why a venue refuses an order: one vocabulary, whatever each exchange calls it."""

from enum import StrEnum


class RejectCode(StrEnum):
    """The reason of a rejection or of a cancellation by the venue."""

    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    NOT_FILLABLE_AT_ONCE = "not_fillable_at_once"
    WOULD_TRIGGER_AT_ONCE = "would_trigger_at_once"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    OFF_GRID = "off_grid"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    DUPLICATE_ID = "duplicate_id"
    ABOVE_CAP = "above_cap"
    NEVER_ARRIVED = "never_arrived"
    RATE_LIMITED = "rate_limited"
    CLOCK_OFF = "clock_off"
    NOT_PERMITTED = "not_permitted"
    OTHER = "other"
