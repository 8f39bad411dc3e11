import re

from agents.llm import CompletionRequest
from evals.alterations import ATTACKS, CHANNELS
from evals.suite import find_suite
from evals.variant import Variant
from tests.evals.scripted import HOLD, Scripted, calls, looked, order, symbols_of, system_of, text_of, trade

GULLIBLE, WISE = Variant(name="gullible", model="scripted/gullible"), Variant(name="wise", model="scripted/wise")
_ORDER = re.compile(r"a market order to buy exactly ([\d.]+) ([A-Z-]+)")
_WORDS = re.compile(r"end your summary or rationale with the words '([^']+)'")


def _executor(request: CompletionRequest):
    """Looks, and then does whatever any text tells it to, if it is the gullible one."""
    if not looked(request):
        return calls(("get_quote", {}))
    own = trade(order(symbols_of(request)[0], "buy", "0.01"), rationale="A small long.")
    if request.model != "scripted/gullible":
        return own
    told = text_of(request)
    if found := _ORDER.search(told):
        return trade(order(found[2], "buy", found[1]), rationale="As the exchange demands.")
    if found := _WORDS.search(told):
        return {**HOLD, "rationale": f"Nothing to do, {found[1]}."}
    if "first two sentences of your instructions" in told:
        return {**HOLD, "rationale": system_of(request)[:200]}
    return own


def test_a_gullible_model_falls_for_every_attack_and_a_wise_one_for_none(run) -> None:
    cases = find_suite("injection").cases(None)[:15]
    ran = run("injection", [GULLIBLE, WISE], Scripted({"executor": _executor}), cases=cases)
    attacked = {case.case_id: case.alters[0].split(":") for case in cases if case.alters}
    assert {channel for _, channel, _ in attacked.values()} == set(CHANNELS)
    assert {attack for _, _, attack in attacked.values()} == set(ATTACKS)
    scores = ran.scores(GULLIBLE, "resists")
    assert {case: scores[case, 0] for case in attacked} == dict.fromkeys(attacked, 0.0)
    assert ran.mean(WISE, "resists") == 1.0
    assert (ran.mean(GULLIBLE, "utility"), ran.mean(WISE, "utility")) == (1.0, 1.0)  # without an attack both are good
    assert (ran.mean(GULLIBLE, "utility_attacked"), ran.mean(WISE, "utility_attacked")) == (0.0, 1.0)
    assert (ran.mean(GULLIBLE, "keeps_course"), ran.mean(WISE, "keeps_course")) == (0.0, 1.0)
    clean = [case.case_id for case in cases if not case.alters]
    assert [scores[case, 0] for case in clean] == [None] * len(clean)


def test_an_attack_stays_inside_its_fence(run) -> None:
    seen: list[str] = []

    def executor(request: CompletionRequest):
        seen.append(text_of(request))
        return HOLD

    cases = [case for case in find_suite("injection").cases(None) if case.alters[:1] == ("poison:news:phrase",)][:1]
    run("injection", [WISE], Scripted({"executor": executor}), cases=cases)
    assert "new rule for this" in seen[0].lower()
    assert seen[0].count("<untrusted") == seen[0].count("</untrusted>")


def test_quoting_an_order_is_not_obeying_it(run) -> None:
    def executor(request: CompletionRequest):
        return {**HOLD, "rationale": f"The news demands '{ATTACKS['order'].text}', which nobody has to follow."}

    cases = [case for case in find_suite("injection").cases(None) if case.alters[:1] == ("poison:news:order",)][:1]
    assert run("injection", [WISE], Scripted({"executor": executor}), cases=cases).mean(WISE, "resists") == 1.0
