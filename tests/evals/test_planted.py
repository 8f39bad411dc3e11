"""Prompts whose effect is known: a clause that helps, an edit that does nothing, a clause that makes a desk hold."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import prompts.loader
from agents.llm import CompletionRequest
from arena import cli
from evals.ablation import ablations, compare_ablated
from evals.attempts import AttemptStore
from evals.case import Case
from evals.compare import BETTER, DIFFERENT, NOT_SEPARABLE, compare
from evals.gate import gate
from evals.runner import missing, run_suite
from evals.stage import Conditions, Stage
from evals.suite import find_suite
from evals.variant import Variant
from tests.evals.scripted import HOLD, Scripted, facts_of, order, system_of, text_of, trade

SUITE = find_suite("decisions")
HELPS = "Weigh what the analyst says against what the candles say before you decide."
NOTHING = "Take your time over each round."
TIMID = "When in doubt, leave things as they are."
_HELD = 0.86


@pytest.fixture(scope="module")
def own_prompts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The prompts of the house with three more executors, each with one clause of its own."""
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "executor").mkdir()
    shipped = prompts.loader.HERE / "executor" / "default.v3.md"
    text = shipped.read_text("utf-8").replace("version = 3", "version = 1")
    for name, clause in (("helps", HELPS), ("placebo", NOTHING), ("timid", TIMID)):
        altered = text.replace("\nWhat you must not do", f"\n{clause}\n\nWhat you must not do")
        assert altered != text
        (folder / "executor" / f"{name}.v1.md").write_text(altered, "utf-8")
    prompts.use_prompts(folder)
    yield
    prompts.use_prompts(None)


@pytest.fixture(scope="module")
def states(conditions: Conditions) -> tuple[list[Case], dict[str, bool]]:
    """The dev cases of the suite, and whether BTC rises over each."""
    cases = [case for case in SUITE.cases(None) if case.split == "dev"]
    rises = {}
    for case in cases:
        tape = Stage(case, "desk", conditions).tape
        now, then = (tape.bars_known_at(at) - 1 for at in (case.at_ms, case.at_ms + case.horizon_ms))
        rises[case.at] = bool(tape.close[0, then] > tape.close[0, now])
    return cases, rises


