"""``tradefloor lab battle``: a person votes between two unnamed decisions; what all votes say, and the market."""

from collections.abc import Sequence
from pathlib import Path

import typer

from arena.battling import SUITE
from arena.commands.attempting import make_missing, raise_incomplete
from arena.commands.output import print_json
from arena.evaluating import conditions_of, eval_folder, open_attempts, read_desks
from arena.settings import Settings
from evals.attempts import AttemptStatus, AttemptStore
from evals.case import Case
from evals.promptlab.battle import CHOICES, Vote, add_vote, draw_duel, market_verdict, ratings, read_votes, shown
from evals.stage import Stage
from evals.suite import Suite, find_suite
from evals.trial import Trial
from evals.variant import Variant
from trading.domain.clock import SystemClock
from trading.domain.errors import RequestError
from trading.domain.instants import iso

_VOTES = "votes.jsonl"
_BARS = 168


def fight(
    variants: Sequence[str],
    suite_name: str,
    rounds: int,
    *,
    seed: int,
    cap_usd: float | None,
    home: Path | None,
    data_root: Path | None,
) -> None:
    """Show duels one after the other and keep each vote; an empty line or ``q`` ends."""
    settings = Settings.load({"home": home, "data_root": data_root})
    suite, desks = find_suite(suite_name), read_desks(variants, settings)
    cases = [case for case in suite.cases(settings.data_root) if case.split == "dev"]
    path = eval_folder(settings) / _VOTES
    before = len(read_votes(path))
    with open_attempts(settings) as store:
        for number in range(before, before + rounds):
            case, *seats = draw_duel(cases, len(desks), number, seed=seed)
            pair = [desks[seat] for seat in seats]
            tally = make_missing(suite, [case], pair, 1, store, settings, cap_usd=cap_usd)
            raise_incomplete(tally, cap_usd)
            trials = [_trial(store, suite, case, desk) for desk in pair]
            _show(case, trials, pair, settings, number - before + 1, rounds)
            share = _vote()
            if share is None:
                return
            add_vote(path, _cast(suite, case, pair, share))
            typer.echo(f"1 was {_named(pair[0])}, 2 was {_named(pair[1])}\n", err=True)


def show_results(*, home: Path | None, as_json: bool) -> None:
    """Print the strength of every desk that was voted on, and how far votes and market agree."""
    settings = Settings.load({"home": home})
    votes = read_votes(eval_folder(settings) / _VOTES)
    rated = ratings(votes)
    judged = [vote for vote in votes if vote.suite != SUITE]
    scores: dict[tuple[str, str, str], float | None] = {}
    with open_attempts(settings) as store:
        for name, digest in {(v.suite, d) for v in judged for d in (v.first_sha256, v.second_sha256)}:
            suite = find_suite(name)
            for row in store.scores(suite=name, variant=digest, scorer=suite.scorer()):
                scores[name, digest, row.case_id] = row.value
    suites = sorted({vote.suite for vote in judged})
    by_market = {
        name: market_verdict([vote for vote in judged if vote.suite == name], scores, find_suite(name).scorer())
        for name in suites
    }
    if as_json:
        market = {name: found.to_json() for name, found in by_market.items()}
        print_json({"votes": len(votes), "desks": [one.to_json() for one in rated], "market": market})
        return
    for one in rated:
        found = one.strength
        ends = "" if found.ci95 is None else f", 95 % {_elo(found.ci95[0]):.0f} to {_elo(found.ci95[1]):.0f}"
        typer.echo(f"{one.desk}: {found.elo:.0f}{ends} ({found.duels} duels)")
    if rated and rated[0].strength.ci95 is None:
        typer.echo("intervals need 20 votes")
    for name, verdict in by_market.items():
        typer.echo(f"{name}: the market agreed with {verdict.agreed} of {verdict.of} votes that it could judge")
    if not votes:
        typer.echo("no votes yet: `tradefloor lab battle --variant A --variant B` asks for some")


def _elo(log_odds: float) -> float:
    from trading.stats.bradley_terry import ELO_PER_LOG_ODDS

    return 1000.0 + log_odds * float(ELO_PER_LOG_ODDS)


def _trial(store: AttemptStore, suite: Suite, case: Case, desk: Variant) -> Trial:
    found = store.attempts(suite=suite.name, variant=desk.sha256, case_id=case.case_id, status=AttemptStatus.DONE)
    trial = store.trial(found[0].seq) if found else None
    if trial is None:
        raise RequestError(f"{desk.name} has no answer to {case.case_id}: the same command tries again")
    return trial


def _show(
    case: Case, trials: Sequence[Trial], pair: Sequence[Variant], settings: Settings, number: int, rounds: int
) -> None:
    hidden = [word for desk in pair for word in (desk.name, *desk.every_model())]
    typer.echo(f"Duel {number} of {rounds}: {case.at}, {case.market.kind} market", err=True)
    view = Stage(case, "desk", conditions_of(settings)).seat(0).tools.view
    for symbol in case.market.symbols:
        closes = view.bars(symbol, _BARS + 1).close
        moves = [
            f"{closes[-1] / closes[-1 - back] - 1:+.1%} in {back} bars" for back in (24, _BARS) if back < len(closes)
        ]
        held = f", held: {case.holding[symbol]:+.0%} of equity" if symbol in case.holding else ""
        typer.echo(f"  {symbol} {closes[-1]:g} ({', '.join(moves)}){held}", err=True)
    for place, trial in enumerate(trials, start=1):
        typer.echo(f"{place}:", err=True)
        for line in shown(trial.decision, hidden):
            typer.echo(f"   {line}", err=True)


def _vote() -> float | None:
    while True:
        try:
            answer = typer.prompt("Which is better: 1, 2, = (neither), q (enough)", default="q", err=True).strip()
        except typer.Abort:  # the end of the input
            return None
        if answer in CHOICES:
            return CHOICES[answer]
        if answer in ("q", ""):
            return None
        typer.echo(f"found {answer[:40]!r}, expected 1, 2, = or q", err=True)


def _cast(suite: Suite, case: Case, pair: Sequence[Variant], share: float) -> Vote:
    return Vote(
        at=iso(SystemClock().now_ms()),
        suite=suite.name,
        case_id=case.case_id,
        first=pair[0].name,
        second=pair[1].name,
        first_sha256=pair[0].sha256,
        second_sha256=pair[1].sha256,
        share=share,
    )


def _named(desk: Variant) -> str:
    return f"{desk.name}{' (rule-based)' if desk.is_rule_based else ''}"
