"""``tradefloor journal audit``: the way from market event to fill, by desk and venue, and the latest orders."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from arena.commands.journal import find_run
from arena.commands.output import print_json
from trading.domain.instants import iso
from trading.execution.trade_audit import SLIPPAGES, STAGES, OrderLine, TradeAudit
from trading.storage.journal.reader import read_events
from trading.storage.journal.telemetry import read_latencies


def audit(run_id: str | None, *, last: int, home: Path | None, as_json: bool) -> None:
    """Fold the run's journal into its trade audit and print it."""
    run = find_run(run_id, home)
    thinking = read_latencies(run.telemetry, "decision")
    found = TradeAudit(last=last, thinking=thinking.get)
    for stored in read_events(run.journal):
        found.apply(stored.event())
    if as_json:
        orders = [_row(line) for line in found.lines]
        print_json({"run_id": run.run_id, "desks": found.summary(), "orders": orders})
        return
    for group in found.summary():
        typer.echo(
            f"{group['desk']} on {group['venue']}: {group['orders']} orders, {group['fills']} fills, "
            f"{group['unfilled']} ended unfilled"
        )
        for name in STAGES:
            typer.echo(f"  {name:<16}{_text(group['stages'][name])}")
        for name in SLIPPAGES:
            typer.echo(f"  {name:<16}{_text(group['slippage'][name])}")
    for line in found.lines:
        typer.echo(_sentence(line))


def _row(line: OrderLine) -> dict[str, Any]:
    return asdict(line)


def _text(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return "not measured"
    return f"p50 {figures['p50']:.4g}  p95 {figures['p95']:.4g}  p99 {figures['p99']:.4g}  max {figures['max']:.4g}"


def _sentence(line: OrderLine) -> str:
    steps = [f"decided {iso(line.decided_ms)}", f"sent {iso(line.sent_ms)}"]
    if line.acknowledged_ms is not None:
        steps.append(f"arrived {iso(line.acknowledged_ms)}")
    if line.filled_ms is not None:
        steps.append(f"filled {iso(line.filled_ms)}")
    cost = ", ".join(f"{name.removesuffix('_bps')} {value:+.2f} bps" for name, value in line.slippage_bps.items())
    end = line.ended or "open"
    return f"{line.desk} {line.side} {line.instrument}: {', '.join(steps)}; {end}{'; ' + cost if cost else ''}"