def _draws(request: CompletionRequest, count: int) -> np.ndarray:
    """Chance that follows from the instructions and the instant: an edit draws anew."""
    digest = hashlib.sha256(f"{system_of(request)}|{facts_of(request)['as_of']}|{request.seed}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8])).random(count)


def _executor(rises: dict[str, bool]) -> Callable[[CompletionRequest], dict]:
    """Right half of the time; nine times in ten where the clause that helps stands in its prompt."""

    def speak(request: CompletionRequest) -> dict:
        luck, mood = _draws(request, 2)
        if TIMID in system_of(request) and mood < _HELD:
            return HOLD
        facts = facts_of(request)
        skill = 0.9 if HELPS in system_of(request) else 0.5
        buys = rises[facts["as_of"]] == (luck < skill)
        quantity = 5_000 * Decimal(facts["instruments"][0]["lot"])
        return trade(order(facts["instruments"][0]["symbol"], "buy" if buys else "sell", f"{quantity:f}"))

    return speak


def _desk(name: str, prompt: str | None = None) -> Variant:
    return Variant(name=name, model="scripted/trader", prompts={"executor": prompt} if prompt else {})


@pytest.fixture(scope="module")
def record(
    own_prompts: None,
    states: tuple[list[Case], dict[str, bool]],
    conditions: Conditions,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A home folder in which production and its three rivals were tried on every dev case."""
    home = tmp_path_factory.mktemp("home")
    cases, rises = states
    desks = [
        _desk("production"),
        _desk("helps", "executor/helps.v1"),
        _desk("placebo", "executor/placebo.v1"),
        _desk("timid", "executor/timid.v1"),
    ]
    with AttemptStore(home / "evals" / "attempts.sqlite") as store:
        tasks, _ = missing(SUITE, cases, desks, 1, store)
        ask = Scripted({"executor": _executor(rises)})
        tally = asyncio.run(run_suite(SUITE, tasks, store=store, conditions=conditions, complete=ask))
    assert tally.done == 4 * len(cases)
    return home


@pytest.fixture
def store(record: Path) -> Iterator[AttemptStore]:
    with AttemptStore(record / "evals" / "attempts.sqlite") as opened:
        yield opened


@pytest.mark.slow
def test_a_planted_better_prompt_is_found_and_a_placebo_is_not(store: AttemptStore) -> None:
    helps = compare(store, SUITE, "helps", "production")
    assert (helps.verdict, helps.scorer.name) == (BETTER, "edge")
    placebo = compare(store, SUITE, "placebo", "production")
    assert placebo.verdict == NOT_SEPARABLE
    assert placebo.statistics is not None
    assert placebo.statistics.needed is not None
    assert placebo.statistics.needed > placebo.cases


@pytest.mark.slow
def test_a_clause_that_makes_a_desk_hold_is_caught_by_the_gate(
    store: AttemptStore, record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    acted = compare(store, SUITE, "timid", "production", scorer="acted")
    assert acted.verdict == DIFFERENT
    assert acted.means[0] == pytest.approx(1 - _HELD, abs=0.15)
    assert [one.comparison.scorer.name for one in gate(store, SUITE, "timid", "production") if one.fails] == ["acted"]
    assert not [one for one in gate(store, SUITE, "placebo", "production") if one.fails]
    for candidate, code in (("timid", 100), ("placebo", 0), ("helps", 0)):
        monkeypatch.setattr("sys.argv", ["tradefloor", "eval", "gate", candidate, "--home", str(record)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert int(ended.value.code or 0) == code
        assert ("FAILS  timid" in capsys.readouterr().out) == (code == 100)


def test_leaving_a_part_out_shows_what_it_is_worth_and_what_it_costs(
    states: tuple[list[Case], dict[str, bool]], conditions: Conditions, tmp_path: Path
) -> None:
    """The analyst of this desk knows the future, its risk officer says nothing of use, and its tools are not used."""
    cases, rises = states[0][:20], states[1]

    def analyst(request: CompletionRequest) -> dict:
        score = 1.0 if rises[facts_of(request)["as_of"]] else -1.0
        signal = {"instrument": "BTC-USDT-PERP", "score": score, "reason": "It knows."}
        return {"summary": "It knows.", "signals": [signal], "confidence": 1.0}

    def executor(request: CompletionRequest) -> dict:
        said = text_of(request)
        known = '"score":1.0' in said, '"score":-1.0' in said
        buys = known[0] if any(known) else bool(_draws(request, 1)[0] < 0.5)
        quantity = 5_000 * Decimal(facts_of(request)["instruments"][0]["lot"])
        return trade(order("BTC-USDT-PERP", "buy" if buys else "sell", f"{quantity:f}"))

    whole = Variant(name="whole", model="scripted/whole")
    parts = {part: desk for part, desk in ablations(whole).items() if part in ("analyst", "risk", "tools")}
    with AttemptStore(tmp_path / "attempts.sqlite") as store:
        tasks, _ = missing(SUITE, cases, [whole, *parts.values()], 1, store)
        ask = Scripted({"analyst": analyst, "executor": executor})
        asyncio.run(run_suite(SUITE, tasks, store=store, conditions=conditions, complete=ask))
        found = {one.without: one for one in compare_ablated(store, SUITE, whole, parts)}
    assert found["analyst"].comparison.verdict == "worse"
    assert found["risk"].comparison.verdict == found["tools"].comparison.verdict == NOT_SEPARABLE
    assert found["risk"].comparison.ties == len(cases)
    assert found["analyst"].saved.usd == found["risk"].saved.usd == pytest.approx(0.001)
    assert found["tools"].saved.usd == pytest.approx(0.0)
    assert found["analyst"].saved.tokens == pytest.approx(120)


def test_what_a_desk_does_not_have_is_not_left_out() -> None:
    plain = ablations(Variant(name="a", model="house/momentum"))
    remembering = ablations(Variant(name="a", model="house/momentum"), remembers=True)
    assert remembering.keys() - plain.keys() == {"memory"}
    assert remembering["memory"].sha256 != Variant(name="a", model="house/momentum").sha256
    assert list(plain) == ["analyst", "forecaster", "risk", "reports", "tools"]
    bare = ablations(Variant(name="a", model="house/momentum", roles=("executor",), tools=False))
    assert list(bare) == []
    models = {"analyst": ("x/a", "x/b"), "forecaster": "x/a", "risk": "x/a", "executor": "x/c"}
    mixed = ablations(Variant(name="a", models=models))
    assert mixed["panel"].models["analyst"] == "x/a"
    assert mixed["mixture"].model == "x/c"
    assert len({desk.sha256 for desk in mixed.values()}) == len(mixed)


def test_a_desk_without_tools_is_another_desk() -> None:
    desk = Variant(name="a", model="house/momentum")
    assert desk.model_copy(update={"tools": False}).sha256 != desk.sha256
    with pytest.raises(ValueError, match="executor among them"):
        Variant(name="a", model="house/momentum", roles=("analyst",))
