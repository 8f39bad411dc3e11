"""Several desks answering one question at the same time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from agents.talk import Said
from arena.services import Services
from arena.ui.chat.answer import Answer
from arena.ui.chat.thread import heard_from, new_answer


async def answers_of(services: Services, desks: Sequence[str], question: str) -> AsyncGenerator[list[Answer]]:
    """The answers of ``desks`` so far, whenever something new was heard; all of them are over in the last.

    Closing it stops every desk's thinking.
    """
    answers = [new_answer(services, desk) for desk in desks]
    heard = asyncio.Queue[None]()

    async def listen(answer: Answer, desk: str) -> None:
        async with aclosing(heard_from(services, desk, [Said(by="user", text=question)])) as events:
            async for event in events:
                if event is not None:
                    answer.hear(event)
                heard.put_nowait(None)

    listeners = [asyncio.create_task(listen(answer, desk)) for answer, desk in zip(answers, desks, strict=True)]
    for listener in listeners:
        listener.add_done_callback(lambda _: heard.put_nowait(None))
    try:
        while not all(answer.is_over for answer in answers):
            yield answers
            await heard.get()
            while not heard.empty():
                heard.get_nowait()
            for listener in listeners:
                if listener.done():
                    listener.result()
        yield answers
    finally:
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
