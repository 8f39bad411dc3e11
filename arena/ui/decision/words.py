"""The words behind a step: prompt, conversation, answer and tool results, each on demand; or the hash that is left."""

from collections.abc import Mapping, Sequence

from arena.traces import CallStep, Spoken, ToolStep, Trace
from arena.ui.components.disclosure import disclosure, quoted
from arena.ui.components.marks import chip
from arena.ui.components.markup import Html, element, join
from arena.ui.figures import NBSP, UNKNOWN, count, dollars, duration, number

PROMPT_CHARS = 20_000
RESULT_CHARS = 6_000
_OPENING = ("system", "developer", "user")


def role_words(trace: Trace, role: str, words: Mapping[str, Spoken], *, key: str) -> list[Html | None]:
    """Tool calls, answers and prompt of a role as disclosures."""
    calls = [call for call in trace.calls if call.role == role]
    tools = [tool for tool in trace.tools if tool.role == role]
    return [
        _tools(tools, _results(calls, words), key=f"{key}-t"),
        _answers(calls, words, key=f"{key}-a"),
        _prompt(trace, role, calls, words, key=f"{key}-p"),
    ]


def usage(calls: Sequence[CallStep], kind: str) -> str:
    """Tokens and money of some calls: ``n/a`` where any of them is unknown, ``no LLM`` for rules."""
    if kind != "llm":
        return "no LLM"
    spent = [call.usd for call in calls]
    return dollars(sum(one or 0.0 for one in spent), 4) if all(one is not None for one in spent) else UNKNOWN


def _results(calls: Sequence[CallStep], words: Mapping[str, Spoken]) -> list[str]:
    """What tools answered to a role, in order, over all of its turns."""
    found: list[str] = []
    before: tuple[object, ...] = ()
    for call in calls:
        spoken = words.get(call.cassette_key)
        if spoken is None:
            return []
        grown = spoken.messages[: len(before)] == before
        fresh = spoken.messages[len(before) :] if grown else spoken.messages
        found += [message.text for message in fresh if message.role == "tool"]
        before = spoken.messages
    return found


def _tools(tools: Sequence[ToolStep], results: Sequence[str], *, key: str) -> Html | None:
    if not tools:
        return None
    known = results if len(results) == len(tools) else [None] * len(tools)
    took = [tool.latency_ms for tool in tools if tool.latency_ms is not None]
    lines = [
        _tool(tool, result, key=f"{key}{place}") for place, (tool, result) in enumerate(zip(tools, known, strict=True))
    ]
    side = duration(sum(took)) if took else "time not measured"
    return disclosure(count(len(tools), "tool call", "tool calls"), side, *lines, key=key)


def _tool(tool: ToolStep, result: str | None, *, key: str) -> Html:
    took = UNKNOWN if tool.latency_ms is None else duration(tool.latency_ms)
    shown = quoted(result, RESULT_CHARS) if result is not None else _digest("Result", tool.result_sha256)
    arguments = "" if tool.arguments_json in ("", "{}") else tool.arguments_json
    title = f"{tool.tool}({arguments[:120]})" if tool.outcome == "ok" else f"{tool.tool}: {tool.outcome}"
    whole = quoted(arguments, RESULT_CHARS) if len(arguments) > 120 else None
    return disclosure(title, took, whole, shown, key=key)


def _answers(calls: Sequence[CallStep], words: Mapping[str, Spoken], *, key: str) -> Html:
    parts = [part for number_, call in enumerate(calls, start=1) for part in _call(call, words, number_, len(calls))]
    spoken = sum(call.cassette_key in words for call in calls)
    side = count(spoken, "answer", "answers") if spoken else "hashes only"
    return disclosure(f"What it answered ({len(calls)})", side, *parts, key=key)


def _call(call: CallStep, words: Mapping[str, Spoken], place: int, of: int) -> list[Html]:
    spoken = words.get(call.cassette_key)
    failed = None if call.outcome == "ok" else chip(call.outcome, "warn")
    took = UNKNOWN if call.latency_ms is None else duration(call.latency_ms)
    tokens = f"{number(call.tokens_in, 0)} in, {number(call.tokens_out, 0)} out"
    head = element(
        "p",
        element("b", f"Call {place} of {of}"),
        join([call.answered or call.substitute or call.model, f"{tokens}{NBSP}tokens", took], " · "),
        failed,
        class_="tf-call",
    )
    if spoken is None:
        return [head, _digest("Prompt", call.prompt_sha256)]
    if spoken.failure is not None:
        return [head, element("p", f"No answer: {spoken.failure}")]
    return [head, quoted(spoken.answer, PROMPT_CHARS)]


def _prompt(
    trace: Trace, role: str, calls: Sequence[CallStep], words: Mapping[str, Spoken], *, key: str
) -> Html | None:
    version = dict(trace.prompts).get(role)
    spoken = next((words[call.cassette_key] for call in calls if call.cassette_key in words), None)
    registered = _digest("Prompt file", version) if version else None
    if spoken is None:
        parts = [registered, *(_digest("Messages", call.prompt_sha256) for call in calls[:1])]
        return disclosure("Prompt", "hashes only", *parts, key=key) if any(parts) else None
    opening = [message for message in spoken.messages if message.role in _OPENING]
    shown = [
        part
        for message in opening
        for part in (element("p", element("b", message.role.capitalize())), quoted(message.text, PROMPT_CHARS))
    ]
    size = sum(len(message.text) for message in opening)
    return disclosure("Prompt", f"{number(size, 0)} characters", *shown, registered, key=key)


def _digest(what: str, sha256: str) -> Html:
    return element("p", f"{what}, SHA-256 ", element("span", sha256 or UNKNOWN, class_="tf-mono"), class_="tf-foot")
