"""Trained models as pages read them: an empty and a damaged registry, and a champion that was trained here."""

from pathlib import Path
from typing import Any

import pytest

from arena.jobs import Jobs
from arena.model_files import ModelShelf, model_shelf
from arena.settings import Settings
from trading.domain.errors import DataError


class Quiet:
    """A ticket that nobody looks at."""

    def report(self, done: int, total: int | None, said: str = "") -> None:
        """Nothing."""


def test_nothing_is_there_before_a_model_is_trained(tmp_path: Path) -> None:
    assert model_shelf(Settings.load({"home": tmp_path}), Quiet()) == ModelShelf(models=(), moves=())  # type: ignore[arg-type]


def test_a_damaged_registry_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "registry.sqlite").write_bytes(b"rubbish " * 1000)
    with pytest.raises(DataError, match="cannot be used"):
        model_shelf(Settings.load({"home": tmp_path}), Quiet())  # type: ignore[arg-type]
    jobs = Jobs()

    def work(ticket: Any) -> str:
        model_shelf(Settings.load({"home": tmp_path}), ticket)
        return ""

    jobs.start("k", "Reading", work)
    job = jobs.wait("k", 30)
    assert job is not None
    assert "cannot be used" in job.said


@pytest.mark.slow
def test_a_champion_is_explained_and_watched(tmp_path: Path) -> None:

    from arena.cli import app, guarded
    from trading.marketdata import SimulationSpec, simulate

    hour_ms, start_ms, symbol = 3_600_000, 1_704_067_200_000, "BTC-USDT-PERP"
    tape = simulate(
        SimulationSpec(symbols=(symbol,), start_ms=start_ms, end_ms=start_ms + 3000 * hour_ms, step_ms=hour_ms, seed=7)
    )
    prices = (tape.open[0], tape.high[0], tape.low[0], tape.close[0], tape.volume[0])
    rows = [list(row) for row in zip(tape.open_ms.tolist(), *(column.tolist() for column in prices), strict=True)]
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / f"{symbol}-1h.csv"
    lines = ["ts,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    words = ["train", symbol, "--horizon", "4h", "--data", str(path), "--home", str(tmp_path), "--folds", "2"]
    assert guarded(lambda: app(words, standalone_mode=False), debug=True) == 0
    settings = Settings.load({"home": tmp_path})
    (model,) = model_shelf(settings, Quiet()).models  # type: ignore[arg-type]
    assert model.metrics["coverage90"] is not None
    if model.champion is None:  # it won no place on a random walk: somebody gives it one
        promoting = ["models", "promote", model.model_id, "--reason", "a test", "--home", str(tmp_path)]
        assert guarded(lambda: app(promoting, standalone_mode=False), debug=True) == 0
        (model,) = model_shelf(settings, Quiet()).models  # type: ignore[arg-type]
    found = model.champion
    assert found is not None
    assert found.trouble == ""
    assert found.p_up is not None
    assert 0 < found.p_up < 1
    assert len(found.drivers) == found.features
    assert found.importance[0][1] >= found.importance[-1][1]
    assert dict(found.shifts).keys() <= {one.feature for one in found.drivers}
