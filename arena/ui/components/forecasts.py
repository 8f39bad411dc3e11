"""Forecasts on the floor: skill, coverage and calibration of the desks, and the trained models with their record."""

from arena.seasons.forecast_board import CurvePoint, ForecastRow, ModelRow
from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import ranked
from arena.ui.components.marks import swatch
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty
from arena.ui.figures import UNKNOWN, day, excludes_zero, number, percent
from arena.ui.risk.drawings import calibration_chart
from arena.ui.risk.parts import facts, numeric, probability, table

_COVERED = 0.9
_SCORED_LATER = ("Not known yet", "Forecasts are scored as soon as twenty have come to their end.")


def forecast_facts(snapshot: FloorSnapshot) -> Html:
    """How many forecasts there are, the best desk, coverage of all, and who speaks."""
    board = snapshot.forecasts
    if board is None:
        return empty(*_SCORED_LATER)
    ended = sum(row.ended for row in board.desks)
    issued = sum(row.issued for row in board.desks)
    scored = [row for row in board.desks if row.brier_skill is not None]
    best = max(scored, key=lambda row: row.brier_skill or 0.0, default=None)
    proven = sum(1 for row in scored if row.brier_skill_ci95 is not None and row.brier_skill_ci95[0] > 0)
    covered = [(row.coverage90, row.ended) for row in scored if row.coverage90 is not None]
    share = sum(c * n for c, n in covered) / sum(n for _, n in covered) if covered else None
    champions = [model for model in board.models if model.stage == "champion"]
    return facts(
        (
            ("Forecasts that have ended", number(ended, 0), f"of {number(issued, 0)} made"),
            (
                "Best Brier skill",
                UNKNOWN if best is None else number(best.brier_skill, 3, signed=True),
                "0 is a coin" if best is None else f"{best.desk}; 0 is a coin",
            ),
            ("Desks with proven skill", f"{proven} of {len(board.desks)}", "95\N{NO-BREAK SPACE}% interval above zero"),
            ("Inside the 90 % interval", percent(share, 1, signed=False), "of all outcomes; 90 is right"),
            (
                "Champions",
                number(len(champions), 0),
                "trained models that speak" if champions else "the statistical forecaster speaks",
            ),
        )
    )


def desk_forecasts(snapshot: FloorSnapshot) -> Html:
    """Each desk's skill with its interval, its coverage, and how far off its probabilities are."""
    board = snapshot.forecasts
    if board is None:
        return empty(*_SCORED_LATER)
    found = {row.desk: row for row in board.desks}
    rows = [_desk_row(desk, found[desk.name]) for desk in ranked(snapshot.desks) if desk.name in found]
    heads = (
        ("Desk", None),
        ("Ended", "tf-num"),
        ("Brier skill", "tf-num"),
        ("95 % interval", "tf-num"),
        ("Inside 90", "tf-num"),
        ("Calibration error", "tf-num"),
    )
    say = "Coloured where the interval leaves out zero. Below zero a coin would have lost less."
    return element(
        "div", table("Forecasts by desk", heads, rows), element("p", say, class_="tf-rk-say"), class_="tf tf-risk"
    )


def _desk_row(desk: DeskCard, row: ForecastRow) -> tuple[Html, ...]:
    return (
        element("td", swatch(desk.slot, desk.kind), element("span", desk.name)),
        numeric(number(row.ended, 0)),
        _skill(row.brier_skill, row.brier_skill_ci95),
        numeric(_between(row.brier_skill_ci95)),
        _coverage(row.coverage90, row.coverage90_ci95),
        numeric(percent(row.calibration_error, 1, signed=False)),
    )


def calibration(snapshot: FloorSnapshot) -> Html:
    """The calibration curve of all desks together."""
    board = snapshot.forecasts
    if board is None or not board.curve:
        return empty(*_SCORED_LATER)
    off = [point for point in board.curve if not point.rose_ci95[0] <= point.said <= point.rose_ci95[1]]
    counted = sum(point.count for point in board.curve)
    return element(
        "div",
        element("div", calibration_chart([_drawn(point) for point in board.curve]), class_="tf-rk-body"),
        element("p", _verdict(len(off), len(board.curve), counted), class_="tf-rk-say"),
        class_="tf tf-risk",
    )


def _drawn(point: CurvePoint) -> tuple[float, float, float, float]:
    return point.said, point.rose, *point.rose_ci95


def _verdict(off: int, bins: int, counted: int) -> str:
    if not off:
        return f"Of {number(counted, 0)} forecasts in {bins} bins, none is off by more than chance explains."
    return (
        f"Of {number(counted, 0)} forecasts in {bins} bins, {off} rose more or less often than was said, "
        "by more than chance explains. Desks often say the same of the same hour, which makes chance wider than drawn."
    )


def trained_models(snapshot: FloorSnapshot) -> Html:
    """The models of the registry: versions, how they were judged, and how their recorded forecasts turned out."""
    board = snapshot.forecasts
    if board is not None and board.trouble is not None:
        return empty("The models cannot be read", board.trouble)
    if board is None or not board.models:
        return empty("No model has been trained", "`tradefloor train BTC-USDT --horizon 4h` trains and judges one.")
    heads = (
        ("Model", None),
        ("Stage", None),
        ("Trained to", None),
        ("CRPS skill", "tf-num"),
        ("95 % interval", "tf-num"),
        ("Inside 90", "tf-num"),
        ("On record", "tf-num"),
        ("Inside 90 since", "tf-num"),
        ("CRPS skill since", "tf-num"),
        ("95 % interval", "tf-num"),
        ("p", "tf-num"),
    )
    say = (
        "Skill is the share of climatology's loss that is saved: first walk-forward before the model was fitted, then "
        "by the forecasts it gave since. p is of no difference, by Diebold and Mariano."
    )
    return element(
        "div",
        table("Trained models", heads, [_model_row(model) for model in board.models]),
        element("p", say, class_="tf-rk-say"),
        class_="tf tf-risk",
    )


def _model_row(model: ModelRow) -> tuple[Html, ...]:
    return (
        element("td", model.model_id),
        element("td", model.stage),
        element("td", day(model.trained_to_ms)),
        _skill(model.crps_skill, model.crps_skill_ci95),
        numeric(_between(model.crps_skill_ci95)),
        numeric(percent(model.coverage90, 1, signed=False)),
        numeric(number(model.recorded, 0)),
        numeric(percent(model.recorded_coverage90, 1, signed=False)),
        _skill(model.recorded_skill, model.recorded_skill_ci95),
        numeric(_between(model.recorded_skill_ci95)),
        numeric(probability(model.recorded_p)),
    )


def _skill(value: float | None, interval: tuple[float, float] | None) -> Html:
    """A skill, coloured where its sign is known."""
    text = number(value, 3, signed=True)
    if value is None or not excludes_zero(interval):
        return numeric(text)
    return element("td", text, class_=f"tf-num {'tf-gain' if value > 0 else 'tf-loss'}")


def _coverage(value: float | None, interval: tuple[float, float] | None) -> Html:
    """A coverage, marked where its interval leaves out nine in ten."""
    text = percent(value, 1, signed=False)
    if interval is None or interval[0] <= _COVERED <= interval[1]:
        return numeric(text)
    return element("td", text, class_="tf-num tf-loss", title="its 95 % interval leaves out 90 %")


def _between(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return UNKNOWN
    return f"{number(interval[0], 3, signed=True)} to {number(interval[1], 3, signed=True)}"
