"""The prompt lab: variants side by side, cases of one's own, optimisation and blind battles."""

from typing import Annotated

import typer

from arena.verbs.groups import WithDefault
from arena.verbs.options import BudgetUsd, DataRoot, Home, Json, Ray, SplitName, SuiteName, Variants, Workers

app = typer.Typer()
lab = typer.Typer(
    cls=WithDefault,
    help="Variants side by side on the same cases, with a verdict. `lab SUITE --variant ...` is `lab run SUITE ...`.",
    rich_markup_mode=None,
)
app.add_typer(lab, name="lab")

Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Where chance begins.")]
Cases = Annotated[int | None, typer.Option(min=1, help="Only the first so many cases.")]


@lab.command("run")
def lab_run(
    suite: Annotated[str, typer.Argument(help="A suite; `tradefloor eval list` shows them.")],
    variants: Variants,
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="The variant to compare with, by name; the first without it.")
    ] = None,
    scorer: Annotated[str | None, typer.Option(help="The measure; the suite's own without it.")] = None,
    view: Annotated[str, typer.Option("--view", help="Cases to list: all, failing, errors or different.")] = "all",
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="How often each case is tried.")] = 1,
    cases: Cases = None,
    split: SplitName = "dev",
    cap_usd: BudgetUsd = None,
    workers: Workers = 1,
    ray: Ray = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Try variants on a suite and say which is better, by how much, and how sure that is."""
    from arena.commands.lab import Question, run
    from arena.trying import FanOut

    asked = Question(suite=suite, baseline=baseline, scorer=scorer, view=view, epochs=epochs, cases=cases, split=split)
    fan_out = FanOut(workers=workers, ray=ray)
    run(asked, variants, cap_usd=cap_usd, fan_out=fan_out, home=home, data_root=data_root, as_json=as_json)


@lab.command("add-case")
def lab_add_case(
    run: Annotated[str, typer.Argument(help="A run's id.")],
    decision: Annotated[str, typer.Argument(help="A decision of it, as `journal export` lists them.")],
    horizon: Annotated[str, typer.Option(help="How long its consequences are followed.")] = "24h",
    split: SplitName = "dev",
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Freeze a decision of a run as a case of the suite `own`."""
    from arena.commands.lab import add_case

    add_case(run, decision, horizon=horizon, split=split, home=home, data_root=data_root, as_json=as_json)


@lab.command("optimise")
def lab_optimise(
    suite: Annotated[str, typer.Argument(help="A suite.")],
    variant: Annotated[str, typer.Option("--variant", metavar="MODEL", help="The desk whose prompt is improved.")],
    role: Annotated[str, typer.Option("--role", help="Whose prompt.")],
    reflection: Annotated[str, typer.Option("--reflection", metavar="MODEL", help="The model that rewrites it.")],
    name: Annotated[str, typer.Option("--name", help="The versions become ROLE/NAME.")] = "evolved",
    scorer: Annotated[str | None, typer.Option(help="The measure; the suite's own without it.")] = None,
    attempts: Annotated[int, typer.Option(min=10, help="How many attempts may be made.")] = 200,
    cases: Cases = None,
    seed: Seed = 0,
    cap_usd: BudgetUsd = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let GEPA rewrite a prompt on dev cases, and test the winner once on the held-out ones."""
    from arena.commands.optimising import Task, optimise_prompt

    task = Task(suite=suite, role=role, name=name, scorer=scorer, attempts=attempts, cases=cases, seed=seed)
    optimise_prompt(task, variant, reflection, cap_usd=cap_usd, home=home, data_root=data_root, as_json=as_json)


@lab.command("battle")
def lab_battle(
    variants: Annotated[list[str] | None, typer.Option("--variant", metavar="MODEL", help="Two desks or more.")] = None,
    suite: SuiteName = "decisions",
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How many duels.")] = 5,
    results: Annotated[bool, typer.Option("--results", help="Only show what the votes so far say.")] = False,
    seed: Seed = 0,
    cap_usd: BudgetUsd = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Vote between decisions of two unnamed desks on the same state; names are told afterwards."""
    from arena.commands.battle import fight, show_results

    if not results:
        fight(variants or [], suite, rounds, seed=seed, cap_usd=cap_usd, home=home, data_root=data_root)
    show_results(home=home, as_json=as_json)
