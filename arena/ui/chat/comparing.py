"""The tabs in which several desks answer one question: side by side, or two of them hidden until a vote."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import SystemRandom
from typing import Any

import gradio as gr

from arena.access import Role
from arena.battling import Duel, cast_vote, draw_duel, talk_ratings
from arena.evaluating import eval_folder
from arena.services import Services
from arena.ui.acts import checked, shown_refusals
from arena.ui.chat.answer import Answer
from arena.ui.chat.many import answers_of
from arena.ui.chat.side_by_side import AT_MOST, compared, desk_picker, duel_sheet, nothing_asked, votes_so_far
from arena.ui.chat.talking import AT_ONCE, question_box
from arena.ui.chat.thread import checked_question
from arena.ui.components.markup import Html
from arena.ui.live import LivePage
from trading.domain.clock import SystemClock
from trading.domain.errors import RequestError

_COMPARE = "(question, _) => [question, window.tfChat.ticked()]"
_VOTES = (("A is better", "1"), ("Same", "="), ("B is better", "2"))
_RANDOM = SystemRandom()

Fight = tuple[Duel, list[Answer]]


def build_compare(page: LivePage) -> None:
    """Two or three desks that are ticked, answering side by side."""
    services = page.services
    page.html(desk_picker, elem_id="tf-picker", waiting="Desks can be asked once the season starts.")
    sheet = _sheet("No question yet", "Every desk you tick answers the same question here, side by side.")
    ticked = gr.Textbox("", visible="hidden", container=False)
    with gr.Row(elem_classes="tf-ask"):
        question = question_box("Ask all of them", elem_id="tf-compare-question")
        send = gr.Button("Ask", elem_classes="tf-button tf-primary", size="sm", min_width=0)

    async def compare(asked: str, names: str, request: gr.Request) -> AsyncGenerator[tuple[Html, Any]]:
        with shown_refusals():
            checked(request, Role.VIEWER)
            text, desks = checked_question(asked), _picked(services, names)
        async with aclosing(answers_of(services, desks, text)) as heard:
            async for answers in heard:
                yield compared(text, answers, services.floor.snapshot()), ""

    gr.on(
        [send.click, question.submit],
        compare,
        [question, ticked],
        [sheet, question],
        js=_COMPARE,
        concurrency_limit=AT_ONCE,
        show_progress="hidden",
        trigger_mode="once",
        api_visibility="private",
    )


def build_battle(page: LivePage) -> None:
    """Two hidden desks answer; the vote reveals them and is kept."""
    services, folder = page.services, eval_folder(page.services.settings)
    sheet = _sheet("No question yet", "Two desks answer without their names. Your vote reveals them and is kept.")
    fight = gr.State(None)
    with gr.Row(elem_classes="tf-vote", visible=False) as voting:
        buttons = [gr.Button(text, elem_classes="tf-button", size="sm", min_width=0) for text, _ in _VOTES]
    with gr.Row(elem_classes="tf-ask"):
        question = question_box("Ask two hidden desks", elem_id="tf-battle-question")
        send = gr.Button("Ask", elem_classes="tf-button tf-primary", size="sm", min_width=0)
    page.clocked_html(lambda _snapshot, _now_ms: votes_so_far(*talk_ratings(folder)), elem_id="tf-votes")

    async def battle(asked: str, request: gr.Request) -> AsyncGenerator[tuple[Html, Any, Any, Fight | None]]:
        with shown_refusals():
            checked(request, Role.VIEWER)
            duel = draw_duel(services.floor.snapshot(), checked_question(asked), _RANDOM)
        yield duel_sheet(duel, [Answer(by="A"), Answer(by="B")], revealed=False), "", gr.update(visible=False), None
        answers: list[Answer] = []
        async with aclosing(answers_of(services, [desk.name for desk in duel.desks], duel.question)) as heard:
            async for answers in heard:
                yield duel_sheet(duel, answers, revealed=False), gr.skip(), gr.skip(), None
        both = all(answer.spoken is not None for answer in answers)
        yield gr.skip(), gr.skip(), gr.update(visible=both), (duel, answers) if both else None

    gr.on(
        [send.click, question.submit],
        battle,
        question,
        [sheet, question, voting, fight],
        concurrency_limit=AT_ONCE,
        show_progress="hidden",
        trigger_mode="once",
        api_visibility="private",
    )
    for button, (_, choice) in zip(buttons, _VOTES, strict=True):
        button.click(
            _voting(services, choice),
            fight,
            [sheet, voting, fight],
            concurrency_limit=AT_ONCE,
            show_progress="hidden",
            api_visibility="private",
        )


def _voting(services: Services, choice: str) -> Any:
    folder = eval_folder(services.settings)

    def vote(fight: Fight | None, request: gr.Request) -> tuple[Html, Any, None]:
        with shown_refusals():
            checked(request, Role.TRADER)
            if fight is None:
                raise RequestError("there is nothing to vote on; ask a question first")
            duel, answers = fight
            cast_vote(folder, duel, choice, now_ms=SystemClock().now_ms())
        return duel_sheet(duel, answers, revealed=True), gr.update(visible=False), None

    return vote


def _picked(services: Services, names: str) -> list[str]:
    """The ticked desks, by the lines of ``names``. Raises RequestError for none, too many, or one that is not there."""
    snapshot = services.floor.snapshot()
    known = {desk.name for desk in snapshot.desks} if snapshot is not None else set()
    picked = list(dict.fromkeys(name for name in names.splitlines() if name))
    strangers = [name for name in picked if name not in known]
    if strangers:
        raise RequestError(f"there is no desk {strangers[0][:60]!r}; tick desks of this floor")
    if not 2 <= len(picked) <= AT_MOST:
        raise RequestError(f"tick 2 to {AT_MOST} desks; found {len(picked)}")
    return picked


def _sheet(title: str, text: str) -> gr.HTML:
    return gr.HTML(nothing_asked(title, text), elem_classes="tf-answers", apply_default_css=False, padding=False)
