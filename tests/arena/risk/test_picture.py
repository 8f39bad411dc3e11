"""What the page of risk computes beside a season, and changing a limit that reaches it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.access import LOCAL, Caller, Forbidden, Role
from arena.jobs import Jobs
from arena.results import compared, run_standings
from arena.risk.limit_use import season_limits
from arena.risk.picture import RiskPicture, risk_picture
from arena.seasons.rulefile import load_rules
from arena.settings import CONFIG, Settings
from arena.ui.risk.limit_form import changed
from trading.domain.errors import RequestError, TradefloorError
from trading.risk import LimitBoard, Limits
from trading.storage.runs import Runs

SEASON = """
[season]
name = "short"
seed = 3
start = 2025-01-01T00:00:00Z
end = 2025-01-02T18:00:00Z
every = "1h"
capital = 10000
[market]
kind = "simulated"
step = "1h"
instruments = ["BTC-USDT-PERP", "ETH-USDT-PERP"]
[limits]
max_leverage = "2"
[stops]
stop = 3
trail = 3.5
[[desk]]
name = "a"
model = "house/momentum"
[[desk]]
name = "b"
model = "house/buyhold"
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """A home folder with one short season that keeps stops."""
    import asyncio

    from arena import wiring

    home = tmp_path_factory.mktemp("home")
    path = home / "season.toml"
    path.write_text(SEASON, "utf-8")
    settings = Settings.load({"home": home})
    prepared = wiring.prepare(load_rules(path), settings)
    folder = wiring.open_run(prepared, settings)

    async def play() -> None:
        async with wiring.season_run(prepared, folder, settings) as playable:
            await playable.play()

    asyncio.run(play())
    return settings, folder.run_id


def picture_of(settings: Settings, run_id: str) -> RiskPicture:
    jobs, found = Jobs(), []

    def work(ticket: Any) -> str:
        found.append(risk_picture(settings, run_id, ticket))
        return ""

    jobs.start("k", "Measuring", work)
    job = jobs.wait("k", 120)
    if not found:
        assert job is not None
        raise RequestError(job.said)
    return found[0]


def test_a_season_is_measured_or_it_is_said_what_is_missing(played: tuple[Settings, str]) -> None:
    settings, run_id = played
    picture = picture_of(settings, run_id)
    assert picture.report is not None
    assert picture.report["var"]["filtered"]["0.99"] > 0
    assert [fan["scenario"] for fan in picture.fans] == ["baseline", "crash"]
    assert picture.fans[1]["mean"] != picture.fans[0]["mean"]
    assert picture.has_stops
    assert picture.stops, "the house keeps a stop under every position"
    first = picture.stops[0]
    assert len(first.ts_ms) == len(first.levels)
    assert min(first.levels) > 0
    if picture.trail is None:
        assert "trail" in picture.missing
    else:
        assert (picture.trail.var > 0).all()
        assert np.isfinite(picture.trail.equity).all()


def test_a_stranger_is_refused_in_a_line(played: tuple[Settings, str]) -> None:
    settings, _ = played
    for run_id in ("", "../x", "nobody-1"):
        with pytest.raises(RequestError, match="no run"):
            picture_of(settings, run_id)
    with pytest.raises(RequestError, match="no run"):
        run_standings(settings, "nobody-1")
    with pytest.raises(TradefloorError):
        compared(settings, "decisions", "a", "b")


def test_the_standings_of_a_run_are_those_of_its_journal(played: tuple[Settings, str]) -> None:
    settings, run_id = played
    document = run_standings(settings, run_id)
    assert {desk["desk"] for desk in document["desks"]} == {"a", "b"}
    assert document["status"] == "finished"


def test_a_limit_that_is_changed_counts_for_the_season(played: tuple[Settings, str]) -> None:
    settings, run_id = played
    board = LimitBoard(settings.home, Limits.load(CONFIG / "limits.toml"))
    assert str(season_limits(settings.home, run_id, board).max_leverage) == "2", "the season's own limit"
    said = changed(settings, "max_leverage", "1.5", "a calm week", confirm=False, caller=LOCAL)
    assert said == "max_leverage: 3 to 1.5, counts from now on"
    assert str(season_limits(settings.home, run_id, board).max_leverage) == "1.5"
    with pytest.raises(RequestError, match="--confirm"):
        changed(settings, "max_leverage", "2", "more room", confirm=False, caller=LOCAL)
    said = changed(settings, "max_leverage", "2", "more room", confirm=True, caller=LOCAL)
    assert "counts from 20" in said, "loosening waits"
    assert str(season_limits(settings.home, run_id, board).max_leverage) == "1.5"
    assert board.changes()[-1].who == LOCAL.name


@pytest.mark.parametrize(
    ("name", "value", "why", "said"),
    [
        ("", "1", "x", "choose which"),
        ("max_leverage", "1", "  ", "say why"),
        ("nonsense", "1", "x", "no such limit"),
        ("max_leverage", "<script>", "x", "max_leverage"),
        ("max_leverage", "99", "x", "looser than the house limit"),
    ],
)
def test_rubbish_changes_no_limit(tmp_path: Path, name: str, value: str, why: str, said: str) -> None:
    settings = Settings.load({"home": tmp_path})
    with pytest.raises(RequestError, match=said):
        changed(settings, name, value, why, confirm=False, caller=LOCAL)
    with pytest.raises(Forbidden):
        changed(settings, "max_leverage", "1", "x", confirm=False, caller=Caller(name="Theo", role=Role.TRADER))
    assert Runs(tmp_path).all() == []
