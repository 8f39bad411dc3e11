"""Models as files and their registry: what is damaged or foreign is refused, one champion speaks, and moves undo."""

import json
import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trading.forecasting.markets import HOUR_MS, START_MS, autoregressive
from tests.trading.forecasting.test_training import OF_VOLATILITY, few, plan
from trading.domain.errors import DataError, RequestError, Unavailable
from trading.forecasting import baselines
from trading.forecasting.contest import contest
from trading.forecasting.dataset import Dataset
from trading.forecasting.explanations import explain
from trading.forecasting.registry import Entry, Registry, Stage
from trading.forecasting.retraining import Signs, why_retrain
from trading.forecasting.serving import Champions, champions_of, serve
from trading.forecasting.signs import signs_of
from trading.forecasting.training import Trained, train
from trading.marketdata import Tape, TapeView

BARS, TRAINED = 4200, 4000
SYMBOL = "BTC-USDT"


@pytest.fixture(scope="module")
def tape() -> Tape:
    frame, _ = autoregressive(BARS, seed=3, phi=0.5)
    return Tape(
        symbols=(SYMBOL,),
        step_ms=HOUR_MS,
        open_ms=frame.open_ms,
        source="simulated",
        **{name: frame.columns[name][np.newaxis] for name in ("open", "high", "low", "close", "volume")},
    )


@pytest.fixture(scope="module")
def learnt() -> tuple[Trained, Dataset]:
    frame, _ = autoregressive(BARS, seed=3, phi=0.5)
    dataset = few(frame.rows(0, TRAINED), OF_VOLATILITY)
    return train(dataset, plan(1)), dataset


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def entry(registry: Registry, learnt: tuple[Trained, Dataset]) -> Entry:
    return registry.register(*learnt)


def view_at(tape: Tape, bar: int) -> TapeView:
    return TapeView(tape, START_MS + bar * HOUR_MS)


def other(learnt: tuple[Trained, Dataset]) -> tuple[Trained, Dataset]:
    """A model that differs by where its intervals stand."""
    return replace(learnt[0], factor=learnt[0].factor + 0.01), learnt[1]


def test_a_model_comes_back_as_it_was(registry: Registry, entry: Entry, learnt: tuple[Trained, Dataset]) -> None:
    trained, dataset = learnt
    bundle = registry.load(entry)
    values = dataset.values[-300:]
    fresh = trained.finish(trained.heads.predict(values))
    again = bundle.predict(values)
    np.testing.assert_array_equal(again.p_up, fresh.p_up)
    np.testing.assert_array_equal(again.quantiles, fresh.quantiles * trained.factor)
    assert bundle.card.trained_to_ms == START_MS + TRAINED * HOUR_MS
    assert bundle.card.features == OF_VOLATILITY
    assert registry.register(*learnt) == entry
    assert not list(registry.folder.glob(".*"))
    assert not [path for path in registry.folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]


Damage = Callable[[Path, Registry], None]


def flip(name: str) -> Damage:
    def damage(folder: Path, _: Registry) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / name).write_bytes(bytes(content))

    return damage


def remove(folder: Path, _: Registry) -> None:
    (folder / "volatility.ubj").unlink()


def forge(folder: Path, _: Registry) -> None:
    card = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps(card | {"factor": 9.0}), "utf-8")


def pickle_instead(folder: Path, registry: Registry) -> None:
    """A stranger who can even write the registry: the file is not a booster and is not run."""
    import hashlib
    import pickle

    content = pickle.dumps({"not": "a model"})
    (folder / "shape.ubj").write_bytes(content)
    card = json.loads((folder / "model.json").read_text("utf-8"))
    card["files"]["shape.ubj"] = hashlib.sha256(content).hexdigest()
    text = json.dumps(card).encode()
    (folder / "model.json").write_bytes(text)
    with sqlite3.connect(registry.folder / "registry.sqlite") as db:
        db.execute("UPDATE models SET card_sha256 = ?", (hashlib.sha256(text).hexdigest(),))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip("direction.ubj"), "damaged or foreign"),
        (flip("judged.npz"), "damaged or foreign"),
        (flip("model.json"), "damaged or foreign"),
        (forge, "damaged or foreign"),
        (remove, "cannot be read"),
        (pickle_instead, "is not a booster"),
    ],
)
def test_what_is_damaged_or_foreign_is_refused(registry: Registry, entry: Entry, damage: Damage, said: str) -> None:
    damage(registry.folder / entry.model_id, registry)
    with pytest.raises(DataError, match=said):
        registry.load(registry.get(entry.model_id))


def test_a_damaged_list_of_models_is_refused_by_name(registry: Registry, entry: Entry) -> None:
    path = registry.folder / "registry.sqlite"
    for file in registry.folder.glob("registry.sqlite-*"):
        file.unlink()
    path.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(DataError, match=r"registry\.sqlite"):
        registry.entries()


