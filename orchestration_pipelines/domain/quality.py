"""What the policy asks of automatic decisions, and what the answers of blind reviews say about a cell of the grid.

A cell is the rule (or rules) of the table that decided. A quality review asks a person the same question, who is not
shown what the machine chose; the two agree or they do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from orchestration_pipelines.domain.sampling import Answers, estimate, is_above, is_below, upper_bound

#: so many answers more are counted when it is asked how many are missing; beyond them it is said to be as many
MOST_NEEDED = 100_000


@dataclass(frozen=True)
class Stratum:
    """How a cell is sampled, and what it is held against."""

    rate: float  #: the part of its decisions that is looked at again, above 0 and up to 1
    limit: float  #: the rate of disagreement that it must stay below


@dataclass(frozen=True)
class Quality:
    """The section ``quality`` of a policy."""

    seed: str
    queue: str  #: where the reviews wait; its role says who may do them
    question: str
    otherwise: Stratum  #: of the cells that are not named
    cells: Mapping[str, Stratum] = field(default_factory=dict)
    confidence: float = 0.95

    def of(self, cell: str) -> Stratum:
        """How this cell is sampled."""
        return self.cells.get(cell, self.otherwise)


def quality_problems(quality: Quality | None, roles: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the section; ``roles`` are those that the queues ask for."""
    if quality is None:
        return
    if not quality.seed:
        yield "quality.seed: without one nobody can draw the sample again: write any text"
    if not quality.question:
        yield "quality.question: a reviewer must be asked something: write the question that the machine answers"
    if not 0.5 <= quality.confidence < 1:
        yield f"quality.confidence: {quality.confidence} is none: write a number from 0.5 to below 1, 0.95 say"
    if quality.queue not in roles:
        yield f"quality.queue: there is no queue {quality.queue!r}: workflow.yaml has {', '.join(sorted(roles))}"
    elif roles[quality.queue] == "requester":
        yield f"quality.queue: {quality.queue} asks whoever submitted the case: name a queue of people who may decide"
    for place, stratum in (
        ("default", quality.otherwise),
        *((f"cells.{cell}", s) for cell, s in quality.cells.items()),
    ):
        if not 0 < stratum.rate <= 1:
            yield f"quality.{place}.rate: {stratum.rate} is no part: it lies above 0 and at most at 1"
        if not 0 < stratum.limit < 1:
            yield f"quality.{place}.limit: {stratum.limit} is no limit: it lies between 0 and 1"


class Verdict(StrEnum):
    """What is known about a cell."""

    WITHIN = "within the limit"
    TOO_FEW = "too few reviews"
    BEYOND = "beyond the limit"


@dataclass(frozen=True)
class Judged:
    """A cell held against its limit."""

    verdict: Verdict
    answers: int
    disagreed: int
    estimate: float | None
    bound: float  #: what the rate of disagreement stays below, with the policy's confidence
    needed: int  #: how many reviews more it takes to be within the limit, if all of them agree


def judge(answers: Sequence[Answers], stratum: Stratum, confidence: float) -> Judged:
    """Hold the answers about a cell against its limit.

    Within: its upper bound is. Beyond: its lower bound is above. Both may be looked at whenever one likes: a cell that
    is at its limit or below is sent to people with probability 1 - ``confidence`` at the most.
    """
    told = [each for each in answers if each.agreed + each.disagreed]
    if is_below(told, stratum.limit, confidence):
        verdict = Verdict.WITHIN
    elif is_above(told, stratum.limit, confidence):
        verdict = Verdict.BEYOND
    else:
        verdict = Verdict.TOO_FEW
    return Judged(
        verdict,
        sum(each.agreed + each.disagreed for each in told),
        sum(each.disagreed for each in told),
        estimate(told),
        upper_bound(told, confidence),
        needed(told, stratum, confidence),
    )


def needed(answers: Sequence[Answers], stratum: Stratum, confidence: float) -> int:
    """How many reviews more bring the bound under the limit, if all of them agree; :data:`MOST_NEEDED` at the most."""

    def is_enough(more: int) -> bool:
        return is_below([*answers, Answers(stratum.rate, more, 0)], stratum.limit, confidence)

    few, many = -1, 0
    while not is_enough(many):
        if many >= MOST_NEEDED:
            return MOST_NEEDED
        few, many = many, max(1, many * 2)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if is_enough(middle) else (middle, many)
    return many
