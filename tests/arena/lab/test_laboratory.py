"""The lab of a served house: comparisons are kept, made beside the app, cancelled, gone on with, promoted with care."""

import threading
from pathlib import Path
from typing import Any

import pytest

from arena.access import LOCAL, Caller, Forbidden, Role
from arena.jobs import Jobs, JobStatus
from arena.lab.comparison import Comparison, ComparisonShelf, checked_comparison, variant_text
from arena.lab.findings import Findings, find
from arena.lab.laboratory import Laboratory
from arena.settings import Settings
from arena.trying import IN_PROCESS
from evals.promptlab import verdict as verdict_module
from prompts import resolve, use_prompts
from prompts.library import add_version, text_of
from trading.domain.errors import ConfigError, RequestError

PATIENCE_S = 60.0
VIEWER = Caller(name="Vera", role=Role.VIEWER)
TRADER = Caller(name="Theo", role=Role.TRADER)


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    yield Settings.load({"home": tmp_path})
    use_prompts(None)


@pytest.fixture
def lab(settings: Settings) -> Any:
    jobs = Jobs()
    yield Laboratory(settings, jobs, fan_out=IN_PROCESS)
    jobs.stop(PATIENCE_S)


def asked(**more: Any) -> Comparison:
    given = {
        "suite": "decisions",
        "baseline": variant_text("house/momentum", "executor", "executor/default.v3"),
        "candidates": (variant_text("house/random", "executor", "executor/default.v3"),),
        "cases": 3,
    }
    return checked_comparison(**{**given, **more})


def made(lab: Laboratory, comparison: Comparison) -> Any:
    return lab._jobs.wait(f"lab-{comparison.comparison_id}", PATIENCE_S)


def test_a_comparison_is_made_found_and_gone_on_with(lab: Laboratory, settings: Settings) -> None:
    before = lab.edition()
    started = lab.start(asked(), TRADER)
    assert started.by == "Theo"
    job = made(lab, started)
    assert (job.status, job.done, job.total) == (JobStatus.DONE, 6, 6)
    assert lab.edition() != before
    found = find(started, settings)
    assert [len(row.cells) for row in found.rows] == [2, 2, 2]
    assert found.missing == 0
    assert found.is_rule_based
    assert [column.scored for column in found.columns] == [3, 3]
    assert [column.usd for column in found.columns] == [0.0, 0.0]
    assert found.verdicts[0].comparison.cases == 3
    more = lab.go_on("", TRADER, more=2)
    assert (more.cases, more.comparison_id) == (5, started.comparison_id)
    job = made(lab, more)
    assert (job.total, job.said) == (4, "4 attempts made, 6 were on record")
    assert [one.cases for one in lab.comparisons()] == [5]


def test_what_is_known_follows_the_record_without_waiting(lab: Laboratory) -> None:
    comparison = lab.start(asked(), TRADER)
    made(lab, comparison)
    assert lab.findings(comparison).value is None or lab.findings(comparison).value is not None
    lab._jobs.wait(f"lab findings:{comparison.comparison_id}", PATIENCE_S)
    known = lab.findings(comparison)
    assert isinstance(known.value, Findings)
    case = known.value.rows[0].case_id
    lab.case_file(comparison, case)
    lab._jobs.wait(f"lab case:{comparison.comparison_id} {case}", PATIENCE_S)
    file = lab.case_file(comparison, case).value
    assert file is not None
    executor = next(role for role in file.variants[0].roles if role.role == "executor")
    assert [who for who, _ in executor.told] == ["system", "user"]
    assert {"get_account", "get_positions", "get_quote"} <= {tool for tool, _ in executor.tools}
    assert '"action"' in executor.answer
    assert lab.case_file(comparison, "../../etc").value is None


