import pytest

from agents.llm import CompletionRequest
from evals.question import Question
from evals.scorers.calls import same_arguments
from evals.suite import find_suite
from evals.variant import Variant
from tests.evals.scripted import Scripted, calls, looked, text_of
from tools.registry import discover

CASES = find_suite("tool_use").cases(None)
SYMBOLS = CASES[0].market.symbols
PERFECT, SERIAL, EAGER = (Variant(name=name, model=f"scripted/{name}") for name in ("perfect", "serial", "eager"))


def _question(request: CompletionRequest) -> Question:
    asked = [case.question for case in CASES if case.question and case.question.text in text_of(request)]
    (question,) = asked
    return question


def _desk(request: CompletionRequest):
    wants = [(call.tool, call.arguments) for call in _question(request).wants]
    results = sum(message["role"] == "tool" for message in request.messages)
    match request.model:
        case "scripted/perfect":
            return calls(*wants) if wants and not looked(request) else "Here it is."
        case "scripted/serial":
            return calls(wants[results]) if results < min(len(wants), 3) else "Here it is."
        case _:
            return "Here it is." if looked(request) else calls(("get_account", {}), *wants)


def test_the_right_calls_match_and_needless_ones_do_not(run) -> None:
    ran = run("tool_use", [PERFECT, SERIAL, EAGER], Scripted({"desk": _desk}))
    assert ran.mean(PERFECT, "calls_match") == 1.0
    assert ran.mean(PERFECT, "parallel") == 1.0
    assert ran.mean(PERFECT, "calls_nothing") == 1.0
    assert ran.mean(SERIAL, "calls_match") == 1.0
    assert ran.mean(SERIAL, "parallel") == 0.0
    assert ran.mean(EAGER, "calls_found") == 1.0
    assert ran.mean(EAGER, "calls_match") == 0.0
    assert ran.mean(EAGER, "calls_nothing") == 0.0


def test_a_question_wants_what_the_tools_take() -> None:
    for case in CASES:
        assert case.question is not None
        for call in case.question.wants:
            discover()[call.tool].args.model_validate(call.arguments)
            assert same_arguments(call.tool, call.arguments, '{"count": 3}', SYMBOLS) == (
                call.arguments == {"count": 3}
            )


@pytest.mark.parametrize(
    ("tool", "wanted", "made", "same"),
    [
        ("get_quote", {}, "", True),
        ("get_quote", {}, "null", True),
        ("get_quote", {}, '{"instruments": ["SOL-USDT-PERP", "BTC-USDT-PERP", "ETH-USDT-PERP"]}', True),
        ("get_quote", {"instruments": ["BTC-USDT-PERP"]}, "{}", False),
        ("get_forecast", {"horizon": "1d"}, '{"horizon": "24h"}', True),
        ("get_forecast", {"horizon": "1d"}, '{"horizon": "1h"}', False),
        ("get_candles", {"instrument": "BTC-USDT-PERP", "count": 48}, '{"instrument": "BTC-USDT-PERP"}', True),
        (
            "get_candles",
            {"instrument": "BTC-USDT-PERP", "count": 12},
            '{"instrument": "BTC-USDT-PERP", "count": 13}',
            False,
        ),
        ("get_candles", {"instrument": "BTC-USDT-PERP"}, '{"instrument": ["BTC-USDT-PERP"]}', False),
        ("get_account", {}, '{"why": "so"}', False),
        ("get_account", {}, "{", False),
        ("get_crystal_ball", {}, "{}", False),
    ],
)
def test_calls_match_by_what_they_mean(tool: str, wanted: dict, made: str, same: bool) -> None:
    assert same_arguments(tool, wanted, made, SYMBOLS) is same


def test_a_silent_model_is_unscored_and_not_wrong(run) -> None:
    ran = run("tool_use", [PERFECT], Scripted({"desk": lambda request: ""}), cases=CASES[:3])
    assert ran.mean(PERFECT, "calls_match") is None
    assert ran.mean(PERFECT, "answered") == 0.0
