"""Prompt optimisation by GEPA (Agrawal et al. 2025): a model rewrites one role's prompt, the suite decides what stays.

Cases of the dev split are divided into training and validation; the held-out split is the locked test, which the
optimiser never sees. Every text that is tried becomes a version of its own and is counted as a trial.
"""

import asyncio
import hashlib
import importlib
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.llm import Complete, CompletionRequest
from evals.case import Case
from evals.scoring import Scorer
from evals.variant import Variant
from prompts.library import add_version, text_of
from prompts.loader import USER_MARK, load_prompt
from trading.domain.errors import BudgetExceeded, ConfigError, RequestError

COMPONENT = "system"
AUTHOR = "gepa"

_REFLECTION_S = 180.0
_REFLECTION_TOKENS = 4_000
_VALIDATION = 0.4
_LONGEST_QUOTE = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A text on one case: the score in the scorer's unit, None without one, and what the optimiser is told of it."""

    case_id: str
    score: float | None
    asked: str
    answered: str
    remark: str


TryCases = Callable[[Variant, Sequence[Case]], Awaitable[list[Tried]]]
"""Tries a variant on cases and gives what came of each, in their order. Raises BudgetExceeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimised:
    """What came of it: the best version by validation, how many were tried, and why it stopped.

    ``validation`` holds the mean validation score of each version, in the sense in which more is better.
    """

    reference: str
    improved: bool
    candidates: tuple[str, ...]
    validation: Mapping[str, float]
    calls: int
    stopped: str


def divided(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Cases for training and for validation, by digest of their market day: days are never on both sides.

    Raises RequestError where either would be empty.
    """
    chosen = {case.cluster: _draw(case.cluster) < _VALIDATION for case in cases}
    train = [case for case in cases if not chosen[case.cluster]]
    validation = [case for case in cases if chosen[case.cluster]]
    if not train or not validation:
        raise RequestError(f"{len(cases)} dev cases are too few to divide into training and validation; allow more")
    return train, validation


async def optimise(
    base: Variant,
    role: str,
    name: str,
    *,
    cases: Sequence[Case],
    scorer: Scorer,
    try_cases: TryCases,
    reflect: Callable[[str], Awaitable[str]],
    most_calls: int,
    minibatch: int = 3,
    seed: int = 0,
) -> Optimised:
    """Improve the system text of ``role``'s prompt in ``base`` for at most ``most_calls`` attempts.

    Versions are published as ``role/name``. Raises ConfigError where GEPA is not installed, RequestError for too few
    cases or a scorer without a better side.
    """
    if scorer.rises is None:
        raise RequestError(f"scorer {scorer.name} knows no better or worse, so there is nothing to optimise")
    train, validation = divided(cases)
    bench = _Bench(
        base=base,
        role=role,
        name=name,
        scorer=scorer,
        try_cases=try_cases,
        reflect=reflect,
        loop=asyncio.get_running_loop(),
    )
    bench.versions[_digest(bench.seed_text)] = bench.seed_reference
    found = await asyncio.to_thread(_evolve, bench, train, validation, most_calls, minibatch, seed)
    means = {
        bench.reference_of(candidate[COMPONENT]): float(score)
        for candidate, score in zip(found.candidates, found.val_aggregate_scores, strict=True)
    }
    best = bench.reference_of(found.best_candidate[COMPONENT])
    return Optimised(
        reference=best,
        improved=best != bench.seed_reference,
        candidates=tuple(bench.versions.values()),
        validation=means,
        calls=bench.calls,
        stopped="the budget ran out" if bench.spent else f"{most_calls} attempts were allowed",
    )


def reflection_by(model: str, complete: Complete, *, seed: int) -> Callable[[str], Awaitable[str]]:
    """A reflection step by ``model``: free text, no tools."""

    async def reflect(asked: str) -> str:
        answer = await complete(
            CompletionRequest(
                model=model,
                messages=[{"role": "user", "content": asked}],
                tools=(),
                tool_choice="none",
                response_format={"type": "text"},
                seed=seed,
                timeout_s=_REFLECTION_S,
                prompt_sha256=_digest(asked),
                tools_sha256="",
                method="text",
                max_tokens=_REFLECTION_TOKENS,
                metadata={"role": "reflection", "desk": "lab"},
            )
        )
        return answer.content or ""

    return reflect


