"""What arrives in a trial: the shipped applications, and copies of them under other keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration_pipelines.workflows.mortgage_underwriting import applications


def arriving() -> Iterator[dict[str, Any]]:
    """One application after the other, without an end."""
    shipped = applications.applications()
    turn = 0
    while True:
        turn += 1
        for columns in shipped:
            yield columns if turn == 1 else {**columns, "case_key": f"{columns['case_key']}-{turn}"}
