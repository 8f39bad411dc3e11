"""The state of the desk graph: plain JSON values only, so that checkpoints hold no class of ours."""

import operator
from dataclasses import fields
from typing import Annotated, Any, TypedDict

from trading.domain import ModelCall, ToolCall

Json = dict[str, Any]

_FIELDS = {kind: tuple(item.name for item in fields(kind)) for kind in (ModelCall, ToolCall)}


def first_failure(one: Json | None, other: Json | None) -> Json | None:
    """The failure that stands when analyst and forecaster both failed: the earlier one in the order of the roles."""
    return one or other


class DeskState(TypedDict, total=False):
    """What a decision is made of so far.

    ``analyst``, ``forecaster``, ``risk`` and ``executor`` are the answers. ``rulings`` pair intents with the gate's
    preview; ``superseded`` are those of the first proposal once it was revised, ``amended`` those of each proposal that
    a person changed. ``approvals`` are the answers of people. ``failure`` ends the round. ``dissent`` is what members
    of panels said otherwise.
    """

    needs_approval: bool
    analyst: Json | None
    forecaster: Json | None
    risk: Json | None
    executor: Json | None
    objection: str | None
    rulings: list[Json] | None
    superseded: list[Json] | None
    amended: Annotated[list[list[Json]], operator.add]
    approvals: Annotated[list[Json], operator.add]
    failure: Annotated[Json | None, first_failure]
    dissent: Annotated[list[Json], operator.add]
    path: Annotated[list[str], operator.add]
    model_calls: Annotated[list[Json], operator.add]
    tool_calls: Annotated[list[Json], operator.add]


def proposals_before(state: DeskState) -> list[list[Json]]:
    """The proposals of the decision before the one that stands, each as its rulings, oldest first."""
    revised = state.get("superseded")
    return [*([revised] if revised else []), *state.get("amended", ())]


def call_as_json(call: ModelCall | ToolCall) -> Json:
    """A recorded call as plain values."""
    return {name: getattr(call, name) for name in _FIELDS[type(call)]}
