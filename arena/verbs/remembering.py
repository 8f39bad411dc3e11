"""What desks remember."""

from typing import Annotated

import typer

from arena.verbs.options import Home, Json, Run

app = typer.Typer()
memory = typer.Typer(help="What desks remember.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(memory, name="memory")


@memory.command("search")
def memory_search(
    text: Annotated[str, typer.Argument(help="Words to look for.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Nothing that became known at or after it is shown.")],
    run: Annotated[str | None, typer.Option("--run", help="One run; all of them without it.")] = None,
    desk: Annotated[str | None, typer.Option("--desk", help="One desk's memory.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many.")] = 5,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Find remembered decisions by their text, as they were known at an instant."""
    from arena.commands.memory import search

    search(text, as_of=as_of, run=run, desk=desk, count=count, home=home, as_json=as_json)


@memory.command("stats")
def memory_stats(run: Run = None, home: Home = None, as_json: Json = False) -> None:
    """Count what a run remembers, and check every item against its journal event; exit 1 when one was planted."""
    from arena.commands.memory import stats

    stats(run, home=home, as_json=as_json)


@memory.command("lessons")
def memory_lessons(
    run: Run = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The instant; the end of the run without it.")] = None,
    desk: Annotated[str | None, typer.Option("--desk", help="One desk's lessons.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print every rule that was tried, with its evidence and what became of it."""
    from arena.commands.memory import lessons

    lessons(run, as_of=as_of, desk=desk, home=home, as_json=as_json)


@memory.command("rebuild")
def memory_rebuild(
    run: Run = None,
    embedding: Annotated[str | None, typer.Option(help="hashing, minilm or litellm/MODEL; as it was without.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a run's memory anew from its journal; what was damaged is set aside. An interrupted one goes on."""
    from arena.commands.memory import rebuild

    rebuild(run, embedding=embedding, home=home, as_json=as_json)


@memory.command("compare")
def memory_compare(
    first: Annotated[str, typer.Argument(help="A run, such as the one with memory on.")],
    second: Annotated[str, typer.Argument(help="The same season with another memory.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print what memory did: two runs of one season paired, decision by decision and day by day."""
    from arena.commands.memory import compare

    compare(first, second, home=home, as_json=as_json)
