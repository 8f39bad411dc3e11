"""A paper season in a process of its own, to be killed: ``python -m tests.arena.autonomous.killed HOME ROUNDS``."""

import asyncio
import sys
from pathlib import Path

from tests.arena.autonomous.followed import Follower, rules_of


def main() -> None:
    """Play, saying each round when it is closed."""
    follower = Follower(rules_of(rounds=int(sys.argv[2])), Path(sys.argv[1]))

    def told(index: int) -> None:
        sys.stdout.write(f"{index}\n")
        sys.stdout.flush()

    asyncio.run(follower.play(told))


if __name__ == "__main__":
    main()
