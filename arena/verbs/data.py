"""What is known of the market: candles, features, regimes, and that nothing looks ahead."""

from pathlib import Path
from typing import Annotated

import typer

from arena.verbs.options import At, Data, DataRoot, Home, Json, Venue

app = typer.Typer()
data = typer.Typer(help="Candles: in, out, and what is wrong with them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data, name="data")


@data.command("check")
def data_check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Candle and funding files, or folders of them; the store without any.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check files row by row; exit 1 when one is not ok."""
    from arena.commands.data import check

    check(paths or [], home=home, as_json=as_json)


@data.command("list")
def data_list(home: Home = None, as_json: Json = False) -> None:
    """List what the store under the home folder holds."""
    from arena.commands.data import listing

    listing(home=home, as_json=as_json)


@data.command("import")
def data_import(
    paths: Annotated[list[Path], typer.Argument(help="Parquet, CSV, feather or JSON files, or folders of them.")],
    venue: Annotated[str | None, typer.Option(help="Where they are from; the folder's name without it.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Such as BTC-USDT; the file's name without it.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Such as 1h; the file's name without it.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out, and count them.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take candle files into the store: ours, freqtrade's, dumps of exchanges."""
    from arena.commands.data_import import Wanted, bring_in

    wanted = Wanted(venue=venue, instrument=instrument, timeframe=timeframe, skip_bad=skip_bad)
    bring_in(paths, wanted, home=home, as_json=as_json)


@data.command("fetch")
def data_fetch(
    venue: Annotated[str, typer.Argument(help="An exchange by its ccxt id, such as binance.")],
    instruments: Annotated[list[str], typer.Argument(help="Such as BTC-USDT or BTC-USDT-PERP.")],
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    since: Annotated[str | None, typer.Option(help="From when; on from the last stored bar without it.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to when; now without it.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask for what was fetched before, too.")] = False,
    endpoint: Annotated[str | None, typer.Option(help="Another address of the exchange, such as a proxy.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fetch candles of an exchange into the store; interrupted, it goes on where it stopped."""
    from arena.commands.data_fetch import Order, bring_in

    order = Order(
        venue=venue,
        instruments=instruments,
        timeframe=timeframe,
        since=since,
        until=until,
        endpoint=endpoint,
        again=again,
    )
    bring_in(order, home=home, as_json=as_json)


@data.command("record")
def data_record(
    venue: Annotated[str, typer.Argument(help="An exchange by its ccxt id, such as binance.")],
    instruments: Annotated[list[str], typer.Argument(help="Such as BTC-USDT or BTC-USDT-PERP.")],
    timeframe: Annotated[str, typer.Option(help="Length of the bars that are kept beside.")] = "1m",
    duration: Annotated[
        str | None, typer.Option("--for", help="How long, such as 90s or 6h; until ^C without.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Another address of the exchange, such as a proxy.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write down what an exchange streams: trades, best levels, funding, open interest and closed bars."""
    from arena.commands.data_record import Order, write_down

    order = Order(venue=venue, instruments=instruments, timeframe=timeframe, duration=duration, endpoint=endpoint)
    write_down(order, home=home, as_json=as_json)


@app.command()
def features(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    at: Annotated[str, typer.Option("--at", help="The close of a bar, ISO 8601 with zone.")],
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    venue: Venue = None,
    ticks: Annotated[Path | None, typer.Option(help="Folder of ticks; the store's own without --data.")] = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print the feature vector of an instrument at an instant."""
    from arena.commands.features import Asked, show

    asked = Asked(instrument=instrument, timeframe=timeframe, at=at, venue=venue, ticks=ticks, data=data or [])
    show(asked, home=home, data_root=data_root, as_json=as_json)


@app.command()
def regime(
    instrument: Annotated[str, typer.Argument(help="Such as BTC-USDT.")],
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    at: At = None,
    venue: Venue = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Print what kind of market an instrument is in: bull, bear, ranging or volatile, with probabilities."""
    from arena.commands.regime import show

    show(
        instrument,
        timeframe=timeframe,
        at=at,
        venue=venue,
        data=data or [],
        home=home,
        data_root=data_root,
        as_json=as_json,
    )


@app.command()
def lookahead(
    instrument: Annotated[str | None, typer.Argument(help="Such as BTC-USDT; the only one without it.")] = None,
    timeframe: Annotated[str, typer.Option(help="Length of a bar.")] = "1h",
    features: Annotated[
        str, typer.Option(metavar="PATTERN", help="Names to check, such as 'rsi_*' or 'regime_*'; all without it.")
    ] = "*",
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Instants to recompute at.")] = 20,
    bars: Annotated[int, typer.Option(min=2, max=1_000_000, help="Newest bars to look at.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the instants and of the poisoned futures.")] = 0,
    at: At = None,
    venue: Venue = None,
    data: Data = None,
    data_root: DataRoot = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Recompute features, regimes and anomalies without the bars that came later; exit 1 when a value moves."""
    from arena.commands.lookahead import Check, check

    asked = Check(pattern=features, samples=samples, bars=bars, seed=seed)
    check(
        instrument,
        asked,
        timeframe=timeframe,
        at=at,
        venue=venue,
        data=data or [],
        home=home,
        data_root=data_root,
        as_json=as_json,
    )
