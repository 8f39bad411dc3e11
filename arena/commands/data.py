"""``tradefloor data check`` and ``list``: what is in candle files, what is wrong with it, and what is merely odd."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from arena.candles import candle_store, tick_store
from arena.commands.output import print_json, say
from arena.settings import Settings
from trading.domain.errors import RequestError
from trading.marketdata import FileReport, check_files

_SUFFIXES = {".parquet", ".csv"}
_LISTED = 5


def check(paths: Sequence[Path], *, home: Path | None, as_json: bool) -> None:
    """Check files, and every candle file under folders, or the whole store; exit 1 when one is not ok."""
    if not paths:
        settings = Settings.load({"home": home})
        stores = [candle_store(settings).root, tick_store(settings).root]
        paths = [root for root in stores if root.is_dir()]
        if not paths:
            raise RequestError(
                f"the store {stores[0]} is empty; fill it with `tradefloor data fetch` or `data import`, or name files"
            )
    files = list(_files(paths))
    if not files:
        raise RequestError(f"no Parquet or CSV file under {', '.join(map(str, paths))}")
    reports = check_files(files)
    if as_json:
        print_json({"files": [report.to_json() for report in reports]})
    else:
        for report in reports:
            _tell(report)
        _tell_all(reports)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def listing(*, home: Path | None, as_json: bool) -> None:
    """List what the store holds."""
    settings = Settings.load({"home": home})
    store, ticks = candle_store(settings), tick_store(settings)
    rows, refused = store.catalogue()
    tick_rows, tick_refused = ticks.catalogue()
    refused += tick_refused
    if as_json:
        print_json(
            {
                "store": str(store.root),
                "series": [row.to_json() for row in rows],
                "ticks": [row.to_json() for row in tick_rows],
                "refused": [{"path": str(each.path), "reason": each.reason} for each in refused],
            }
        )
        return
    if not rows and not tick_rows:
        typer.echo(f"nothing in {store.root}; fill it with `tradefloor data fetch` or `tradefloor data import`")
    for row in rows:
        entry = row.to_json()
        told = ", ".join(f"{each['source']} ({each['rows']:,})" for each in entry["origins"])
        typer.echo(
            f"{row.venue:<14} {row.path.stem:<24} {row.rows:>10,} bars  {entry['first']} .. {entry['last']}  "
            f"{row.gaps} gaps ({row.missing_bars:,} bars)  from {told}  {row.sha256[:12]}"
        )
    for tick_row in tick_rows:
        entry = tick_row.to_json()
        told = ", ".join(f"{each['source']} ({each['rows']:,})" for each in entry["origins"])
        typer.echo(
            f"{tick_row.venue:<14} {tick_row.symbol + ' ' + tick_row.kind:<24} {tick_row.rows:>10,} rows  "
            f"{entry['first']} .. {entry['last']}  {len(tick_row.covered)} spans without a break  "
            f"from {told}  {tick_row.sha256[:12]}"
        )
    for each in refused:
        say(f"{each.path}: {each.reason}")


def _tell(report: FileReport) -> None:
    row = report.to_json()
    sign = "ok " if row["ok"] else "BAD"
    if row["rows"] is None:
        typer.echo(f"{sign} {row['path']}  cannot be read")
    else:
        typer.echo(f"{sign} {row['path']}")
        typer.echo(f"      {row['rows']:,} rows, {row['first']} .. {row['last']}, {_gaps(row)}")
    for problem in row["problems"][:_LISTED]:
        where = "" if problem["row"] is None else f"row {problem['row']}: "
        typer.echo(f"      {where}{problem['reason']}")
    if row["problem_count"] > _LISTED:
        typer.echo(f"      and {row['problem_count'] - _LISTED} more")
    if row["refused_rows"]:
        typer.echo(f"      rows refused when they came: {row['refused_rows']:,}")
    if row["zero_volume"]:
        typer.echo(f"      bars without a trade: {row['zero_volume']:,} ({row['zero_volume'] / row['rows']:.2%})")
    if row["outliers"]:
        typer.echo(f"      spikes: {row['outliers']}, the largest {row['oddities'][0]['reason']}")


def _gaps(row: dict[str, Any]) -> str:
    if not row["gaps"]:
        return "no gap"
    share = row["missing_bars"] / (row["rows"] + row["missing_bars"])
    words = f"{row['gaps']:,} gaps, {row['missing_bars']:,} bars missing ({share:.2%})"
    if row["largest_gap_at"] is not None:
        words += f", the longest {row['largest_gap_bars']} bars from {row['largest_gap_at']}"
    return words


def _tell_all(reports: Sequence[FileReport]) -> None:
    """One line for all files together."""
    bad = sum(not report.ok for report in reports)
    rows = sum(report.quality.rows for report in reports if report.quality is not None)
    missing = sum(report.quality.missing_bars for report in reports if report.quality is not None)
    told = "all sound" if not bad else f"{bad} not ok"
    typer.echo(f"{len(reports)} files, {rows:,} rows, {missing:,} bars missing: {told}")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
        elif path.exists():
            yield path
        else:
            raise RequestError(f"{path}: no such file or folder")
