"""What programs may call through Gradio's own clients: ask a desk, and read the standings. Nothing else is public."""

from typing import Any

import gradio as gr
from gradio.events import api

from agents.talk import Said
from arena.access import Role
from arena.services import Services
from arena.ui.acts import checked, shown_refusals
from arena.ui.chat.talking import AT_ONCE
from arena.ui.chat.thread import checked_question, heard_from, new_answer
from arena.ui.components.desk_card import ranked
from trading.domain.errors import RequestError

PUBLIC = ("ask", "standings")
"""The names of the public endpoints."""


def declare_endpoints(services: Services) -> None:
    """Declares them on the page that is being built."""

    async def ask(desk: str, question: str, request: gr.Request) -> str:
        """Ask a desk by its name, or with an empty name the floor's assistant. Nothing asked becomes an order."""
        with shown_refusals():
            checked(request, Role.VIEWER)
            said, answer = Said(by="user", text=checked_question(question)), new_answer(services, desk)
            async for event in heard_from(services, desk, [said]):
                if event is not None:
                    answer.hear(event)
            if answer.failure is not None:
                raise RequestError(answer.failure)
        return answer.text

    def standings(request: gr.Request) -> list[dict[str, Any]]:
        """The desks in rank order: returns and intervals are fractions, what is not known is null."""
        with shown_refusals():
            checked(request, Role.VIEWER)
            snapshot = services.floor.snapshot()
            if snapshot is None:
                raise RequestError("the season has not published anything yet; ask again soon")
        return [
            {
                "desk": desk.name,
                "kind": desk.kind,
                "rank": desk.rank,
                "rank_last": desk.rank_last,
                "tied_with": list(desk.tied_with),
                "equity": desk.equity,
                "return": desk.total_return,
                "return_ci95": None if desk.return_ci95 is None else list(desk.return_ci95),
                "max_drawdown": desk.max_drawdown,
                "as_of_ms": snapshot.as_of_ms,
                "market": snapshot.market,
            }
            for desk in ranked(snapshot.desks)
        ]

    api(ask, api_name="ask", concurrency_limit=AT_ONCE)
    api(standings, api_name="standings", queue=False)
