"""Promises for a workflow under test: the policy's tables, filled in a line."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration_pipelines_tests.engine.flow import Flow

#: never closed, so that business time is time
ALWAYS = [(day, "00:00", "24:00") for day in range(1, 8)]
OFFICE = [(day, "09:00", "17:00") for day in range(1, 6)]


def calendar(flow: Flow, name: str, zone: str, hours: Sequence[tuple[int, str, str]], *holidays: str) -> None:
    """A calendar of the workflow."""
    workflow = flow.engine.workflow.name
    assert flow.engine.version
    with flow.engine.connect() as connection:
        connection.execute("INSERT INTO calendar VALUES (%s, %s, %s)", (workflow, name, zone))
        for weekday, opens, closes in hours:
            row = (workflow, name, weekday, opens, closes)
            connection.execute("INSERT INTO calendar_hours VALUES (%s, %s, %s, %s, %s)", row)
        for day in holidays:
            connection.execute("INSERT INTO calendar_holiday VALUES (%s, %s, %s, 'holiday')", (workflow, name, day))


def promise(
    flow: Flow,
    element: str,
    budget: str,
    *ladder: tuple[str, str],
    pauses: Sequence[str] = (),
    zone: str = "UTC",
    hours: Sequence[tuple[int, str, str]] = ALWAYS,
) -> None:
    """What is promised for a step, or ('') for the case; ``ladder`` is (act, after) from the lowest rung on."""
    workflow, name = flow.engine.workflow.name, f"of {element}"
    calendar(flow, name, zone, hours)
    with flow.engine.connect() as connection:
        row = (workflow, element, name, budget, list(pauses))
        connection.execute("INSERT INTO sla_policy VALUES (%s, %s, %s, %s, %s)", row)
        for no, (act, after) in enumerate(ladder, 1):
            connection.execute(
                "INSERT INTO sla_ladder VALUES (%s, %s, %s, %s, %s)", (workflow, element, no, act, after)
            )


def rungs(flow: Flow) -> list[tuple[str, str, bool]]:
    """Every rung: what it does, how it stands, whether it was late."""
    return [
        (act, status, late)
        for act, status, late in flow.rows("SELECT act, status, late FROM sla_rung ORDER BY clock_id, no")
    ]


def told(flow: Flow) -> list[tuple[str, str]]:
    """Who was told what kind of thing, in order."""
    return [(person, kind) for person, kind in flow.rows("SELECT person, kind FROM notification ORDER BY id")]
