"""The command line: its verbs, its errors and its exit codes."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from arena import collecting
from arena.commands.output import INTERRUPTED, say
from arena.env_file import load_env_file
from arena.verbs import (
    access,
    data,
    evaluation,
    forecasting,
    laboratory,
    ordering,
    prompting,
    remembering,
    risk,
    seasons,
)
from trading.domain.errors import TradefloorError

app = typer.Typer(
    name="tradefloor",
    help="An arena in which language models trade. Every verb takes --json and --home; see `tradefloor VERB --help`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verbs in (
    seasons,
    data,
    forecasting,
    remembering,
    risk,
    ordering,
    evaluation,
    prompting,
    laboratory,
    access,
):
    app.add_typer(verbs.app)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options before the verb."""
    from arena.settings import Settings

    level = "debug" if debug else Settings.load().log_level
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("tradefloor").setLevel(level.upper())


def main() -> NoReturn:
    """Run the command line; every error is one line on stderr and has its exit code."""
    collecting.begin()
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
