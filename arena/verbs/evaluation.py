"""What desks are asked and what can be concluded: evals and the leaderboard."""

from pathlib import Path
from typing import Annotated

import typer

from arena.verbs.groups import WithDefault
from arena.verbs.options import BudgetUsd, DataRoot, Home, Json, Ray, SplitName, SuiteName, Variants, Workers

app = typer.Typer()
ranking = typer.Typer(
    cls=WithDefault, help="Desks over all their seasons: who is better, and how sure that is.", rich_markup_mode=None
)
app.add_typer(ranking, name="leaderboard")
evaluation = typer.Typer(
    help="What desks are asked, and what can be concluded.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(evaluation, name="eval")


@ranking.command("show")
def leaderboard(
    form: Annotated[str, typer.Option("--format", help="table, csv or markdown.")] = "table",
    kind: Annotated[
        str | None, typer.Option("--market", help="Only seasons on simulated, replay, paper, live.")
    ] = None,
    season: Annotated[str | None, typer.Option(help="Only seasons of this name.")] = None,
    regime: Annotated[str | None, typer.Option(help="Only bull, bear or flat seasons.")] = None,
    after: Annotated[str | None, typer.Option(help="Only seasons that begin after, say, a knowledge cut-off.")] = None,
    before: Annotated[str | None, typer.Option(help="Only seasons that end before.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="DIR", help="Write it as a site that needs no server.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Rank desks over all their seasons, where the data allow it."""
    from arena.commands.leaderboard import show_as
    from evals.leaderboard import Filters

    asked = Filters(kind=kind, season=season, regime=regime, after=after, before=before)
    show_as(form, asked, html=html, home=home, as_json=as_json)


@ranking.command("restate")
def leaderboard_restate(
    run: Annotated[str, typer.Argument(help="A run's id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown with the board.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let the run count again.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take a run out of the leaderboard, or back in; nothing is deleted and the note stays."""
    from arena.commands.leaderboard import restate_run

    restate_run(run, reason=reason, undo=undo, home=home, as_json=as_json)


@ranking.command("luck")
def leaderboard_luck(as_json: Json = False) -> None:
    """Print how far luck alone goes: by days of trading and number of desks."""
    from arena.commands.luck import print_luck

    print_luck(as_json=as_json)


@evaluation.command("run")
def eval_run(
    suite: Annotated[str, typer.Argument(help="A suite; `tradefloor eval list` shows them.")],
    variants: Variants,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="How often each case is tried.")] = 1,
    cases: Annotated[int | None, typer.Option(min=1, help="Only the first so many cases.")] = None,
    split: SplitName = "dev",
    cap_usd: BudgetUsd = None,
    workers: Workers = 1,
    ray: Ray = None,
    at_once: Annotated[int, typer.Option(min=1, max=256, help="How many attempts are under way at once.")] = 16,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Try desks on a suite; the same command makes only what is missing."""
    from arena.commands.evals import run
    from arena.trying import FanOut

    run(
        suite,
        variants=variants,
        epochs=epochs,
        cases=cases,
        split=split,
        cap_usd=cap_usd,
        at_once=at_once,
        home=home,
        data_root=data_root,
        as_json=as_json,
        fan_out=FanOut(workers=workers, ray=ray),
    )


@evaluation.command("list")
def eval_list(data_root: DataRoot = None, home: Home = None, as_json: Json = False) -> None:
    """List the suites and what is on record."""
    from arena.commands.evals import list_suites

    list_suites(home=home, data_root=data_root, as_json=as_json)


@evaluation.command("compare")
def eval_compare(
    first: Annotated[str, typer.Argument(help="A variant by name or digest.")],
    second: Annotated[str, typer.Argument(help="The one to compare it with.")],
    suite: SuiteName = "decisions",
    scorer: Annotated[str | None, typer.Option(help="The measure; the suite's own without it.")] = None,
    split: SplitName = "dev",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say whether the first is better, worse, or not separable from the second."""
    from arena.commands.evals import compare_two

    compare_two(first, second, suite=suite, scorer=scorer, split=split, home=home, as_json=as_json)


@evaluation.command("gate")
def eval_gate(
    candidate: Annotated[str, typer.Argument(help="The variant that is to go into production.")],
    baseline: Annotated[str, typer.Option("--baseline", help="The variant it must not be worse than.")] = "production",
    suite: SuiteName = "decisions",
    protected: Annotated[list[str] | None, typer.Option("--protect", help="A scorer; all of them without it.")] = None,
    split: SplitName = "dev",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Exit with 100 when a protected measure of the candidate is worse than the baseline's by its margin."""
    from arena.commands.evals import check_gate

    check_gate(candidate, baseline, suite=suite, protected=protected or [], split=split, home=home, as_json=as_json)


@evaluation.command("rescore")
def eval_rescore(
    suite: Annotated[str, typer.Argument(help="A suite.")],
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run the scorers again on stored attempts; no model is asked."""
    from arena.commands.evals import score_again

    score_again(suite, home=home, data_root=data_root, as_json=as_json)


@evaluation.command("foreign")
def eval_foreign(
    log: Annotated[Path, typer.Argument(help="A Parquet log of positions of another arena.")],
    data: Annotated[list[str], typer.Option("--data", metavar="GLOB", help="Candle files; may be given again.")],
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Recompute another arena's results from its logs, with intervals and who came first how often."""
    from arena.commands.evals import score_foreign

    score_foreign(log, data=data, data_root=data_root, home=home, as_json=as_json)


@evaluation.command("ablate")
def eval_ablate(
    variant: Annotated[str, typer.Option("--variant", metavar="MODEL", help="The desk, as for `eval run`.")],
    suite: SuiteName = "decisions",
    without: Annotated[
        list[str] | None, typer.Option(help="A part to leave out; every part that the desk has, without it.")
    ] = None,
    scorer: Annotated[str | None, typer.Option(help="The measure; the suite's own without it.")] = None,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="How often each case is tried.")] = 1,
    cases: Annotated[int | None, typer.Option(min=1, help="Only the first so many cases.")] = None,
    split: SplitName = "dev",
    cap_usd: Annotated[float | None, typer.Option("--budget-usd", min=0, help="Send nothing above this.")] = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Leave one part of a desk out at a time: what it is worth on the same states, and what it costs."""
    from arena.commands.ablation import ablate

    ablate(
        variant,
        suite_name=suite,
        parts=without or [],
        scorer=scorer,
        epochs=epochs,
        cases=cases,
        split=split,
        cap_usd=cap_usd,
        home=home,
        data_root=data_root,
        as_json=as_json,
    )


@evaluation.command("twins")
def eval_twins(
    suite: Annotated[str, typer.Argument(help="A suite with altered cases: leakage, injection, consistency.")],
    variant: Annotated[str, typer.Argument(help="A variant by name or digest.")],
    scorer: Annotated[str | None, typer.Option(help="The measure; the edge, or the suite's own, without it.")] = None,
    split: SplitName = "dev",
    after: Annotated[str | None, typer.Option(help="Only cases after, say, a knowledge cut-off.")] = None,
    before: Annotated[str | None, typer.Option(help="Only cases before.")] = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare a desk with itself: cases that were masked, reworded or poisoned with the same cases as they are."""
    from arena.commands.ablation import twins

    twins(
        suite,
        variant,
        scorer=scorer,
        split=split,
        after=after,
        before=before,
        home=home,
        data_root=data_root,
        as_json=as_json,
    )


@evaluation.command("seasons")
def eval_seasons(
    file: Annotated[Path, typer.Argument(metavar="SEASON.toml", help="The season file.")],
    windows: Annotated[
        list[str] | None, typer.Option("--window", metavar="START..END", help="Play it then; may be given again.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="How often each window is played, seeds rising.")] = 1,
    mask: Annotated[
        int | None, typer.Option(min=0, max=10**8, help="Mask names, dates and prices; a seed, rising like the other.")
    ] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key.")] = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Play a season over several windows and seeds, and compare its desks by round; finished ones are kept."""
    from arena.commands.eval_seasons import seasons

    seasons(
        file,
        windows=windows or [],
        repeat=repeat,
        mask=mask,
        sets=sets or [],
        home=home,
        data_root=data_root,
        as_json=as_json,
    )
