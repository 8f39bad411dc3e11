"""``tradefloor data``: what is in candle files, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from arena.commands.output import print_json
from trading.domain.errors import RequestError
from trading.marketdata import check_files

_SUFFIXES = {".parquet", ".csv"}


def check(paths: Sequence[Path], *, as_json: bool) -> None:
    """Check files, and every candle file under folders; exit 1 when one is not ok."""
    files = list(_files(paths))
    if not files:
        raise RequestError(f"no Parquet or CSV file under {', '.join(map(str, paths))}")
    reports = check_files(files)
    if as_json:
        print_json({"files": [report.to_json() for report in reports]})
    else:
        for report in reports:
            row = report.to_json()
            words = "cannot be read"
            if row["rows"] is not None:
                words = f"{row['rows']} rows, {row['gaps']} gaps, {row['missing_bars']} bars missing"
            typer.echo(f"{'ok ' if row['ok'] else 'BAD'} {row['path']}  {words}")
            for problem in row["problems"][:5]:
                where = "" if problem["row"] is None else f"row {problem['row']}: "
                typer.echo(f"      {where}{problem['reason']}")
            if row["problem_count"] > 5:
                typer.echo(f"      and {row['problem_count'] - 5} more")
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
        elif path.exists():
            yield path
        else:
            raise RequestError(f"{path}: no such file or folder")
