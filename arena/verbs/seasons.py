"""Playing seasons: run, serve, what came of them, and stopping."""

from pathlib import Path
from typing import Annotated

import typer

from arena.verbs.options import DataRoot, Home, Json, Run, Sets

app = typer.Typer()
journal = typer.Typer(help="The record of a run.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(journal, name="journal")


@app.command("run")
def run_season(
    season: Annotated[Path, typer.Argument(help="A season file, such as config/seasons/demo.toml.")],
    headless: Annotated[
        bool, typer.Option("--headless", help="By itself: a log file, a heartbeat file, a watchdog, alerts.")
    ] = False,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Play one round, list what would be sent, and record nothing.")
    ] = False,
    max_live_notional: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="What one live order may be worth, in the quote currency.")
    ] = None,
    cassette: Annotated[
        str | None,
        typer.Option(
            metavar="MODE[:PATH]", help="auto (record what is new), record (ask anew), replay (ask nobody) or off."
        ),
    ] = None,
    memory_mode: Annotated[
        str | None, typer.Option("--memory", metavar="MODE", help="on, off, or shuffled (the placebo of an ablation).")
    ] = None,
    approve: Annotated[
        str | None,
        typer.Option(metavar="all", help="A rehearsal of a conservative season: every proposal is approved unseen."),
    ] = None,
    data_root: DataRoot = None,
    sets: Sets = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run a season to its end and print the standings; an interrupted one goes on where it stopped."""
    from arena.commands.run import run

    run(
        season,
        sets=sets or [],
        home=home,
        data_root=data_root,
        as_json=as_json,
        cassette=cassette,
        memory=memory_mode,
        headless=headless,
        rehearse=rehearse,
        max_live_notional=max_live_notional,
        approve=approve,
    )


@app.command()
def serve(
    season: Annotated[Path | None, typer.Option("--season", help="The season to play; the demo without one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name this house is reached by; may be given again.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded-For and -Proto are believed; again for more."),
    ] = None,
    https: Annotated[bool, typer.Option("--https", help="Browsers come over https: cookies go nowhere else.")] = False,
    login: Annotated[bool, typer.Option("--login", help="Ask for a login on loopback, too.")] = False,
    data_root: DataRoot = None,
    sets: Sets = None,
    home: Home = None,
) -> None:
    """Serve the arena page and the API, with a season trading live on it. Off loopback it asks for a login."""
    from arena.commands.serve import Exposure
    from arena.commands.serve import serve as start

    exposure = Exposure(
        allow_hosts=tuple(allow_host or ()), trusted_proxies=tuple(trusted_proxy or ()), https=https, login=login
    )
    start(season, sets=sets or [], host=host, port=port, home=home, data_root=data_root, exposure=exposure)


@app.command("mcp")
def model_context(
    run: Annotated[str | None, typer.Option("--run", help="A run's id; the latest run without it.")] = None,
    desk: Annotated[str | None, typer.Option("--desk", help="Whose account to look at; the run's first desk.")] = None,
    allow_propose: Annotated[
        bool, typer.Option("--allow-propose", help="Let clients ask the gate what it would say; nothing is ever sent.")
    ] = False,
    http: Annotated[bool, typer.Option("--http", help="Listen on loopback, not on stdin.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on, with --http.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, with --http.")] = None,
    data_root: DataRoot = None,
    home: Home = None,
) -> None:
    """Serve the desks' tools over a run to a client of the Model Context Protocol."""
    from arena.commands.mcp import serve as start
    from arena.mcp.desk import Chosen

    chosen = Chosen(run=run, desk=desk, allow_propose=allow_propose)
    start(chosen, http=http, host=host, port=port, home=home, data_root=data_root)


@app.command()
def standings(run: Run = None, home: Home = None, as_json: Json = False) -> None:
    """Print the standings of a run."""
    from arena.commands.standings import show

    show(run, home=home, as_json=as_json)


@app.command()
def runs(home: Home = None, as_json: Json = False) -> None:
    """List the runs."""
    from arena.commands.runs import show

    show(home=home, as_json=as_json)


@app.command("replay")
def replay_decision(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION", help="A decision's id, as its page shows it.")],
    run: Annotated[str | None, typer.Option("--run", help="A run's id; the latest run without it.")] = None,
    cap_usd: Annotated[
        float, typer.Option("--cap-usd", min=0, max=100, help="What calls that are not recorded may cost together.")
    ] = 1.0,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask a decision again where it was made and compare the answers; nothing of it trades."""
    from arena.commands.replay import replay

    replay(decision_id, run=run, cap_usd=cap_usd, home=home, data_root=data_root, as_json=as_json)


@journal.command("verify")
def journal_verify(run: Run = None, home: Home = None, as_json: Json = False) -> None:
    """Check a run's hash chain and re-derive every account from its events."""
    from arena.commands.journal import verify

    verify(run, home=home, as_json=as_json)


@journal.command("export")
def journal_export(
    run: Run = None,
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")] = Path("export"),
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a run's journal as Parquet tables."""
    from arena.commands.journal import export

    export(run, to=to, home=home, as_json=as_json)


@journal.command("audit")
def journal_audit(
    run: Run = None,
    last: Annotated[int, typer.Option("--last", min=0, max=1000, help="How many time lines of orders to list.")] = 20,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show how long each step to a fill took, and slippage against decision and arrival price."""
    from arena.commands.trade_audit import audit

    audit(run, last=last, home=home, as_json=as_json)


@app.command()
def halt(
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "halted from the command line",
    flatten: Annotated[bool, typer.Option("--flatten", help="Close every position at the market, too.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Throw the kill switch: no order leaves any run of this home folder, running or not."""
    from arena.commands.halting import halt as throw

    throw(reason, flatten=flatten, home=home, as_json=as_json)


@app.command()
def resume(
    reason: Annotated[str, typer.Option("--reason", help="Why trading may go on.")],
    desk: Annotated[str | None, typer.Option("--desk", help="Only the breakers of this desk.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Clear the kill switch and tripped breakers."""
    from arena.commands.halting import resume as clear

    clear(reason, desk=desk, home=home, as_json=as_json)


@app.command()
def doctor(home: Home = None, data_root: DataRoot = None, as_json: Json = False) -> None:
    """Show every setting with its source, which models can be asked, and what is missing."""
    from arena.commands.doctor import examine

    examine(home=home, data_root=data_root, as_json=as_json)
