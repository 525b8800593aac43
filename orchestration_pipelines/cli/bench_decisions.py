"""How fast decision tables are on one core, against the same grid written out in Python."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from orchestration_pipelines.model import dmn

#: what each figure is to reach, decisions a second
AIMS: Mapping[str, int] = {
    "evaluate_many, 9 rules": 100_000,
    "explain_many, 9 rules": 50_000,
    "evaluate, 9 rules": 25_000,
    "evaluate_many, 100 rules": 10_000,
}
_GRID = Path(__file__).parents[1] / "workflows" / "throughput" / "grade.dmn"
_REPEATS = 5

Rows = Sequence[Mapping[str, Decimal]]


def measure(rows: int) -> dict[str, dict[str, float]]:
    """For each figure: decisions a second (the median of five), its aim, and its part of the if-chain's rate."""
    batches = [_rows(rows, seed) for seed in range(_REPEATS + 1)]
    small, large = dmn.load(_GRID), dmn.loads(_hundred_rules(), "hundred.dmn")
    if small.evaluate_many("grade", batches[0]) != _by_hand(batches[0]):
        raise ValueError("the grid and the same written by hand differ: the figures mean nothing")
    runs: dict[str, Callable[[Rows], Any]] = {
        "evaluate_many, 9 rules": lambda drawn: small.evaluate_many("grade", drawn),
        "explain_many, 9 rules": lambda drawn: small.explain_many("grade", drawn),
        "evaluate, 9 rules": lambda drawn: [small.evaluate("grade", row) for row in drawn],
        "evaluate_many, 100 rules": lambda drawn: large.evaluate_many("hundred", drawn),
    }
    chain = _rate(batches, _by_hand)
    figures = {"if-chain in Python, 9 rules": {"per_s": chain, "aim": 0.0, "of_the_if_chain": 1.0}}
    for name, run in runs.items():
        found = _rate(batches, run)
        figures[name] = {"per_s": found, "aim": AIMS[name], "of_the_if_chain": round(found / chain, 3)}
    return figures


def _rate(batches: Sequence[Rows], run: Callable[[Rows], Any]) -> float:
    """Each batch is new: what was remembered of the values of one is of little use for the next."""
    run(batches[0])  # what is compiled at the first sight is not what is measured
    taken = []
    for drawn in batches[1:]:
        begun = time.perf_counter()
        run(drawn)
        taken.append(time.perf_counter() - begun)
    return round(len(batches[0]) / median(taken))


def _rows(count: int, seed: int) -> Rows:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [
        {"confidence": Decimal(chance.randint(0, 10_000)) / 10_000, "amount": Decimal(chance.randint(1_000, 900_000))}
        for _ in range(count)
    ]


def _by_hand(drawn: Rows) -> list[Any]:
    return [by_hand(**row) for row in drawn]


_HALF, _HIGH = Decimal("0.5"), Decimal("0.9")


def by_hand(confidence: Decimal, amount: Decimal) -> dict[str, str]:
    """What ``grade.dmn`` says, as a programmer would write it."""
    if amount < 100_000:
        return {"route": "review" if confidence < _HALF else "auto", "impact": "small"}
    if amount < 500_000:
        return {"route": "review" if confidence < _HIGH else "auto", "impact": "middle"}
    return {"route": "review" if confidence < _HIGH else "auto", "impact": "large"}


def _hundred_rules() -> bytes:
    """A grid of ten by ten."""
    confidences = [f"[{low / 10}..{high / 10})" for low, high in pairwise(range(10))] + [">= 0.9"]
    amounts = [f"[{low}..{high})" for low, high in pairwise(range(0, 1_000_000, 100_000))] + [">= 900000"]
    rules = "".join(
        f'<rule id="r{number}"><inputEntry><text>{escape(one)}</text></inputEntry>'
        f"<inputEntry><text>{escape(other)}</text></inputEntry>"
        f'<outputEntry><text>"route {number}"</text></outputEntry></rule>'
        for number, (one, other) in enumerate(product(confidences, amounts), 1)
    )
    inputs = "".join(
        f'<input><inputExpression typeRef="number"><text>{name}</text></inputExpression></input>'
        for name in ("confidence", "amount")
    )
    return (
        f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="hundred" namespace="urn:hundred">'
        '<inputData id="c" name="confidence"><variable name="confidence" typeRef="number"/></inputData>'
        '<inputData id="a" name="amount"><variable name="amount" typeRef="number"/></inputData>'
        '<decision id="d" name="hundred"><variable name="hundred" typeRef="string"/>'
        '<informationRequirement><requiredInput href="#c"/></informationRequirement>'
        '<informationRequirement><requiredInput href="#a"/></informationRequirement>'
        f"<decisionTable>{inputs}<output/>{rules}</decisionTable></decision></definitions>"
    ).encode()
