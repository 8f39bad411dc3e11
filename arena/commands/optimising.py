"""``tradefloor lab optimise``: GEPA over one prompt, the winner tested once on held-out cases and put to the gate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from agents.llm import Complete, check_model
from arena.commands.attempting import attempts_json, make_missing, raise_incomplete
from arena.commands.output import print_json, say
from arena.evaluating import conditions_of, open_attempts, open_eval_road, read_desks
from arena.settings import Settings
from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.compare import compare
from evals.executors import InProcess
from evals.gate import gate
from evals.promptlab.actions import signature
from evals.promptlab.optimise import Optimised, Tried, TryCases, optimise, reflection_by
from evals.runner import missing, run_suite
from evals.scoring import Scorer
from evals.suite import Suite, find_suite
from evals.variant import Variant
from graphs.team import ROLES
from prompts.library import point_alias
from trading.domain.errors import BudgetExceeded, RequestError

HELDOUT = "heldout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be improved, by what measure, and within how many attempts."""

    suite: str
    role: str
    name: str
    scorer: str | None
    attempts: int
    cases: int | None
    seed: int


def optimise_prompt(
    task: Task,
    variant: str,
    reflection: str,
    *,
    cap_usd: float | None,
    home: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> None:
    """Improve a prompt; where a better one was found, it becomes the role's candidate."""
    settings = Settings.load({"home": home, "data_root": data_root})
    if task.role not in ROLES:
        raise RequestError(f"--role {task.role!r}: expected one of {', '.join(ROLES)}")
    suite, desks = find_suite(task.suite), read_desks([variant], settings)
    if len(desks) != 1:
        raise RequestError(f"--variant {variant}: found {len(desks)} desks, expected one")
    check_model(reflection)
    cases = suite.cases(settings.data_root)
    dev = [case for case in cases if case.split == "dev"][: task.cases]
    locked = [case for case in cases if case.split == HELDOUT]
    scorer = suite.scorer(task.scorer)
    with open_attempts(settings) as store:
        found = asyncio.run(_optimise(task, suite, desks[0], reflection, dev, scorer, store, settings, cap_usd))
        document = _document(task, suite, found, store)
        if found.improved:
            winner = _winner(desks[0], task.role, found.reference)
            tally = make_missing(suite, locked, [desks[0], winner], 1, store, settings, cap_usd=cap_usd)
            document |= _tested(suite, desks[0], winner, scorer, store)
            document["attempts"] = attempts_json(tally)
            point_alias(f"{task.role}/candidate", found.reference)
            raise_incomplete(tally, cap_usd)
    if as_json:
        print_json(document)
    else:
        _print(document, task)


def try_on(suite: Suite, scorer: Scorer, store: AttemptStore, settings: Settings, road: Complete) -> TryCases:
    """What tries a variant on cases: attempts on record are not made again."""

    async def try_cases(variant: Variant, cases: Sequence[Case]) -> list[Tried]:
        tasks, _ = missing(suite, cases, [variant], 1, store)
        executor = InProcess(conditions_of(settings), road)
        tally = await run_suite(suite, tasks, store=store, executor=executor)
        if tally.unpaid:
            raise BudgetExceeded(f"{tally.unpaid} attempts were not paid for")
        return [_tried(suite, case, variant, scorer, store) for case in cases]

    return try_cases


async def _optimise(
    task: Task,
    suite: Suite,
    base: Variant,
    reflection: str,
    dev: Sequence[Case],
    scorer: Scorer,
    store: AttemptStore,
    settings: Settings,
    cap_usd: float | None,
) -> Optimised:
    async with open_eval_road(settings, cap_usd=cap_usd) as road:
        return await optimise(
            base,
            task.role,
            task.name,
            cases=dev,
            scorer=scorer,
            try_cases=try_on(suite, scorer, store, settings, road),
            reflect=reflection_by(reflection, road, seed=task.seed),
            most_calls=task.attempts,
            seed=task.seed,
        )


def _tried(suite: Suite, case: Case, variant: Variant, scorer: Scorer, store: AttemptStore) -> Tried:
    done = store.attempts(suite=suite.name, variant=variant.sha256, case_id=case.case_id, status=AttemptStatus.DONE)
    trial = store.trial(done[0].seq) if done else None
    if trial is None:
        return Tried(case_id=case.case_id, score=None, asked="", answered="", remark="the desk could not be reached")
    score = scorer.score(case, trial)
    asked = next((str(turn.messages[1]["content"]) for turn in trial.turns if turn.role == "executor"), "")
    remark = score.reason if score.value is None else f"{scorer.name} {score.value:+.4g} {scorer.unit}"
    answered = f"{signature(trial.decision)}. {trial.decision.rationale}"
    return Tried(case_id=case.case_id, score=score.value, asked=asked, answered=answered, remark=remark)


def _winner(base: Variant, role: str, reference: str) -> Variant:
    return base.model_copy(update={"name": reference, "prompts": {**base.prompts, role: reference}})


def _document(task: Task, suite: Suite, found: Optimised, store: AttemptStore) -> dict[str, Any]:
    return {
        "suite": suite.name,
        "role": task.role,
        "best": found.reference,
        "improved": found.improved,
        "candidates": list(found.candidates),
        "validation": dict(found.validation),
        "calls": found.calls,
        "stopped": found.stopped,
        "trials": store.variants_tried(suite.name),
        "test": None,
        "gate": None,
    }


def _tested(suite: Suite, base: Variant, winner: Variant, scorer: Scorer, store: AttemptStore) -> dict[str, Any]:
    """The one look at the locked test, and what the gate would say there."""
    pair = (winner.sha256, base.sha256)
    test = compare(store, suite, *pair, scorer=scorer.name, split=HELDOUT, called=(winner.name, base.name))
    findings = gate(store, suite, *pair, split=HELDOUT)
    failed = [one.comparison.scorer.name for one in findings if one.fails]
    return {
        "test": test.to_json(),
        "gate": {"passed": not failed, "failed": failed},
        "looks": store.count_look(suite.name, winner.sha256, "optimise"),
    }


def _print(document: dict[str, Any], task: Task) -> None:
    typer.echo(
        f"{len(document['candidates'])} versions tried in {document['calls']} attempts; stopped because "
        f"{document['stopped']}; {document['trials']} variants were tried on this suite so far"
    )
    if not document["improved"]:
        typer.echo(f"none was better on validation than {document['best']}, which stays")
        return
    typer.echo(f"best on validation: {document['best']}")
    typer.echo(f"locked test: {document['test']['in_words']}")
    if document["gate"]["passed"]:
        say(
            f"it is {task.role}/candidate; to promote it: "
            f"`tradefloor prompts alias {task.role}/production {document['best']}`"
        )
    else:
        say(f"it is {task.role}/candidate and stays one: the gate fails by {', '.join(document['gate']['failed'])}")
