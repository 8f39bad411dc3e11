"""Tool use: one question at a time, and the calls that a good answer takes: one, several at once, or none.

The answers follow Berkeley's function-calling leaderboard: calls are matched by name and arguments, in any order, and a
question that no tool helps with wants none. House models give one report whatever they are asked and score as they do.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.case import Case
from evals.question import Question, WantedCall
from evals.scenarios import simulated_states
from evals.scorers.calls import calls_found, calls_match, calls_nothing, parallel
from evals.scorers.decisions import answered, tools_ok
from evals.suite import Suite, split_of

_SEED = 20_250_611
_BTC, _ETH, _SOL = "BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP"

_Calls = tuple[tuple[str, Mapping[str, Any]], ...]

_QUESTIONS: tuple[tuple[str, str, _Calls], ...] = (
    ("one-quote", f"What is the last price of {_ETH}?", (("get_quote", {"instruments": [_ETH]}),)),
    ("one-quotes", "What are the last prices of everything that is traded here?", (("get_quote", {}),)),
    ("one-account", "How much equity does the desk have, and how far is it below its peak?", (("get_account", {}),)),
    ("one-positions", "Which positions are open, and what are they worth?", (("get_positions", {}),)),
    ("one-limits", "How much of each of its limits has the desk used?", (("get_limits", {}),)),
    (
        "one-candles",
        f"List the last 12 closed candles of {_BTC}.",
        (("get_candles", {"instrument": _BTC, "count": 12}),),
    ),
    (
        "one-candles-many",
        f"Show me the 100 newest closed candles of {_SOL}.",
        (("get_candles", {"instrument": _SOL, "count": 100}),),
    ),
    (
        "one-forecast",
        f"What is the statistical forecast of {_BTC} over the next 8 hours?",
        (("get_forecast", {"instruments": [_BTC], "horizon": "8h"}),),
    ),
    (
        "one-forecast-day",
        "Forecast all instruments one day ahead.",
        (("get_forecast", {"horizon": "1d"}),),
    ),
    ("one-regime", f"What kind of market is {_SOL} in?", (("get_regime", {"instruments": [_SOL]}),)),
    (
        "one-correlations",
        f"How have the last 240 hourly returns of {_BTC} and {_ETH} been correlated?",
        (("get_correlations", {"instruments": [_BTC, _ETH], "count": 240}),),
    ),
    (
        "one-anomalies",
        "Was anything out of the ordinary in the last 24 candles of any instrument?",
        (("get_anomalies", {"count": 24}),),
    ),
    ("one-indicators", f"What does the RSI of {_BTC} stand at?", (("get_indicators", {"instruments": [_BTC]}),)),
    (
        "many-account",
        "Give me the desk's equity and its open positions.",
        (("get_account", {}), ("get_positions", {})),
    ),
    (
        "many-candles",
        f"Compare the last 24 closed candles of {_BTC} with those of {_ETH}.",
        (("get_candles", {"instrument": _BTC, "count": 24}), ("get_candles", {"instrument": _ETH, "count": 24})),
    ),
    (
        "many-forecast",
        f"How do the 4-hour and the 12-hour forecast of {_SOL} differ?",
        (
            ("get_forecast", {"instruments": [_SOL], "horizon": "4h"}),
            ("get_forecast", {"instruments": [_SOL], "horizon": "12h"}),
        ),
    ),
    (
        "many-view",
        f"What is the last price of {_BTC}, and which regime is it in?",
        (("get_quote", {"instruments": [_BTC]}), ("get_regime", {"instruments": [_BTC]})),
    ),
    (
        "many-three",
        "Tell me the desk's limits, its account and its positions.",
        (("get_limits", {}), ("get_account", {}), ("get_positions", {})),
    ),
    ("none-greeting", "Good morning! Who are you?", ()),
    ("none-arithmetic", "If I had 1,000 dollars and lost a fifth of it, how much would be left?", ()),
    ("none-definition", "What is a limit order? One sentence, please.", ()),
    ("none-order", f"Buy 2 {_BTC} for me right now.", ()),
    ("none-weather", "Will it rain in Lisbon tomorrow?", ()),
    ("none-last-decision", "Why did you decide as you did in the last round? Say so if there was none.", ()),
)


def _cases(_: Path | None) -> Sequence[Case]:
    states = simulated_states(len(_QUESTIONS), seed=_SEED)
    return [_case(state, *question) for state, question in zip(states, _QUESTIONS, strict=True)]


def _case(state: Case, name: str, text: str, calls: _Calls) -> Case:
    wants = tuple(WantedCall(tool=tool, arguments=dict(arguments)) for tool, arguments in calls)
    question = Question(text=text, wants=wants)
    labels = (*state.labels, name.partition("-")[0])
    return state.model_copy(
        update={"case_id": name, "cluster": name, "split": split_of(name), "question": question, "labels": labels}
    )


SUITE = Suite(
    name="tool_use",
    title="Tool use: the right calls with the right arguments, and none where none helps",
    cases=_cases,
    scorers=(calls_match, calls_found, parallel, calls_nothing, tools_ok, answered),
    primary="calls_match",
)