def test_the_first_champion_must_beat_climatology(registry: Registry, entry: Entry) -> None:
    assert entry.stage is Stage.CANDIDATE
    said = registry.challenge(entry)
    assert said.startswith("beats climatology: CRPS skill")
    assert registry.get(entry.model_id).stage is Stage.CHAMPION
    assert registry.challenge(entry) == "is the champion"


def test_a_challenger_without_a_difference_stays_a_candidate_and_a_worse_one_loses(
    registry: Registry, entry: Entry, learnt: tuple[Trained, Dataset]
) -> None:
    registry.challenge(entry)
    rival = registry.register(*other(learnt))
    assert registry.challenge(rival) == "no difference to the champion"
    assert registry.champion(entry.key) == registry.get(entry.model_id)
    good, bad = registry.load(entry), registry.load(rival)
    noise = 1 + 0.2 * np.random.default_rng(1).random(len(bad.judged.crps))
    worse = replace(bad, judged=replace(bad.judged, crps=bad.judged.crps * noise))
    assert not contest(worse, good).promoted
    assert contest(good, worse).promoted
    later = replace(worse, card=worse.card.model_copy(update={"trained_to_ms": worse.card.trained_to_ms + 1}))
    assert not contest(later, good).promoted  # newer, but significantly worse
    renewed = replace(good, card=good.card.model_copy(update={"trained_to_ms": good.card.trained_to_ms + 1}))
    assert contest(renewed, good).promoted


def test_moves_are_kept_and_undone(registry: Registry, entry: Entry, learnt: tuple[Trained, Dataset]) -> None:
    registry.promote(entry.model_id, "first")
    rival = registry.register(*other(learnt))
    registry.promote(rival.model_id, "by hand")
    assert registry.get(entry.model_id).stage is Stage.RETIRED
    back = registry.roll_back(entry.key, "it was worse live")
    assert back is not None
    assert back.model_id == entry.model_id
    assert [move.after for move in registry.moves(entry.key)] == [entry.model_id, rival.model_id, entry.model_id]
    registry.retire(entry.model_id, "no more")
    assert registry.champion(entry.key) is None
    with pytest.raises(RequestError, match="no model 'nobody'"):
        registry.promote("nobody", "why")


def test_a_champion_speaks_of_later_bars_only(registry: Registry, entry: Entry, tape: Tape, tmp_path: Path) -> None:
    registry.promote(entry.model_id, "test")
    champions = Champions(tmp_path)
    assert champions.forecast(view_at(tape, TRAINED - 1), SYMBOL, HOUR_MS) is None
    served = champions.forecast(view_at(tape, TRAINED), SYMBOL, HOUR_MS)
    assert served is not None
    said = served.forecast
    assert -1 < said.q05 < said.q50 < said.q95
    assert 0 < said.p_up < 1
    assert champions.forecast(view_at(tape, TRAINED), SYMBOL, 8 * HOUR_MS) is None
    with pytest.raises(Unavailable, match="learnt from bars up to"):
        serve(registry.load(entry), view_at(tape, TRAINED - 1), SYMBOL)
    assert champions_of(tmp_path, before_ms=START_MS) == {}
    assert champions_of(tmp_path, before_ms=START_MS + TRAINED * HOUR_MS) == {entry.key: entry.model_id}


def test_the_serving_vector_is_the_training_vector(registry: Registry, entry: Entry, tape: Tape) -> None:
    served = serve(registry.load(entry), view_at(tape, BARS), SYMBOL)
    whole = few(autoregressive(BARS, seed=3, phi=0.5)[0], OF_VOLATILITY)
    np.testing.assert_allclose(served.values[0], whole.values[-1], rtol=1e-5)


def test_the_serving_model_switches_with_the_registry_and_a_pinned_one_does_not(
    registry: Registry, entry: Entry, learnt: tuple[Trained, Dataset], tape: Tape, tmp_path: Path
) -> None:
    registry.promote(entry.model_id, "test")
    loose, pinned = Champions(tmp_path), Champions(tmp_path, pinned={entry.key: entry.model_id})
    rival = registry.register(*other(learnt))
    view = view_at(tape, BARS)
    before = loose.forecast(view, SYMBOL, HOUR_MS)
    registry.promote(rival.model_id, "test")
    after, held = (each.forecast(view, SYMBOL, HOUR_MS) for each in (loose, pinned))
    assert before is not None
    assert after is not None
    assert held is not None
    assert (before.model_id, after.model_id, held.model_id) == (entry.model_id, rival.model_id, entry.model_id)


