"""A live season in a process of its own, to be killed: ``python -m tests.arena.autonomous.live_child JSON``."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from arena import wiring
from arena.autonomous.alone import play_alone
from arena.seasons.rules import SeasonRules
from arena.seasons.runner import SeasonRun
from tests.arena.autonomous.live_floor import FastClock, settings_of, terms_of


def main() -> None:
    """Play on until the end of the season, or until it is killed."""
    told = json.loads(sys.argv[1])
    clock = FastClock(began_ms=told["began_ms"], zero_s=told["zero_s"])
    rules = SeasonRules.model_validate(told["rules"])
    settings = settings_of(Path(told["home"]), told["url"], max_live_notional=told["cap"])
    prepared = wiring.prepare(rules, settings)
    folder = wiring.open_run(prepared, settings)
    terms = terms_of(rules, settings, clock)

    def started(run: SeasonRun) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run.stop)

    ending = asyncio.run(play_alone(prepared, folder, settings, on_started=started, terms=terms))
    sys.stdout.write(ending.value)


if __name__ == "__main__":
    main()
