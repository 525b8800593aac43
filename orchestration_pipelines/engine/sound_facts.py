"""What the facts must look like of which the figures of flow are made: a figure of unsound facts says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.domain.measures import Facts
from orchestration_pipelines.engine.expectations import held

Suite = Callable[[Any], Iterator[Any]]


def sound(facts: Facts) -> list[Expected]:
    """Every expectation of the facts, by the table that it is of; a table without rows is as expected."""
    return [
        replace(expected, column=f"{name}: {expected.column}")
        for name, (rows, suite, key) in _tables(facts).items()
        if len(rows)
        for expected in held(rows, suite, key)
    ]


def _tables(facts: Facts) -> Mapping[str, tuple[pd.DataFrame, Suite, str]]:
    cases = pd.DataFrame(
        [
            {
                "case": case.case_id,
                "outcome": case.outcome,
                "waited_s": (case.first_touch_at - case.submitted_at).total_seconds(),
                "handled_s": (case.closed_at - case.first_touch_at).total_seconds(),
                "worked_s": case.worked_s,
            }
            for case in facts.closed
        ]
    )
    steps = pd.DataFrame(
        [
            {
                "step": step.element,
                "visits": step.visits,
                "right": step.right,
                "queue_s": min(step.queue_s),
                "work_s": min(step.work_s),
            }
            for step in facts.steps
        ]
    )
    days = pd.DataFrame([day._asdict() for day in facts.days])
    if len(days):
        came = days["submitted"] - days["closed"]
        # what is under way on the evening before the first day is whatever it was
        days["unaccounted"] = (days["under_way"].diff() - came).fillna(0)
        days["since_last"] = pd.to_datetime(days["day"]).diff().dt.days.fillna(1)
    promises = pd.DataFrame([kept._asdict() for kept in facts.promises])
    return {
        "cases": (cases, _of_cases, "case"),
        "steps": (steps, _of_steps, "step"),
        "days": (days, _of_days, "day"),
        "promises": (promises, _of_promises, "element"),
    }


def _of_cases(expectations: Any) -> Iterator[Any]:
    yield expectations.ExpectColumnValuesToBeUnique(column="case")
    yield expectations.ExpectColumnValuesToNotBeNull(column="outcome")
    for column in ("waited_s", "handled_s", "worked_s"):
        yield expectations.ExpectColumnValuesToNotBeNull(column=column)
        yield expectations.ExpectColumnValuesToBeBetween(column=column, min_value=0)


def _of_steps(expectations: Any) -> Iterator[Any]:
    yield expectations.ExpectColumnValuesToBeUnique(column="step")
    yield expectations.ExpectColumnValuesToBeBetween(column="visits", min_value=1)
    yield expectations.ExpectColumnPairValuesAToBeGreaterThanB(column_A="visits", column_B="right", or_equal=True)
    for column in ("right", "queue_s", "work_s"):
        yield expectations.ExpectColumnValuesToBeBetween(column=column, min_value=0)


def _of_days(expectations: Any) -> Iterator[Any]:
    for column in ("submitted", "closed", "under_way"):
        yield expectations.ExpectColumnValuesToBeBetween(column=column, min_value=0)
    yield expectations.ExpectColumnValuesToBeInSet(column="unaccounted", value_set=[0])
    yield expectations.ExpectColumnValuesToBeBetween(column="since_last", min_value=1)  # no day twice, in their order


def _of_promises(expectations: Any) -> Iterator[Any]:
    yield expectations.ExpectColumnValuesToBeBetween(column="broken", min_value=0)
    yield expectations.ExpectColumnPairValuesAToBeGreaterThanB(column_A="promises", column_B="broken", or_equal=True)