def _evolve(
    bench: "_Bench", train: list[Case], validation: list[Case], most_calls: int, minibatch: int, seed: int
) -> Any:
    try:
        gepa = importlib.import_module("gepa")
    except ImportError:
        raise ConfigError("lab optimise: GEPA is not installed; type `pip install 'tradefloor[evals]'`") from None
    return gepa.optimize(
        seed_candidate={COMPONENT: bench.seed_text},
        trainset=train,
        valset=validation,
        adapter=bench,
        reflection_lm=bench.reflect_now,
        reflection_minibatch_size=min(minibatch, len(train)),
        skip_perfect_score=False,
        max_metric_calls=most_calls,
        stop_callbacks=lambda _: bench.spent,
        logger=_Quiet(),
        seed=seed,
    )


class _Quiet:
    """GEPA tells its progress to whoever listens; nobody does."""

    def log(self, message: str) -> None:
        """Say nothing."""


@dataclass(slots=True)
class _Bench:
    """The adapter that GEPA asks: texts in, scores and traces out. It is called in a thread, the work is done in
    ``loop``."""

    base: Variant
    role: str
    name: str
    scorer: Scorer
    try_cases: TryCases
    reflect: Callable[[str], Awaitable[str]]
    loop: asyncio.AbstractEventLoop
    versions: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    spent: bool = False
    worst: float = 0.0
    propose_new_texts: None = None

    @property
    def seed_reference(self) -> str:
        """The version that the base desk has."""
        return self.base.team().agents[self.role].prompt.reference

    @property
    def seed_text(self) -> str:
        """Its system text."""
        return load_prompt(self.seed_reference).system

    def reference_of(self, system: str) -> str:
        """The version of a text, published now where it is new."""
        digest = _digest(system)
        if digest not in self.versions:
            head, _, rest = text_of(self.seed_reference).partition("+++\n")[2].partition("+++\n")
            user = rest.partition(USER_MARK)[2]
            whole = f"+++\n{head}+++\n{system.strip()}\n{USER_MARK}{user}"
            number = len(self.versions)
            made = add_version(
                f"{self.role}/{self.name}", whole, author=AUTHOR, message=f"candidate {number} of {self.seed_reference}"
            )
            self.versions[digest] = made.reference
        return self.versions[digest]

    def evaluate(self, batch: list[Case], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Scores of a text on a batch, more is better; a case without a score counts as the worst one seen."""
        batch_type = importlib.import_module("gepa.core.adapter").EvaluationBatch
        tried = self._tried(batch, candidate[COMPONENT])
        signed = [None if one.score is None else one.score * (1.0 if self.scorer.rises else -1.0) for one in tried]
        known = [score for score in signed if score is not None]
        self.worst = min([self.worst, *known])
        scores = [self.worst if score is None else score for score in signed]
        return batch_type(outputs=tried, scores=scores, trajectories=tried if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """What the reflecting model is shown of each case."""
        middle = statistics.median(eval_batch.scores) if eval_batch.scores else 0.0
        rows = [
            {
                "Inputs": one.asked[:_LONGEST_QUOTE],
                "Generated Outputs": one.answered[:_LONGEST_QUOTE],
                "Feedback": f"{one.remark} ({'above' if score > middle else 'not above'} the middle of this batch)",
            }
            for one, score in zip(eval_batch.trajectories or (), eval_batch.scores, strict=False)
        ]
        return dict.fromkeys(components_to_update, rows)

    def reflect_now(self, asked: Any) -> str:
        """The reflecting model's answer."""
        text = asked if isinstance(asked, str) else str(asked[-1]["content"])
        return asyncio.run_coroutine_threadsafe(self._reflected(text), self.loop).result()

    async def _reflected(self, text: str) -> str:
        return await self.reflect(text)

    def _tried(self, batch: Sequence[Case], system: str) -> list[Tried]:
        nothing = [Tried(case_id=case.case_id, score=None, asked="", answered="", remark="not tried") for case in batch]
        if self.spent:
            return nothing
        try:
            reference = self.reference_of(system)
        except ConfigError as error:  # a text with a slot in it, or an empty one, is a bad candidate
            return [Tried(case_id=one.case_id, score=None, asked="", answered="", remark=str(error)) for one in nothing]
        variant = self.base.model_copy(
            update={"name": reference, "prompts": {**self.base.prompts, self.role: reference}}
        )
        self.calls += len(batch)
        try:
            return asyncio.run_coroutine_threadsafe(self._all(variant, batch), self.loop).result()
        except BudgetExceeded:
            self.spent = True
            return nothing

    async def _all(self, variant: Variant, batch: Sequence[Case]) -> list[Tried]:
        return await self.try_cases(variant, batch)


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()


def _draw(text: str) -> float:
    return int(hashlib.sha256(f"validation|{text}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
