"""``tradefloor serve``: the arena page and the API on loopback, with a season trading live."""

import socket
from collections.abc import Sequence
from pathlib import Path

from arena.commands.output import say
from arena.meters import Meters
from arena.seasons.background import BackgroundSeason
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.seasons.rulefile import load_rules
from arena.services import Services
from arena.settings import CONFIG, Settings
from arena.tracing import tracing
from trading.domain.errors import ConfigError
from trading.risk import KillSwitch

DEMO = CONFIG / "seasons" / "demo.toml"
ROUND_S = 2.0
"""Wall seconds from one round to the next once the warm-up is over: slow enough to read along."""

WARMUP_ROUNDS = 168
"""Rounds played as fast as they go, so that a first look finds a week of trading."""

GOODBYE_S = 2
"""Wall seconds that open pages are given when the server stops."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def serve(
    season: Path | None,
    *,
    sets: Sequence[str],
    host: str | None,
    port: int | None,
    home: Path | None,
    data_root: Path | None,
) -> None:
    """Serve until stopped; the season goes on at the next start."""
    settings = Settings.load({"home": home, "data_root": data_root, "host": host, "port": port})
    if settings.host not in LOOPBACK:
        raise ConfigError(
            f"host {settings.host!r}: this version has no login, so it listens on loopback only; use 127.0.0.1"
        )
    floor = LiveFloor(KillSwitch(settings.home))
    meters = Meters()
    reception = Reception(snapshot=floor.snapshot, on_calls=meters.count_calls)
    background = BackgroundSeason(
        load_rules(season or DEMO, sets),
        settings,
        floor,
        round_s=ROUND_S,
        warmup_rounds=WARMUP_ROUNDS,
        reception=reception,
        meters=meters,
    )
    with tracing(settings), listen(settings) as listening:
        import uvicorn

        from arena.api.app import create_app

        app = create_app(
            Services(floor=floor, settings=settings, reception=reception, meters=meters, season=background)
        )
        config = uvicorn.Config(app, log_level=settings.log_level, timeout_graceful_shutdown=GOODBYE_S)
        background.start()
        say(f"Tradefloor is on http://{settings.host}:{settings.port} (Ctrl-C stops it; the season goes on next time)")
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # the server has closed by then and passes the signal on
            say("stopped; the season goes on next time")
        finally:
            background.stop()


def listen(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say. Raises ConfigError where it cannot."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise ConfigError(
            f"port {settings.port} on {settings.host}: {error.strerror}; stop what listens there or choose another "
            "with --port"
        ) from error


def demo_services() -> Services:
    """The demo season, trading in the background of this process."""
    settings = Settings.load()
    floor = LiveFloor(KillSwitch(settings.home))
    season = BackgroundSeason(load_rules(DEMO), settings, floor, round_s=ROUND_S, warmup_rounds=WARMUP_ROUNDS)
    season.start()
    return Services(floor=floor, settings=settings, season=season)
