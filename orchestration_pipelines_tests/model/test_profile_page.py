"""docs/bpmn-profile.md says what the reader does: each row of it comes from the profile's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.model.bpmn import profile

PAGE = Path(__file__).parents[2] / "docs" / "bpmn-profile.md"


def accepted() -> list[str]:
    """A row for each element that runs."""
    rows = [f"| `{tag}` | `{kind}` |" for tag, kind in profile.ACTIVITIES.items()]
    rows += ["| `startEvent` | `start` |", "| `exclusiveGateway` | `exclusive` |"]
    for tag, events in (
        ("endEvent", profile.END_EVENTS),
        ("intermediateThrowEvent", profile.INTERMEDIATE_EVENTS),
        ("boundaryEvent", profile.BOUNDARY_EVENTS),
    ):
        rows += [f"| `{tag}`{f' with `{name}`' if name else ''} | `{kind}` |" for name, kind in events.items()]
    return rows


def refused() -> list[str]:
    """A row for each element that is refused, and what to draw instead."""
    drawn = {f"`{tag}`": refusal for tag, refusal in profile.REFUSED.items()}
    drawn |= {f"`startEvent` with `{name}`": refusal for name, refusal in profile.START_EVENTS.items()}
    return [f"| {what} | {refusal.instead} | {'yes' if refusal.later else 'no'} |" for what, refusal in drawn.items()]


def extensions() -> list[str]:
    """A row for each attribute of ours."""
    return [
        f"| `{tag}` | `orch:{name}` | {meaning} |"
        for tag, attributes in profile.EXTENSIONS.items()
        for name, meaning in attributes.items()
    ]


@pytest.mark.parametrize("rows", [accepted, refused, extensions])
def test_the_page_has_exactly_these_rows(rows: object) -> None:
    """No row less, and none that is no longer so."""
    assert callable(rows)
    expected = "\n".join(rows())
    assert expected in PAGE.read_text(encoding="utf-8"), f"put these rows into {PAGE.name}:\n{expected}"


def test_the_page_has_no_other_rows() -> None:
    """Besides the heads of the three tables."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert sorted(rows) == sorted([*accepted(), *refused(), *extensions()])
