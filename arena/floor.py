"""What the web app needs of a season that trades: the latest snapshot, and the two switches a person holds."""

from typing import Protocol

from arena.seasons.snapshot import FloorSnapshot


class Floor(Protocol):
    """A season as pages see it. Called from many threads at once.

    ``snapshot`` is cheap and gives every viewer the same frozen object, or None before the first one. Whatever a page
    shows changes ``version``, a halt included. ``halt`` and ``resume`` return once the order is recorded; pages learn
    what came of it from the next snapshot.
    """

    def snapshot(self) -> FloorSnapshot | None:
        """The newest snapshot, or None where the season has not published one."""
        ...

    def halt(self, reason: str) -> None:
        """Stops trading until a person resumes it."""
        ...

    def resume(self, reason: str) -> None:
        """Lets trading go on."""
        ...
