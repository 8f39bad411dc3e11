"""Acts of people on pages: who is it, may they, and what is said where it did not work."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from arena.access import Caller, Forbidden, Role, caller_of
from trading.domain.errors import TradefloorError


def checked(request: gr.Request, role: Role) -> Caller:
    """Whoever sent ``request``. Raises Forbidden where they have less than ``role``."""
    behind = request.request
    if behind is None:
        raise Forbidden("the act came by no request, so nobody knows who asks")
    caller = caller_of(behind.scope)
    caller.check(role)
    return caller


@contextmanager
def shown_refusals() -> Iterator[None]:
    """What prevents an act is shown to the person who wanted it."""
    try:
        yield
    except TradefloorError as error:
        raise gr.Error(str(error), print_exception=False) from error
