"""``tradefloor serve``: the arena page and the API, with a season trading live."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena import collecting
from arena.access import Door, People, door_for
from arena.access.door import LOOPBACK_NAMES
from arena.commands.output import say
from arena.meters import Meters
from arena.seasons.allowance import Allowance, AllowanceRules
from arena.seasons.background import BackgroundSeason
from arena.seasons.floor_mind import FloorMind
from arena.seasons.live import LiveFloor
from arena.seasons.reception import Reception
from arena.seasons.rulefile import load_rules
from arena.seasons.rules import SeasonRules
from arena.services import Services
from arena.settings import CONFIG, Settings
from arena.tickets.counter import Counter
from arena.traces import Transcripts
from arena.traces.archive import TraceArchive
from arena.tracing import tracing
from trading.domain.errors import ConfigError
from trading.risk import KillSwitch

DEMO = CONFIG / "seasons" / "demo.toml"
PERSON = "you"
"""The desk of the served demo that a person trades."""

ROUND_S = 2.0
"""Wall seconds from one round to the next once the warm-up is over: slow enough to read along."""

WARMUP_ROUNDS = 168
"""Rounds played as fast as they go, so that a first look finds a week of trading."""

GOODBYE_S = 2
"""Wall seconds that open pages are given when the server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What lets others in: names of this house, proxies that are believed, https before it, a login in any case."""

    allow_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    https: bool = False
    login: bool = False


def serve(
    season: Path | None,
    *,
    sets: Sequence[str],
    host: str | None,
    port: int | None,
    home: Path | None,
    data_root: Path | None,
    exposure: Exposure = Exposure(),
) -> None:
    """Serve until stopped; the season goes on at the next start."""
    settings = Settings.load({"home": home, "data_root": data_root, "host": host, "port": port})
    door = _door(settings, exposure)
    services, background = open_house(load_rules(season, sets) if season else demo_rules(sets), settings)
    with tracing(settings), listen(settings) as listening:
        import uvicorn

        from arena.api.app import create_app

        app = create_app(services, door)
        config = uvicorn.Config(
            app,
            log_level=settings.log_level,
            timeout_graceful_shutdown=GOODBYE_S,
            proxy_headers=bool(exposure.trusted_proxies),
            forwarded_allow_ips=list(exposure.trusted_proxies),
            server_header=False,
        )
        background.start()
        say(f"Tradefloor is on http://{settings.host}:{settings.port} (Ctrl-C stops it; the season goes on next time)")
        if settings.host not in LOOPBACK_NAMES and not (door.is_https or exposure.trusted_proxies):
            say("it speaks plain http, so passwords can be read on the way: put TLS before it, see docs/operations.md")
        collecting.settle()
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:  # the server has closed by then and passes the signal on
            say("stopped; the season goes on next time")
        finally:
            services.jobs.stop()
            background.stop()


def _door(settings: Settings, exposure: Exposure) -> Door:
    """The door that the settings ask for. Raises ConfigError where nobody could come in by it."""
    asks_login = settings.host not in LOOPBACK_NAMES or exposure != Exposure()
    if asks_login and not any(person.can_enter for person in People(settings.home).everyone()):
        raise ConfigError(
            f"host {settings.host!r} with these options asks for a login, and nobody has one: type `tradefloor access "
            "add NAME --role admin` first, or listen on 127.0.0.1 without options"
        )
    return door_for(
        settings.host,
        allow_hosts=exposure.allow_hosts,
        proxies=exposure.trusted_proxies,
        https=exposure.https,
        login=asks_login,
    )


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


def open_house(rules: SeasonRules, settings: Settings) -> tuple[Services, BackgroundSeason]:
    """All that is served, and its season, which has not begun. Raises what is wrong with the season."""
    floor = LiveFloor(KillSwitch(settings.home))
    meters, transcripts = Meters(), Transcripts()
    reception = Reception(snapshot=floor.snapshot, on_calls=meters.count_calls)
    assistant = _assistant(settings, reception, transcripts)
    counter = Counter(settings.home, floor.snapshot)
    season = BackgroundSeason(
        rules,
        settings,
        floor,
        round_s=ROUND_S,
        warmup_rounds=WARMUP_ROUNDS,
        reception=reception,
        meters=meters,
        transcripts=transcripts,
        counter=counter,
    )
    services = Services(
        floor=floor,
        settings=settings,
        reception=reception,
        assistant=assistant,
        meters=meters,
        season=season,
        transcripts=transcripts,
        counter=counter,
    )
    return services, season


def _assistant(settings: Settings, reception: Reception, transcripts: Transcripts) -> FloorMind | None:
    """The floor's assistant where a model is named for it. Raises ConfigError for one that cannot be asked."""
    if settings.assistant_model is None:
        return None
    rules = AllowanceRules(
        usd_a_day=settings.assistant_usd_a_day,
        tokens_a_day=settings.assistant_tokens_a_day,
        questions_a_minute=settings.assistant_questions_a_minute,
    )
    return FloorMind(
        model=settings.assistant_model,
        reception=reception,
        archive=TraceArchive(settings.home, transcripts),
        allowance=Allowance(rules=rules, complete=reception.complete),
    )


def demo_rules(sets: Sequence[str] = ()) -> SeasonRules:
    """The demo season as it is served: with one more desk, which whoever looks at it trades by hand."""
    return load_rules(DEMO, sets).with_person(PERSON)


def demo_services() -> Services:
    """The demo season, trading in the background of this process."""
    services, season = open_house(demo_rules(), Settings.load())
    season.start()
    return services
