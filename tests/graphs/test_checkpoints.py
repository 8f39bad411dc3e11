"""The own saver: a decision in flight survives the process, and nothing is left once its round is on record."""

import asyncio

import pytest

from agents.llm import complete
from graphs import DeskGraph
from graphs.checkpoints import open_checkpoints
from tests.agents.staging import seat, team
from trading.domain import DecisionStatus

pytestmark = pytest.mark.asyncio


async def test_complete_decision_is_kept_until_it_is_forgotten(stage, tmp_path):
    path = tmp_path / "checkpoints.sqlite"
    with open_checkpoints(path) as checkpoints:
        first = await DeskGraph(checkpoints, "exit").decide(team("staged/x"), seat())
        assert checkpoints.has("t-200")
        assert not checkpoints.has("t-201")
    asked = len(stage.heard)
    with open_checkpoints(path) as checkpoints:
        again = await DeskGraph(checkpoints, "exit").decide(team("staged/x"), seat())
        assert len(stage.heard) == asked
        assert again.intents == first.intents
        assert again.model_calls == first.model_calls
        checkpoints.forget()
        await DeskGraph(checkpoints, "exit").decide(team("staged/x"), seat())
    assert len(stage.heard) == 2 * asked


async def test_decision_cut_off_half_way_goes_on_after_a_restart(stage, tmp_path):
    reached = asyncio.Event()

    async def hangs_at_executor(request):
        if request.metadata["role"] == "executor":
            reached.set()
            await asyncio.sleep(60)
        return await complete(request)

    path = tmp_path / "checkpoints.sqlite"
    with open_checkpoints(path) as checkpoints:
        graph = DeskGraph(checkpoints, "sync", hangs_at_executor)
        task = asyncio.create_task(graph.decide(team("staged/x"), seat()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with open_checkpoints(path) as checkpoints:
        decision = await DeskGraph(checkpoints, "sync").decide(team("staged/x"), seat())
    assert decision.status is DecisionStatus.ACTED
    assert [len(stage.asked(name)) for name in ("analyst_report", "forecaster_report", "risk_report")] == [1, 1, 1]
