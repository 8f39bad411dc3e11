"""The command line: every verb, thin. A verb's own module is imported when the verb is called."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from arena.commands.output import INTERRUPTED, say
from arena.env_file import load_env_file
from trading.domain.errors import TradefloorError

app = typer.Typer(
    name="tradefloor",
    help="An arena in which language models trade. Every verb takes --json and --home; see `tradefloor VERB --help`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
journal = typer.Typer(help="The record of a run.", no_args_is_help=True, rich_markup_mode=None)
data = typer.Typer(help="Candle files.", no_args_is_help=True, rich_markup_mode=None)
risk = typer.Typer(help="What positions can lose.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(journal, name="journal")
app.add_typer(data, name="data")
app.add_typer(risk, name="risk")

Home = Annotated[Path | None, typer.Option("--home", help="Folder of runs and data [env TRADEFLOOR_HOME].")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
DataRoot = Annotated[
    Path | None, typer.Option("--data-root", help="Folder the season's paths are relative to [env TRADEFLOOR_DATA].")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the season file.")
]
Run = Annotated[str | None, typer.Argument(help="A run's id; the latest run without one.")]
Positions = Annotated[Path | None, typer.Option("--positions", help="A JSON file of cash and positions, not a run.")]
Data = Annotated[list[str] | None, typer.Option("--data", metavar="GLOB", help="Candle files; may be given again.")]
At = Annotated[str | None, typer.Option("--at", help="Instant to look from; the last one known without it.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options before the verb."""
    from arena.settings import Settings

    level = "debug" if debug else Settings.load().log_level
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("tradefloor").setLevel(level.upper())


@app.command("run")
def run_season(
    season: Annotated[Path, typer.Argument(help="A season file, such as config/seasons/demo.toml.")],
    headless: Annotated[bool, typer.Option("--headless", help="No page; the default, said aloud.")] = False,
    cassette: Annotated[
        str | None,
        typer.Option(
            metavar="MODE[:PATH]", help="auto (record what is new), record (ask anew), replay (ask nobody) or off."
        ),
    ] = None,
    data_root: DataRoot = None,
    sets: Sets = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run a season to its end and print the standings; an interrupted one goes on where it stopped."""
    from arena.commands.run import run

    run(season, sets=sets or [], home=home, data_root=data_root, as_json=as_json, cassette=cassette)


@app.command()
def serve(
    season: Annotated[Path | None, typer.Option("--season", help="The season to play; the demo without one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_root: DataRoot = None,
    sets: Sets = None,
    home: Home = None,
) -> None:
    """Serve the arena page and the API, with a season trading live on it."""
    from arena.commands.serve import serve as start

    start(season, sets=sets or [], host=host, port=port, home=home, data_root=data_root)


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


@data.command("check")
def data_check(
    paths: Annotated[list[Path], typer.Argument(help="Candle and funding files, or folders of them.")],
    as_json: Json = False,
) -> None:
    """Check files row by row; exit 1 when one is not ok."""
    from arena.commands.data import check

    check(paths, as_json=as_json)


@app.command()
def features(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    at: Annotated[str, typer.Option("--at", help="The close of a bar, ISO 8601 with zone.")],
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print the feature vector of an instrument at an instant."""
    from arena.commands.features import show

    show(instrument, timeframe=timeframe, at=at, data=data or [], home=home, data_root=data_root, as_json=as_json)


@risk.command("report")
def risk_report(
    run: Annotated[str | None, typer.Argument(help="A run's id.")] = None,
    positions: Positions = None,
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 24h.")] = "24h",
    lookback: Annotated[str, typer.Option(help="How far back, such as 365d.")] = "365d",
    at: At = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print VaR, CVaR and the other measures of a run or of a positions file."""
    from arena.commands.risk import report
    from arena.measured import Question

    question = Question(
        run=run, positions=positions, data=data or [], at=at, lookback=lookback, home=home, data_root=data_root
    )
    report(question, horizon=horizon, as_json=as_json)


@risk.command("simulate")
def risk_simulate(
    run: Annotated[str | None, typer.Argument(help="A run's id.")] = None,
    positions: Positions = None,
    model: Annotated[str, typer.Option(help="gbm, bootstrap, garch, jumps or regimes.")] = "garch",
    scenario: Annotated[
        str, typer.Option(help="baseline, bull, bear, volatile, crash, march2020, depeg or custom.")
    ] = "baseline",
    drift: Annotated[float | None, typer.Option(help="Custom: log return a year.")] = None,
    volatility: Annotated[float | None, typer.Option(help="Custom: factor on volatility.")] = None,
    correlation: Annotated[float | None, typer.Option(help="Custom: share of variance in common, 0 to 1.")] = None,
    shock: Annotated[float | None, typer.Option(help="Custom: price move of the first step, such as -0.3.")] = None,
    horizon: Annotated[str, typer.Option(help="How far ahead, such as 30d.")] = "30d",
    step: Annotated[str, typer.Option(help="Step of a path, such as 1d.")] = "1d",
    paths: Annotated[int, typer.Option(help="How many paths.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
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
    )


@app.command()
def halt(
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "halted from the command line",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Throw the kill switch: no order leaves any run of this home folder, running or not."""
    from arena.commands.halting import halt as throw

    throw(reason, home=home, as_json=as_json)


@app.command()
def resume(
    reason: Annotated[str, typer.Option("--reason", help="Why trading may go on.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Clear the kill switch and tripped breakers."""
    from arena.commands.halting import resume as clear

    clear(reason, home=home, as_json=as_json)


@app.command()
def doctor(home: Home = None, data_root: DataRoot = None, as_json: Json = False) -> None:
    """Show every setting with its source, which models can be asked, and what is missing."""
    from arena.commands.doctor import examine

    examine(home=home, data_root=data_root, as_json=as_json)


def main() -> NoReturn:
    """Run the command line; every error is one line on stderr and has its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, with files closed and a word said
    sys.exit(guarded(_answer, debug="--debug" in sys.argv))


def _answer() -> Any:
    load_env_file()
    return app(standalone_mode=False)


def guarded(call: Callable[[], Any], *, debug: bool) -> int:
    """Call, and answer the exit code. Whatever goes wrong is one line on stderr; with ``debug``, a traceback."""
    try:
        answer = call()
    except typer.TyperException as error:
        return _misused(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        answer = INTERRUPTED
    except Exception as error:  # the border of the process
        if debug:
            raise
        return _failed(error)
    if answer == INTERRUPTED:  # Typer makes this number of a KeyboardInterrupt, and so do we
        say("tradefloor: interrupted")
    return answer if isinstance(answer, int) else 0


def _misused(words: str) -> int:
    if "\n" in words:  # a verb that was left out: the words are the page of help
        typer.echo(words, err=True)
    else:
        say(f"tradefloor: {words.rstrip('.')}; `tradefloor --help` lists what there is")
    return 2


def _failed(error: Exception) -> int:
    match error:
        case TradefloorError():
            say(f"tradefloor: {error}")
            return error.exit_code
        case BrokenPipeError():  # whoever read our output has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        case OSError():
            say(f"tradefloor: {error.filename or 'input or output'}: {error.strerror or error}")
            return 2
        case _:
            say(f"tradefloor: an error of ours, {type(error).__name__}: {error}; `tradefloor --debug ...` shows where")
            return 1


if __name__ == "__main__":
    main()
