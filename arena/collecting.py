"""When Python looks for garbage: seldom while a process starts, and never again among what the start has made.

A look at everything takes some tenths of a second once the libraries are loaded, and holds up whatever the process
does: desks, pages, a halt.
"""

import gc

_AT_ONCE = (20_000, 20, 50)
"""Objects made before a look at the newest ones, and looks before one at the older and at the oldest."""


def begin() -> None:
    """The process is this program's alone, from start to exit."""
    gc.set_threshold(*_AT_ONCE)


def settle() -> None:
    """The start is over: what there is now stays. Does nothing in a process of somebody else's."""
    if gc.get_threshold() == _AT_ONCE:
        gc.freeze()
