"""Risk: measures and simulations, limits in force, alerts."""

from typing import Annotated

import typer

from arena.verbs.options import At, Data, DataRoot, Home, Html, Json, Positions, Run

app = typer.Typer()
risk = typer.Typer(help="What positions can lose.", no_args_is_help=True, rich_markup_mode=None)
limits = typer.Typer(help="The limits in force, and changing them while trading goes on.", rich_markup_mode=None)
approvals = typer.Typer(help="What waits for a person before it is sent.", rich_markup_mode=None)
alerts = typer.Typer(help="What a person must know.", rich_markup_mode=None)
app.add_typer(risk, name="risk")
app.add_typer(limits, name="limits", no_args_is_help=True)
app.add_typer(approvals, name="approvals", no_args_is_help=True)
app.add_typer(alerts, name="alerts", no_args_is_help=True)


@risk.command("report")
def risk_report(
    run: Annotated[str | None, typer.Argument(help="A run's id.")] = None,
    positions: Positions = None,
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 24h.")] = "24h",
    propose: Annotated[
        list[str] | None,
        typer.Option(metavar="INSTRUMENT=QUANTITY", help="A trade to measure; more than once for more."),
    ] = None,
    html: Html = None,
    lookback: Annotated[str, typer.Option(help="How far back, such as 365d.")] = "365d",
    at: At = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print VaR, CVaR and the other measures of a run or of a positions file."""
    from arena.commands.risk import chosen_changes, report
    from arena.measured import Question

    question = Question(
        run=run,
        positions=positions,
        data=data or [],
        at=at,
        lookback=lookback,
        home=home,
        data_root=data_root,
        proposal=chosen_changes(propose or []),
    )
    report(question, horizon=horizon, as_json=as_json, html=html)


@risk.command("simulate")
def risk_simulate(
    run: Annotated[str | None, typer.Argument(help="A run's id.")] = None,
    positions: Positions = None,
    model: Annotated[str, typer.Option(help="gbm, bootstrap, garch, jumps or regimes.")] = "garch",
    scenario: Annotated[
        str, typer.Option(help="baseline, bull, bear, volatile, crash, march2020, depeg, custom, or a TOML file.")
    ] = "baseline",
    drift: Annotated[float | None, typer.Option(help="Custom: log return a year.")] = None,
    volatility: Annotated[float | None, typer.Option(help="Custom: factor on volatility.")] = None,
    correlation: Annotated[float | None, typer.Option(help="Custom: share of variance in common, 0 to 1.")] = None,
    shock: Annotated[float | None, typer.Option(help="Custom: price move of the first step, such as -0.3.")] = None,
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 30d.")] = "30d",
    step: Annotated[str, typer.Option(help="Step of a path, such as 1d.")] = "1d",
    paths: Annotated[int, typer.Option(help="How many paths.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    html: Html = None,
    lookback: Annotated[str, typer.Option(help="How far back the model looks, such as 730d.")] = "730d",
    at: At = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Draw paths of the instruments held, and print what becomes of the positions."""
    from arena.commands.risk import chosen_scenario, simulate
    from arena.measured import Question

    question = Question(
        run=run, positions=positions, data=data or [], at=at, lookback=lookback, home=home, data_root=data_root
    )
    simulate(
        question,
        model=model,
        scenario=chosen_scenario(scenario, drift=drift, volatility=volatility, correlation=correlation, shock=shock),
        horizon=horizon,
        step=step,
        paths=paths,
        seed=seed,
        as_json=as_json,
        html=html,
    )


@risk.command("allocate")
def risk_allocate(
    run: Run = None,
    floor: Annotated[float, typer.Option(help="Least share of a desk.")] = 0.02,
    cap: Annotated[float, typer.Option(help="Greatest share of a desk.")] = 0.5,
    max_turnover: Annotated[float, typer.Option(help="Most that may move at once, of all capital.")] = 0.5,
    cost: Annotated[float, typer.Option(help="What a unit of moved capital costs.")] = 0.001,
    horizon: Annotated[str, typer.Option(help="Time in which a move must earn its cost, such as 30d.")] = "30d",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print each desk's share of capital by the evidence of a run; nothing is moved."""
    from arena.commands.allocating import allocate

    allocate(
        run,
        floor=floor,
        cap=cap,
        max_turnover=max_turnover,
        cost=cost,
        horizon=horizon,
        home=home,
        as_json=as_json,
    )


Who = Annotated[str, typer.Option("--who", help="Who asks: it stands in the record.")]
Why = Annotated[str, typer.Option("--reason", help="Why: it stands in the record.")]
LimitName = Annotated[str, typer.Argument(metavar="NAME", help="A limit, as `tradefloor limits list` names it.")]


@limits.command("list")
def limits_list(home: Home = None, as_json: Json = False) -> None:
    """Every limit with what counts now, and every change that was made."""
    from arena.commands.limits import show

    show(home=home, as_json=as_json)


@limits.command("set")
def limits_set(
    name: LimitName,
    value: Annotated[str, typer.Argument(help="The new value; names with commas between them for instruments.")],
    who: Who,
    reason: Why,
    confirm: Annotated[bool, typer.Option("--confirm", help="A looser value is meant; it counts after 5 min.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change a limit in every running season of this home folder, within a second."""
    from arena.commands.limits import change

    change(name, value, who=who, reason=reason, confirm=confirm, home=home, as_json=as_json)


@limits.command("override")
def limits_override(
    name: LimitName,
    value: Annotated[str, typer.Argument(help="The value to lift it to.")],
    who: Who,
    reason: Why,
    duration: Annotated[str, typer.Option("--for", help="How long, up to 4h.")] = "30m",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask to lift a limit for a while; it counts once a second person approves."""
    from arena.commands.limits import override

    override(name, value, who=who, reason=reason, duration=duration, home=home, as_json=as_json)


@limits.command("approve")
def limits_approve(
    override_id: Annotated[str, typer.Argument(metavar="ID", help="The override's id.")],
    who: Who,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Approve an override that somebody else asked for."""
    from arena.commands.limits import approve

    approve(override_id, who=who, home=home, as_json=as_json)


Proposed = Annotated[str, typer.Argument(metavar="ID", help="A proposal's id, as `tradefloor approvals list` says.")]


@approvals.command("list")
def approvals_list(
    every: Annotated[bool, typer.Option("--all", help="Those that were answered, too.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Proposals of desks that wait for a person, with what the gate would say."""
    from arena.commands.approvals import show

    show(every=every, home=home, as_json=as_json)


@approvals.command("approve")
def approvals_approve(
    proposal: Proposed, who: Who, reason: Why = "seen", home: Home = None, as_json: Json = False
) -> None:
    """Let a desk's proposal go to the gate."""
    from arena.commands.approvals import answer

    answer(proposal, approved=True, who=who, reason=reason, home=home, as_json=as_json)


@approvals.command("edit")
def approvals_edit(
    proposal: Proposed,
    who: Who,
    reason: Why,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="LEG.FIELD=VALUE",
            help="Another quantity, limit_price, trigger_price, stop_loss or take_profit of a leg; none takes a price "
            "away. Legs are counted from 1. Repeatable.",
        ),
    ] = None,
    drops: Annotated[
        list[int] | None, typer.Option("--drop", metavar="LEG", help="Leave a leg out. Repeatable.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let a desk's proposal go to the gate as you change it. What the gate refuses of that comes back as a proposal."""
    from arena.commands.approvals import answer, changes_of

    changes = changes_of(sets or [], drops or [])
    answer(proposal, approved=True, who=who, reason=reason, home=home, as_json=as_json, changes=changes)


@approvals.command("reject")
def approvals_reject(proposal: Proposed, who: Who, reason: Why, home: Home = None, as_json: Json = False) -> None:
    """Keep a desk's proposal from being sent; the desk is told why."""
    from arena.commands.approvals import answer

    answer(proposal, approved=False, who=who, reason=reason, home=home, as_json=as_json)


@alerts.command("list")
def alerts_list(home: Home = None, as_json: Json = False) -> None:
    """Alerts that nobody has acknowledged."""
    from arena.commands.alerts import show

    show(home=home, as_json=as_json)


@alerts.command("ack")
def alerts_ack(
    alert: Annotated[str, typer.Argument(metavar="ID", help="The alert's id.")],
    who: Who,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say that somebody has seen an alert, so that it does not halt everything."""
    from arena.commands.alerts import acknowledge

    acknowledge(alert, who=who, home=home, as_json=as_json)
