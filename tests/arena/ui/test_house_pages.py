"""The pages of the house (lab, runs, settings, risk, forecasts): they build, offer nothing publicly, draw inertly."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.beside import Known
from arena.diagnosis import diagnose, usable_models
from arena.jobs import Job, JobStatus
from arena.lab.case_file import CaseFile, RoleFile, VariantFile
from arena.lab.comparison import Comparison
from arena.lab.findings import Column, Findings, Promotion
from arena.model_files import ChampionFile, DriverRow, ModelFile, ModelShelf
from arena.results import RunRow, SuiteRow, VariantRow, evals_of, runs_of
from arena.risk.limit_use import limit_uses
from arena.risk.picture import RiskPicture, StopPath
from arena.seasons.snapshot import FloorSnapshot
from arena.settings import Settings
from arena.ui.chat.endpoints import PUBLIC
from arena.ui.forecasts.models import models_panels
from arena.ui.lab.drawer import drawer_panel
from arena.ui.lab.forest import forest_panel
from arena.ui.lab.history import history_panel
from arena.ui.lab.matrix import matrix_panel
from arena.ui.lab.verdict import verdict_panel
from arena.ui.risk.floor import breakers_panel, drawdown_panel, exceedance_word, facts_strip, fan_panels, stops_panel
from arena.ui.risk.limits import changes_panel, limits_panel
from arena.ui.runs.panels import comparison_panel, evals_panel, jobs_panel, runs_panel, standings_panel
from arena.ui.settings.panels import alerts_panel, models_panel, problems_panel, settings_panel, state_facts
from arena.ui.site import build_site
from evals.promptlab.matrix import Cell, Row
from evals.suite import find_suite
from tests.arena.housing import house
from trading.risk import Limits
from trading.risk.alerts import Alert
from trading.risk.limit_board import Actor, Change, Kind

MINE = ("lab", "runs", "settings", "risk", "forecasts")
HOSTILE = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> [a](javascript:pwned) \x1b[31mred {{1}} ${2}'
)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"home": tmp_path})


def inert(markup: str) -> bool:
    """Whether the hostile text stands in the markup as text alone."""
    return (
        "<img" not in markup
        and "<script" not in markup
        and "\x1b" not in markup
        and "onerror=" not in markup.replace("onerror=&quot;", "")
    )


def cell(score: float | None, **more: Any) -> Cell:
    given = {
        "variant": HOSTILE,
        "score": score,
        "reason": "" if score is not None else HOSTILE,
        "actions": ("buy",),
        "did": (HOSTILE,),
        "output": HOSTILE,
        "epochs": 1,
        "errors": 0,
        "tokens_in": 3_000.0,
        "tokens_out": 200.0,
        "usd": 0.02,
        "latency_ms": 12.0,
    }
    return Cell(**{**given, **more})


def findings(**more: Any) -> Findings:
    rows = tuple(
        Row(case_id=f"case-{n}-{HOSTILE}", cluster=str(n), split="dev", cells=(cell(1.0), cell(0.0 if n else None)))
        for n in range(3)
    )
    column = Column(
        name=HOSTILE, models=(HOSTILE,), prompts={"executor": HOSTILE}, is_rule_based=True, mean=0.7, half_width=0.1,
        passed=2, scored=3, errors=1, usd=None,
    )  # fmt: skip
    given: dict[str, Any] = {
        "comparison": Comparison(suite="injection", baseline=HOSTILE, candidates=(HOSTILE,), cases=3, by=HOSTILE),
        "title": HOSTILE,
        "scorer": find_suite("injection").scorer(),
        "rows": rows,
        "columns": (column, replace(column, is_rule_based=False, usd=1.5)),
        "verdicts": (),
        "promotions": (Promotion(prompts={"executor": HOSTILE}, obstacles=(HOSTILE,)),),
        "available": 40,
        "missing": 2,
        "missing_usd": None,
        "more": 5,
        "more_usd": 1.2,
    }
    return Findings(**{**given, **more})


def test_the_pages_are_there_and_offer_no_public_endpoint(make_floor: Any, tmp_path: Path) -> None:
    site = build_site(house(make_floor(None), home=tmp_path))
    assert set(MINE) <= set(site.pages)
    public = [fn.api_name for fn in site.blocks.fns.values() if fn.api_visibility != "private"]
    assert sorted(map(str, public)) == sorted(PUBLIC), "and they are the chat's"


@pytest.mark.parametrize("path", MINE)
def test_a_page_answers_without_a_season_with_one_and_to_a_rubbish_address(
    path: str, make_floor: Any, snapshot: FloorSnapshot, tmp_path: Path
) -> None:
    for floor in (make_floor(None), make_floor(snapshot)):
        page = build_site(house(floor, home=tmp_path)).pages[path]
        for address in ({}, {"at-comparison": HOSTILE, "at-case": HOSTILE, "at-view": "x", "at-run": "../" + HOSTILE}):
            found = json.loads(page.changes(address))
            assert found
            assert all(inert(text) for _etag, text in found.values())
        page.services.jobs.stop(30)


def test_the_matrix_says_what_passes_fails_and_has_no_score() -> None:
    shown = matrix_panel(findings(), {"view": "failing"})
    assert inert(shown)
    assert "Failing 3" in shown
    assert "3.2k · 2.0 ct" in shown
    assert "price not known" in shown
    assert "Errors 0" in shown
    assert "No case of this comparison fits" in matrix_panel(findings(), {"view": "errors"})
    assert matrix_panel(findings(), {"view": HOSTILE}) == matrix_panel(findings(), {})


def test_the_verdict_offers_only_what_can_be_done() -> None:
    comparison = findings().comparison
    job = Job(key="k", title="t", status=JobStatus.RUNNING, started_ms=0, done=3, total=12)
    running = verdict_panel(comparison, Known(value=findings(), made_ms=1), job)
    assert 'aria-valuenow="3"' in running
    assert "tf-lab-cancel" in running
    assert "tf-lab-more" not in running
    idle = verdict_panel(comparison, Known(value=findings(), made_ms=1), None)
    assert "Retry 2\N{NO-BREAK SPACE}errors, at a price that is not known" in idle
    assert "Run 5 more cases, about $1.20" not in verdict_panel(comparison, Known(), None)
    failed = verdict_panel(comparison, Known(trouble=HOSTILE), replace(job, status=JobStatus.FAILED, said=HOSTILE))
    for shown in (running, idle, failed, forest_panel(findings()), history_panel([comparison], comparison)):
        assert inert(shown)
    assert "none of its sentences" in idle, "rules are told apart from language models"
    promotable = findings(promotions=(Promotion(prompts={"executor": "executor/x.v1"}, obstacles=()),))
    assert "tf-confirm" in verdict_panel(comparison, Known(value=replace_verdict(promotable), made_ms=1), None)
    blocked = findings(promotions=(Promotion(prompts={"executor": "executor/x.v1"}, obstacles=("no",)),))
    assert "tf-confirm" not in verdict_panel(comparison, Known(value=replace_verdict(blocked), made_ms=1), None)


def replace_verdict(found: Findings) -> Findings:
    """The findings with a verdict on the candidate, made from scores."""
    from evals.attempts import ScoredRow
    from evals.compare import compare_rows
    from evals.promptlab.actions import action_shift
    from evals.promptlab.verdict import LabVerdict

    def rows(value: float) -> list[ScoredRow]:
        return [
            ScoredRow(case_id=str(n), cluster=str(n), split="dev", epoch=0, value=value + n % 2, reason="")
            for n in range(12)
        ]

    compared = compare_rows("b", "a", found.scorer, rows(0.5), rows(0.1))
    verdict = LabVerdict(
        comparison=compared, p_adjusted=0.01, power=None, shift=action_shift([], []), usd=None, latency=None, trials=2
    )
    return replace(found, verdicts=(verdict,))


def test_the_file_of_a_case_shows_every_text_inert() -> None:
    role = RoleFile(
        role=HOSTILE, told=(("system", HOSTILE), ("user", HOSTILE)), tools=((HOSTILE, HOSTILE),), answer=HOSTILE
    )
    variant = VariantFile(
        name=HOSTILE, did=HOSTILE, problem="", roles=(role,), rulings=(("refused", HOSTILE),),
        scores=(("edge", "bp", None, HOSTILE),), returned=0.01, tokens=10, usd=0.1,
    )  # fmt: skip
    file = CaseFile(case_id=HOSTILE, at=HOSTILE, market="simulated", variants=(variant, replace(variant, did="")))
    shown = drawer_panel(Known(value=file, made_ms=1), HOSTILE, {})
    assert inert(shown)
    assert shown.count("<pre") >= 6
    assert "No such case" in drawer_panel(Known(value=None, made_ms=1), "x", {})
    assert inert(drawer_panel(Known(trouble=HOSTILE), "x", {}))


def test_runs_and_evals_are_listed_inertly_also_where_there_are_none(settings: Settings) -> None:
    assert runs_of(settings) == []
    assert all(not suite.variants for suite in evals_of(settings))
    assert "No run yet" in runs_panel([], "", "")
    folder = settings.home / "runs" / "damaged-1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("[", "utf-8")
    assert [row.status for row in runs_of(settings)] == ["cannot be read"]
    run = RunRow(
        run_id="r-1", season=HOSTILE, market=HOSTILE, status="finished", desks=(HOSTILE,), rules_sha256="",
        changed_ms=1, journal_bytes=10,
    )  # fmt: skip
    variant = VariantRow(name=HOSTILE, sha256="0" * 64, done=1, errors=0, cases=1, of=2, mean=None, usd=None)
    suite = SuiteRow(
        name="s",
        title=HOSTILE,
        scorer="edge",
        unit="bp",
        cases=2,
        heldout=1,
        variants=(variant, replace(variant, name="b")),
    )
    chosen = {"suite": "s", "first": HOSTILE, "second": "b"}
    desk = {
        "rank": 1, "rank_last": 2, "desk": HOSTILE, "kind": "rule-based", "return": 0.1, "return_ci95": (0.01, 0.2),
        "max_drawdown": None, "luck_percentile": None, "acted": 1, "abstained": 0,
    }  # fmt: skip
    document = {
        "rounds_done": 1, "rounds": 2, "status": HOSTILE, "market": {"kind": HOSTILE}, "desks": [desk],
        "journal": {"events": 3, "head": HOSTILE},
    }  # fmt: skip
    job = Job(key="lab-1", title=HOSTILE, status=JobStatus.FAILED, started_ms=0, said=HOSTILE)
    for shown in (
        runs_panel([run], "r-1", "r-1"),
        evals_panel(Known(value=[suite], made_ms=1), chosen),
        evals_panel(Known(trouble=HOSTILE), {}),
        comparison_panel(chosen, Known(value=[HOSTILE], made_ms=1)),
        comparison_panel({"first": HOSTILE}, None),
        standings_panel(HOSTILE, Known(value=document, made_ms=1)),
        standings_panel(HOSTILE, Known(trouble=HOSTILE)),
        jobs_panel([job]),
    ):
        assert shown is not None
        assert inert(shown)
    assert jobs_panel([replace(job, key="risk:x")]) is None


def test_settings_show_no_secret_and_say_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOOR_ALERT_URLS", "json://user:hunter2@example.org")
    loaded = Settings.load({"home": settings.home})
    shown = settings_panel(loaded)
    assert "hunter2" not in shown
    assert ">set<" in shown
    assert "TRADEFLOOR_ALERT_URLS" in shown
    (settings.home / "HALT").touch()
    found = diagnose(loaded)
    assert {"settings", "models", "venues", "memory", "problems"} == set(found.to_json())
    assert all(name.startswith("house/") or name for name in usable_models())
    hostile = replace(found, problems=({"what": HOSTILE, "do": HOSTILE},))
    alerts = [Alert(alert_id="a-1", text=HOSTILE, raised_ms=0, is_critical=True)]
    for drawn in (
        problems_panel(Known(value=hostile, made_ms=1)),
        models_panel(Known(value=found, made_ms=1)),
        alerts_panel(alerts, "", 10_000),
        alerts_panel([], HOSTILE, 0),
        state_facts(loaded, None, Known(), alerts),
    ):
        assert inert(drawn)
    assert 'data-press="tf-acknowledge" data-value="a-1"' in alerts_panel(alerts, "", 0)


def test_settings_say_which_mode_the_next_run_is_in(snapshot: FloorSnapshot, settings: Settings) -> None:
    assert "the next run" not in state_facts(settings, snapshot, Known(), [])
    assert "mode balanced, market simulated; the next run is conservative" in state_facts(
        settings, snapshot, Known(), [], next_mode="conservative"
    )


def test_limits_are_meters_sorted_by_use(snapshot: FloorSnapshot) -> None:
    limits = Limits.load(ROOT / "config" / "limits.toml")
    uses = limit_uses(snapshot, limits)
    assert [use.share for use in uses] == sorted((use.share for use in uses), reverse=True)
    desk = snapshot.desks[0]
    gross = next(use for use in uses if (use.who, use.rule) == (desk.name, "max_gross_exposure"))
    assert gross.used == pytest.approx(sum(abs(row.value) for row in desk.positions) / desk.equity)
    assert (gross.limit, gross.share) == (3.0, pytest.approx(gross.used / 3.0))
    shown = limits_panel(uses)
    assert shown.count('role="meter"') == 14
    assert "Limits are measured after the first round" in limits_panel([])
    tight = limits_panel(
        limit_uses(snapshot, limits.model_copy(update={"desk_drawdown": type(limits.desk_drawdown)("0.001")}))
    )
    assert "at limit" in tight
    ruined = tuple(replace(one, equity=-5.0, curve=replace(one.curve, equity=(), ts_ms=())) for one in snapshot.desks)
    assert limit_uses(replace(snapshot, desks=ruined), limits) == []
    change = Change(
        origin="o", kind=Kind.OVERRIDE, name="max_leverage", old="3", value="4", who=HOSTILE, actor=Actor.PERSON,
        reason=HOSTILE, at_ms=0, from_ms=None,
    )  # fmt: skip
    drawn = changes_panel([change], 0)
    assert inert(drawn)
    assert "waits for a second person" in drawn


def test_the_risk_of_the_floor_is_drawn_before_and_after_it_was_measured(snapshot: FloorSnapshot) -> None:
    limits = Limits.load(ROOT / "config" / "limits.toml")
    picture = RiskPicture(
        report=None, trail=None, fans=(), trips=(), has_stops=True, missing={"fans": HOSTILE},
        stops=(StopPath(desk=HOSTILE, instrument=HOSTILE, ts_ms=(1, 5, 9), levels=(3.0, 4.0, 4.5)),),
    )  # fmt: skip
    hostile = replace(snapshot, halt_reason=HOSTILE)
    for known in (Known(), Known(trouble=HOSTILE), Known(value=picture, made_ms=1)):
        for shown in (
            facts_strip(hostile, limits, known),
            breakers_panel(hostile, known),
            stops_panel(known) or "",
            *fan_panels(known),
        ):
            assert inert(shown)
    assert "from 3 to 4.5" in (stops_panel(Known(value=picture, made_ms=1)) or "").replace(".0000", "")
    assert stops_panel(Known(value=replace(picture, stops=(), has_stops=False), made_ms=1)) is None
    assert "breaker at" in drawdown_panel(snapshot, limits)
    assert "Not known yet" in drawdown_panel(replace(snapshot, desks=()), limits)
    words = [
        exceedance_word(*given)
        for given in ((0.5, 1, 1.0), (0.07, 3, 1.0), (0.01, 9, 1.0), (0.01, 0, 9.0), (None, 0, 0.0))
    ]
    assert words[:3] == ["in line", "unclear", "too many"]
    assert words[3].startswith("too few")


def test_models_are_compared_explained_and_watched_for_drift() -> None:
    champion = ChampionFile(
        as_of_ms=1, bars=500, p_up=0.52, q05=-0.02, q95=0.02, features=2,
        drivers=(DriverRow(feature=HOSTILE, group="trend", value=None, contribution=-0.2),),
        importance=(("rsi", 0.3), ("atr", 0.0)), shifts=(("rsi", 0.4), ("atr", 0.01)),
    )  # fmt: skip
    model = ModelFile(
        model_id=HOSTILE, key="BTC-USDT 1h, 4h ahead", stage="champion", trained_from_ms=0, trained_to_ms=1, features=2,
        folds=5, metrics={"crps_skill": 0.02, "coverage90": 0.9}, ci95={"crps_skill": (0.01, 0.03)},
        baselines={"climatology": {"crps_skill": 0.0}}, champion=champion,
    )  # fmt: skip
    shown = models_panels(Known(value=ModelShelf(models=(model,), moves=(HOSTILE,)), made_ms=1))
    assert inert(shown)
    assert "1 of 2 features have shifted" in shown
    assert "tf-gain" in shown
    assert "climatology" in shown
    lost = replace(model, champion=ChampionFile(trouble="no candles"))
    assert "no candles" in models_panels(Known(value=ModelShelf(models=(lost,), moves=()), made_ms=1))
    assert "tradefloor train" in models_panels(Known(value=ModelShelf(models=(), moves=()), made_ms=1))
    assert inert(models_panels(Known(trouble=HOSTILE)))
    assert np.isfinite(champion.importance[0][1])
