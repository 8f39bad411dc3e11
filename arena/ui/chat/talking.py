"""The tab in which one viewer talks with one desk, or with the floor's assistant."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import gradio as gr

from arena.access import Role
from arena.services import Services
from arena.ui.acts import checked, shown_refusals
from arena.ui.chat.desk_now import chat_heading
from arena.ui.chat.sources import sources_panel
from arena.ui.chat.thread import MAX_QUESTION_CHARS, Thread, checked_question, heard_from, new_answer
from arena.ui.components.markup import Html
from arena.ui.live import LivePage

AT_ONCE = 16
"""Callbacks of one kind that may run at once; how many desks speak at once is the reception's to say."""

_NOTHING_ASKED = "Ask what a desk holds, why it traded, or what it expects. Nothing said here becomes an order."
_SEND = "(question, _, thread) => [question, window.tfChat.desk(), thread]"

Shown = tuple[list[Any], Any, Thread, Html, Any]


def build_talk(page: LivePage, used: gr.HTML) -> None:
    """The chat with its heading and its box; ``used`` shows what the newest answer rests on."""
    services = page.services
    with gr.Row(elem_classes="tf-panel-head tf-talk-bar"):
        page.addressed_html(
            partial(chat_heading, assistant=services.assistant.model if services.assistant is not None else None),
            elem_id="tf-talk-head",
            waiting="Desks can be asked once the season starts.",
        )
        fresh = gr.Button("New chat", elem_classes="tf-button", size="sm", min_width=0)
    chat = gr.Chatbot(
        label="Chat",
        show_label=False,
        container=False,
        elem_id="tf-chat",
        height="100%",
        layout="bubble",
        placeholder=_NOTHING_ASKED,
        feedback_options=None,
        buttons=[],
        latex_delimiters=[],
        allow_tags=False,
        allow_file_downloads=False,
    )
    thread, desk = gr.State(Thread()), gr.Textbox("", visible="hidden", container=False)
    with gr.Row(elem_id="tf-ask", elem_classes="tf-ask"):
        question = question_box("Ask about a trade, a limit or a plan", elem_id="tf-question")
        stop = gr.Button("Stop", elem_classes="tf-button", size="sm", min_width=0, visible=False)
        send = gr.Button("Send", elem_classes="tf-button tf-primary", size="sm", min_width=0)
    asked = gr.on(
        [send.click, question.submit],
        _converse(services),
        [question, desk, thread],
        [chat, question, thread, used, stop],
        js=_SEND,
        concurrency_limit=AT_ONCE,
        show_progress="hidden",
        trigger_mode="once",
        api_visibility="private",
    )
    stop.click(
        lambda: gr.update(visible=False),
        None,
        stop,
        cancels=[asked],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    fresh.click(
        _afresh,
        None,
        [chat, thread, used, stop],
        cancels=[asked],
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )


def question_box(placeholder: str, *, elem_id: str) -> gr.Textbox:
    """A line to ask in, sent with Enter."""
    return gr.Textbox(
        label=placeholder,
        show_label=False,
        placeholder=placeholder,
        container=False,
        max_length=MAX_QUESTION_CHARS,
        elem_id=elem_id,
        elem_classes="tf-question",
    )


def _converse(services: Services) -> Any:
    async def converse(question: str, desk: str, thread: Thread, request: gr.Request) -> AsyncGenerator[Shown]:
        with shown_refusals():
            checked(request, Role.VIEWER)
            asked = checked_question(question)
        answer = new_answer(services, desk)
        thread.ask(asked, answer)
        yield thread.messages(), "", thread, sources_panel(answer), gr.update(visible=True)
        async with aclosing(heard_from(services, desk, thread.conversation())) as heard:
            async for event in heard:
                if event is not None:
                    answer.hear(event)
                yield thread.messages(), gr.skip(), thread, sources_panel(answer), gr.update(visible=not answer.is_over)

    return converse


def _afresh() -> tuple[list[Any], Thread, Html, Any]:
    return [], Thread(), sources_panel(None), gr.update(visible=False)