def test_cancelling_keeps_what_was_made(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.lab import laboratory

    begun = threading.Event()
    real = laboratory.make_attempts

    async def slow(*args: Any, on_done: Any, **more: Any) -> Any:
        def told(task: Any, status: Any) -> None:
            on_done(task, status)
            begun.set()

        return await real(*args, on_done=told, at_once=1, **more)

    monkeypatch.setattr(laboratory, "make_attempts", slow)
    comparison = lab.start(asked(cases=40), TRADER)
    assert begun.wait(PATIENCE_S)
    lab.cancel(comparison.comparison_id, TRADER)
    job = made(lab, comparison)
    assert job.status is JobStatus.CANCELLED
    assert "run it again to go on" in job.said
    again = lab.go_on(comparison.comparison_id, TRADER, more=-38)
    job = made(lab, again)
    assert job.status is JobStatus.DONE
    assert job.total < 4, "what was made is not made again"


def test_roles_and_rubbish_are_refused_before_anything_is_made(lab: Laboratory, settings: Settings) -> None:
    with pytest.raises(Forbidden, match="Vera is a viewer"):
        lab.start(asked(), VIEWER)
    with pytest.raises(Forbidden):
        lab.promote("", 0, TRADER)
    with pytest.raises(RequestError, match="no suite"):
        lab.start(asked(suite="nonsense"), TRADER)
    with pytest.raises(ConfigError, match="the house has"):
        lab.start(asked(baseline="x=house/nobody,executor:executor/default.v3"), TRADER)
    with pytest.raises(ConfigError, match="given twice"):
        lab.start(asked(candidates=(asked().baseline,)), TRADER)
    for rubbish in ({"cases": 0}, {"cases": "many"}, {"candidates": ()}, {"cap_usd": float("nan")}, {"suite": "../x"}):
        with pytest.raises(RequestError):
            asked(**rubbish)
    with pytest.raises(RequestError, match="no such comparison"):
        lab.go_on("feed", TRADER)
    assert lab.comparisons() == []
    folder = settings.home / "evals" / "comparisons"
    folder.mkdir(parents=True)
    for name, text in {"a": "{", "b": "[1]", "c": '{"suite": "<script>"}', "d": asked().model_dump_json()}.items():
        (folder / f"{name}.json").write_text(text, "utf-8")
    assert lab.comparisons() == [], "what is no comparison, or lies under another's name, is passed over"


def test_a_prompt_is_promoted_only_when_it_is_better_and_breaks_nothing(
    lab: Laboratory, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arena.evaluating import use_home

    use_home(settings)
    text = text_of("executor/production").replace("\n=== user ===", "\nThank you.\n\n=== user ===")
    reference = add_version("executor/kind", text, author="tests", message="thanks").reference
    mine = variant_text("house/momentum", "executor", reference)
    comparison = lab.start(asked(candidates=(mine,)), TRADER)
    made(lab, comparison)
    with pytest.raises(RequestError, match="not separable"):
        lab.promote(comparison.comparison_id, 0, LOCAL)
    with pytest.raises(RequestError, match="no verdict"):
        lab.promote(comparison.comparison_id, 7, LOCAL)
    real = verdict_module.compare
    from dataclasses import replace

    monkeypatch.setattr(verdict_module, "compare", lambda *a, **k: replace(real(*a, **k), verdict="better"))
    monkeypatch.setattr(verdict_module, "_ALPHA", 2.0)
    before = resolve("executor/production")
    said = lab.promote(comparison.comparison_id, 0, LOCAL)
    assert said == f"executor/production means {reference} now, before it was {before}"
    assert resolve("executor/production") == reference


def test_house_models_read_no_sentence_of_a_prompt(lab: Laboratory, settings: Settings) -> None:
    """The page says so: their differences are none, and those of house/random chance."""
    from arena.evaluating import use_home

    use_home(settings)
    text = text_of("executor/production").replace("\n=== user ===", "\nHold.\n\n=== user ===")
    reference = add_version("executor/timid", text, author="t", message="m").reference
    comparison = lab.start(asked(candidates=(variant_text("house/momentum", "executor", reference),), cases=8), TRADER)
    made(lab, comparison)
    found = find(comparison, settings)
    assert all(row.cells[0].did == row.cells[1].did for row in found.rows)
    assert found.verdicts[0].comparison.verdict == "not separable"
    assert not found.promotions[0].is_open


def test_the_shelf_says_when_something_was_added(settings: Settings) -> None:
    shelf = ComparisonShelf(settings)
    assert (shelf.stamp(), shelf.get("")) == (0, None)
    shelf.put(asked())
    assert shelf.stamp() > 0
    assert shelf.get("") == asked()