def test_holes_stillness_and_short_histories_are_unavailable(registry: Registry, entry: Entry, tape: Tape) -> None:
    bundle = registry.load(entry)
    later = bundle.card.model_copy(update={"trained_to_ms": 0})
    bundle = replace(bundle, card=later)
    with pytest.raises(Unavailable, match="100 closed bars are known, the model needs"):
        serve(bundle, view_at(tape, 100), SYMBOL)
    still = replace(tape, close=np.full_like(tape.close, 7.0))
    with pytest.raises(Unavailable, match="no price change"):
        serve(bundle, view_at(still, 4000), SYMBOL)
    close = tape.close.copy()
    close[0, 3995] = np.nan
    with pytest.raises(Unavailable, match="there is a hole"):
        serve(bundle, view_at(replace(tape, close=close), 4000), SYMBOL)
    with pytest.raises(Unavailable, match="ETH-USDT"):
        serve(bundle, view_at(tape, 4000), "ETH-USDT")


@pytest.mark.parametrize("head", ["direction", "volatility"])
def test_contributions_sum_to_the_margin(registry: Registry, entry: Entry, tape: Tape, head: str) -> None:
    bundle = registry.load(entry)
    served = serve(bundle, view_at(tape, BARS), SYMBOL)
    found = explain(bundle, served.values, head=head)
    total = found.bias + math.fsum(driver.contribution for driver in found.drivers)
    assert total == pytest.approx(found.margin, abs=1e-4)
    raw = bundle.heads.predict(served.values)
    said = raw.margin if head == "direction" else raw.log_volatility
    assert found.margin == pytest.approx(float(said[0]), abs=1e-5)
    sizes = [abs(driver.contribution) for driver in found.drivers]
    assert sizes == sorted(sizes, reverse=True)


def test_the_floor_stands_in_the_card(registry: Registry, entry: Entry) -> None:
    assert set(registry.card(entry).baselines) == {"climatology", "naive", "drift", *baselines.VOLATILITIES}


def test_a_champion_is_made_anew_for_a_reason_that_has_a_name(
    registry: Registry, entry: Entry, learnt: tuple[Trained, Dataset]
) -> None:
    card, values = registry.card(entry), learnt[1].values
    month, now = 30 * 24 * HOUR_MS, entry.trained_to_ms + 24 * HOUR_MS
    rng = np.random.default_rng(1)
    steady = rng.normal(1.0, 0.1, 300)
    calm = Signs(now_ms=now, values=values[300:], losses=steady, regime="bull", trained_regime="bull")
    assert why_retrain(card, calm, every_ms=month) is None
    assert why_retrain(card, Signs(now_ms=now), every_ms=month) is None
    reasons = {
        "ago": replace(calm, now_ms=now + month),
        "features have shifted": replace(calm, values=values[300:] * 5 + 3),
        "its loss rose": replace(calm, losses=np.concatenate([steady, steady + 1])),
        "regime changed from bull to bear": replace(calm, regime="bear"),
    }
    for said, signs in reasons.items():
        assert said in (why_retrain(card, signs, every_ms=month) or "")
    better = replace(calm, losses=np.concatenate([steady + 1, steady]))
    assert why_retrain(card, better, every_ms=month) is None
    old = replace(calm, losses=np.concatenate([steady, steady + 1]), losses_learnt=500)
    assert why_retrain(card, old, every_ms=month) is None  # the model was made after that change


def test_signs_are_read_off_the_bars_since(registry: Registry, entry: Entry) -> None:
    frame, _ = autoregressive(BARS, seed=3, phi=0.5)
    bundle = registry.load(entry)
    assert signs_of(bundle, frame.rows(0, TRAINED)) == Signs(now_ms=entry.trained_to_ms)
    found = signs_of(bundle, frame)
    assert found.now_ms == START_MS + BARS * HOUR_MS
    assert found.losses is not None
    assert found.losses_learnt == np.isfinite(bundle.judged.qlike).sum()
    assert len(found.losses) == found.losses_learnt + BARS - TRAINED - 1  # the last one's horizon is open
    assert found.values is not None
    assert found.values.shape == (2160, len(OF_VOLATILITY))
    assert found.regime in {"bull", "bear", "ranging", "volatile"}
    assert why_retrain(bundle.card, found, every_ms=10**12) in (
        None,
        f"the regime changed from {found.trained_regime} to {found.regime}",
    )
    columns = {name: column.copy() for name, column in frame.columns.items()}
    spread = np.linspace(0.0, 1.0, BARS - TRAINED)
    columns["high"][TRAINED:] *= 1 + 0.2 * spread
    moved = signs_of(bundle, replace(frame, columns=columns))
    np.testing.assert_array_equal(moved.values[: -(BARS - TRAINED)], found.values[: -(BARS - TRAINED)])  # type: ignore[index]
    assert not np.array_equal(moved.values[-1], found.values[-1])  # type: ignore[index]
