"""A group of verbs that is a verb itself: words that are none of its own go to the one that stands for all."""

from typing import Any

from typer.core import TyperGroup


class WithDefault(TyperGroup):
    """``lab SUITE`` means ``lab run SUITE``: the first of :attr:`DEFAULTS` that the group has takes what is left."""

    DEFAULTS = ("run", "show")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default verb before words that begin with none of the group's own."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [next(name for name in self.DEFAULTS if name in self.commands), *args]
        return super().parse_args(ctx, args)
