"""The registry's models: versions beside their baselines, the newest forecast explained, importance and drift."""

from collections.abc import Sequence

from arena.beside import Known
from arena.model_files import ChampionFile, ModelFile, ModelShelf
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element
from arena.ui.components.states import empty, skeleton
from arena.ui.figures import UNKNOWN, day, day_clock, excludes_zero, number, percent
from arena.ui.risk.drawings import bar
from arena.ui.risk.parts import columns, numeric, panel, table
from trading.forecasting.drift import SHIFTED

_TRAIN = "`tradefloor train BTC-USDT --horizon 4h` trains and judges one; candles come with `tradefloor data fetch`."
_SHOWN, _MOVES = 12, 6
_COMPARED = (
    ("crps_skill", "CRPS skill"),
    ("brier_skill", "Brier skill"),
    ("accuracy", "Accuracy"),
    ("coverage90", "Inside 90"),
    ("calibration_error", "Calibration error"),
)
_SKILLS = frozenset({"crps_skill", "brier_skill"})


def models_panels(known: Known[ModelShelf]) -> Html:
    """Everything about trained models, or what to type where there is none."""
    shelf = known.value
    if shelf is None:
        words = known.trouble
        body = empty("The models cannot be read", f"{words}.") if words else skeleton("Reading the registry.")
        return panel("Versions compared", None, body)
    if not shelf.models:
        return panel("Versions compared", None, empty("No model has been trained", _TRAIN))
    champions = [model for model in shelf.models if model.champion is not None]
    parts: list[Html | None] = [versions_panel(shelf.models)]
    for model in champions:
        assert model.champion is not None, "only those were chosen"
        parts.append(_champion(model, model.champion))
    if not champions:
        words = (
            "`tradefloor models promote MODEL` lets a candidate speak; a better one also wins by itself when trained."
        )
        parts.append(panel("Champion", None, empty("No champion speaks", words)))
    return element("div", *parts, _moves(shelf.moves), class_="tf tf-risk")


def versions_panel(models: Sequence[ModelFile]) -> Html:
    """Each version by its walk-forward scores, and under it what it was compared with."""
    names = [name for name, _ in _COMPARED if any(name in model.metrics for model in models)]
    rows: list[tuple[Html, ...]] = []
    for model in models:
        stage = chip(model.stage, "gain" if model.stage == "champion" else "plain")
        rows.append(
            (
                element("td", element("b", model.model_id), " ", stage),
                element("td", model.key),
                element("td", f"{day(model.trained_from_ms)} to {day(model.trained_to_ms)}"),
                *(_score(name, model.metrics.get(name), model.ci95.get(name)) for name in names),
            )
        )
        for baseline, metrics in model.baselines.items():
            blank = element("td", "")
            first = element("td", f"\N{EN DASH} {baseline}", class_="tf-unknown")
            rows.append((first, blank, blank, *(_score(name, metrics.get(name), None) for name in names)))
    heads = (
        ("Model", None),
        ("Forecasts", None),
        ("Trained on", None),
        *((dict(_COMPARED)[one], "tf-num") for one in names),
    )
    say = (
        "Out of sample, walk-forward, before the model was fitted on everything. Skill is the share of climatology's "
        "loss that is saved, coloured where its 95 % interval leaves out zero. Under each model its baselines."
    )
    return panel(
        "Versions compared", "newest first", table("Versions", heads, rows), element("p", say, class_="tf-rk-say")
    )


def _champion(model: ModelFile, found: ChampionFile) -> Html | None:
    if found.trouble:
        words = f"{found.trouble}. Candles of the instrument are looked for in the data folder."
        return panel(f"Champion {model.model_id}", None, empty("It cannot be looked at", words))
    return columns([_drivers(model, found)], [_importance(model, found), _drift(model, found)])


def _drivers(model: ModelFile, found: ChampionFile) -> Html:
    shown = found.drivers[:_SHOWN]
    most = max((abs(one.contribution) for one in shown), default=0.0)
    rows = [
        (
            element("td", one.feature),
            element("td", one.group),
            numeric(UNKNOWN if one.value is None else f"{one.value:.4g}"),
            element(
                "td",
                bar(one.contribution, most, label=f"{one.feature}: {number(one.contribution, 3, signed=True)}"),
                class_="tf-rk-wide",
            ),
            numeric(number(one.contribution, 3, signed=True)),
        )
        for one in shown
    ]
    heads = (("Feature", None), ("Group", None), ("Value", "tf-num"), ("Falls | rises", None), ("Log odds", "tf-num"))
    said = (
        f"At {day_clock(found.as_of_ms)} UTC it says: rises with {percent(found.p_up, 1, signed=False)}, nine in ten "
        f"within {percent(found.q05, 2)} to {percent(found.q95, 2)}. Parts are exact (TreeSHAP), before calibration."
    )
    return panel(
        "Why the newest forecast", model.model_id, table("Drivers", heads, rows), element("p", said, class_="tf-rk-say")
    )


def _importance(model: ModelFile, found: ChampionFile) -> Html:
    rows = [
        (element("td", name), _share(value, found.importance[0][1]), numeric(number(value, 4)))
        for name, value in found.importance[:_SHOWN]
    ]
    heads = (("Feature", None), ("", None), ("Mean log odds", "tf-num"))
    say = "`tradefloor importance` measures what the loss rises by without each, over folds and seeds."
    return panel(
        "What moves it", f"mean size of contributions, {model.model_id}", table("Importance", heads, rows),
        element("p", say, class_="tf-rk-say"),
    )  # fmt: skip


def _drift(model: ModelFile, found: ChampionFile) -> Html:
    shifted = sum(index > SHIFTED for _, index in found.shifts)
    rows = [
        (
            element("td", name),
            _share(value, max(found.shifts[0][1], SHIFTED)),
            numeric(number(value, 3)),
            element("td", chip("shifted", "warn") if value > SHIFTED else None),
        )
        for name, value in found.shifts[:_SHOWN]
    ]
    heads = (("Feature", None), ("", None), ("PSI", "tf-num"), ("", None))
    say = (
        f"{shifted} of {len(found.shifts)} features have shifted: stability index (PSI) above {SHIFTED:g} over the "
        f"last {found.bars:,} bars against their training. `tradefloor retrain` makes anew what is due."
    )
    return panel("Drift", model.model_id, table("Drift", heads, rows), element("p", say, class_="tf-rk-say"))


def _moves(moves: Sequence[str]) -> Html | None:
    if not moves:
        return None
    lines = [element("p", text, class_="tf-rk-say") for text in moves[:_MOVES]]
    return panel("Changes of champion", "newest first", *lines)


def _share(value: float, most: float) -> Html:
    width = 100 * value / most if most > 0 else 0.0
    return element(
        "td", element("span", element("i", style=f"width:{width:.1f}%"), class_="tf-track"), class_="tf-rk-wide"
    )


def _score(name: str, value: float | None, interval: tuple[float, float] | None) -> Html:
    text = number(value, 3, signed=True) if name in _SKILLS else percent(value, 1, signed=False)
    title = None if interval is None else f"95 % interval {number(interval[0], 3)} to {number(interval[1], 3)}"
    if value is not None and name in _SKILLS and excludes_zero(interval):
        return element("td", text, class_=f"tf-num {'tf-gain' if value > 0 else 'tf-loss'}", title=title)
    return element("td", text, class_="tf-num tf-unknown" if text == UNKNOWN else "tf-num", title=title)
