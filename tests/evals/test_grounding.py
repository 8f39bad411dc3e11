import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.scorers.grounding import is_shown, numbers


def values(text: str) -> list[float]:
    return [value for value, _ in numbers(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up 3.25 % over 24 candles", [0.0325, 24.0]),
        ("costs 4.5 bps", [0.00045]),
        ("BTC at 104,250.5 USDT", [104250.5]),
        ("two of 3 instruments", []),
        ("a loss of −12%", [-0.12]),
        ("1e-05 of equity", [1e-05]),
        ("BTC-USDT-PERP", []),
        ("v1.2.3 and sha 9e999", []),
    ],
)
def test_numbers_of_a_text(text: str, expected: list[float]) -> None:
    assert values(text) == pytest.approx(expected)


def test_a_rounded_number_is_shown_and_an_invented_one_is_not() -> None:
    shown = [0.032461, 104250.5]
    assert all(is_shown(claim, shown) for claim in numbers("3.2 % and 3.25 % and 104,250.5 and 104,250"))
    assert not any(is_shown(claim, shown) for claim in numbers("3.3 % and 104,251.5 and 99.9"))
    assert all(is_shown(claim, [-0.05]) for claim in numbers("down 5.0 %"))


@given(st.floats(11, 1e9, allow_nan=False), st.integers(0, 6))
def test_a_number_is_shown_by_itself_however_it_is_rounded(value: float, places: int) -> None:
    claims = list(numbers(f"{value:,.{places}f}"))
    assert len(claims) == 1
    assert is_shown(claims[0], [value])


@given(st.text())
def test_any_text_has_finite_numbers(text: str) -> None:
    assert all(abs(value) < float("inf") and half >= 0 for value, half in numbers(text))
