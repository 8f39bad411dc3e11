"""``tradefloor run --rehearse``: one round as it would be played now, with every order that would be sent."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import typer

from arena import wiring
from arena.commands.output import print_json, say
from arena.seasons.rules import SeasonRules
from arena.seasons.runner import SeasonRun
from arena.settings import Settings
from trading.domain.event import EventKind
from trading.domain.instants import from_ms, iso
from trading.domain.intent import style_words
from trading.storage.journal import read_verified
from trading.storage.runs import RunFolder, Runs

_ORDER = ("desk", "instrument", "side", "order_type", "quantity", "limit_price", "trigger_price", "client_order_id")
_WORKED = ("desk", "instrument", "side", "order_type", "quantity", "limit_price", "style", "window_s")


def rehearse(rules: SeasonRules, settings: Settings, *, as_json: bool) -> None:
    """Play the next round on the season's market in a folder that is thrown away; nothing is sent, nobody is asked."""
    if rules.market.is_streamed:
        rules = _from_now_on(rules)
    prepared = wiring.prepare(rules, settings)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Runs(Path(folder)).open(prepared.setup.season, prepared.content_sha256, {})
        asyncio.run(_play_one(prepared, scratch, settings))
        events = [stored.event() for stored in read_verified(scratch.journal)]
    orders = [event.payload for event in events if event.kind is EventKind.ORDERED]
    worked = [event.payload for event in events if event.kind is EventKind.WORK_STARTED]
    refused = [
        event.payload for event in events if event.kind is EventKind.RULED and event.payload["ruling"] == "refused"
    ]
    as_of = next(iso(event.ts_ms) for event in events if event.kind is EventKind.ROUND_OPENED)
    if as_json:
        rows = [{name: order.get(name) for name in _ORDER} for order in orders]
        wholes = [{name: row.get(name) for name in _WORKED} | {"parts": len(row["parts"])} for row in worked]
        print_json({"as_of": as_of, "orders": rows, "worked": wholes, "refused": refused})
        return
    say(f"rehearsal of {rules.season.name} at {as_of}: {len(orders)} orders would be sent, none was")
    for order in orders:
        typer.echo(_line(order))
    for row in worked:
        how = f"{style_words(row['style'], row['window_s'])} in {len(row['parts'])} parts"
        typer.echo(f"to be worked: {row['desk']} {row['side']} {row['quantity']} {row['instrument']}, {how}")
    for row in refused:
        typer.echo(f"refused by {row['rule']}: {row['desk']} {row['side']} {row['instrument']}: {row['message']}")


def _line(order: dict[str, Any] | Any) -> str:
    price = f" at {order['limit_price']}" if order.get("limit_price") else ""
    return (
        f"{order['desk']}: {order['side']} {order['quantity']} {order['instrument']}, {order['order_type']}{price}, "
        f"as {order['client_order_id']}"
    )


def _from_now_on(rules: SeasonRules) -> SeasonRules:
    """The season with its first round at the last instant that has passed, as if it began there, on paper."""
    from trading.domain.clock import SystemClock

    season, every = rules.season, rules.season.every_ms
    start_ms = SystemClock().now_ms() // every * every
    times = {"start": from_ms(start_ms), "end": max(season.end, from_ms(start_ms + every))}
    return rules.model_copy(
        update={
            "season": season.model_copy(update=times),
            "market": rules.market.model_copy(update={"kind": "paper"}),
        }
    )


async def _play_one(prepared: wiring.Prepared, folder: RunFolder, settings: Settings) -> None:
    run: SeasonRun | None = None

    def stop_after(_index: int) -> None:
        assert run is not None, "a round is played by a run"
        run.stop()

    from arena.autonomous.paced_market import Pacing
    from arena.autonomous.paper import exchange_market

    market = None
    if prepared.rules.market.is_streamed:
        pacing = Pacing(grace_ms=prepared.setup.every_ms)
        market = exchange_market(prepared.rules, settings, pacing=pacing)
    async with wiring.season_run(
        prepared, folder, settings, watch=lambda *_: stop_after, open_market=market, approve_all=True
    ) as playable:
        run = playable.run
        await playable.play()
