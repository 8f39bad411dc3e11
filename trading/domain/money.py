"""Exact money: Decimal amounts, rounded only in the open and only here.

Orders and the ledger are Decimal; statistics are float64. A float becomes a Decimal once, through
:func:`decimal_from_float`, by its shortest exact text, so a price read from a file keeps its digits.
"""

from decimal import ROUND_05UP, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

QUOTE_STEP = Decimal("0.00000001")
"""Fees, funding and realised results are rounded to this step of the quote currency."""

ZERO = Decimal(0)

EXACT = Context(prec=100)
"""Wide enough that no sum or product of prices, quantities and amounts is rounded; the usual 28 digits are not."""

# A quotient is cut to the context's digits before it is made whole: these cut it so that the whole number is the right
# one whatever was cut off.
_FLOOR = Context(prec=100, rounding=ROUND_FLOOR)
_CEILING = Context(prec=100, rounding=ROUND_CEILING)
_STICKY = Context(prec=100, rounding=ROUND_05UP)


def decimal_from_float(value: float) -> Decimal:
    """The decimal a float was written as: ``0.1`` gives ``Decimal("0.1")``."""
    return Decimal(repr(float(value)))


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of ``step`` that is not above ``value``."""
    return EXACT.multiply(_FLOOR.divide(value, step).to_integral_value(ROUND_FLOOR), step)


def round_up(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of ``step`` that is not below ``value``."""
    return EXACT.multiply(_CEILING.divide(value, step).to_integral_value(ROUND_CEILING), step)


def round_nearest(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of ``step`` nearest to ``value``; ties go to the even one."""
    return EXACT.multiply(_STICKY.divide(value, step).to_integral_value(ROUND_HALF_EVEN), step)


def money_text(value: Decimal) -> str:
    """Plain digits without an exponent or trailing zeros: the form in the journal and in JSON.

    What no market ever quoted (infinite, or beyond sixty digits) keeps its short form, so that rubbish stays short.
    """
    if not value.is_finite() or abs(value.adjusted()) > 60:
        return str(value)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
