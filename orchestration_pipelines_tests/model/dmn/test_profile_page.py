"""docs/dmn-profile.md says what the reader does: each row of it comes from the profile's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.model.dmn import policies, profile, reader
from orchestration_pipelines.model.dmn.expressions import MAX_FEEL
from orchestration_pipelines.model.dmn.imports import MAX_IMPORTS

PAGE = Path(__file__).parents[3] / "docs" / "dmn-profile.md"
TABLES = {
    "versions": {f"DMN {version}": f"`{namespace}`" for namespace, version in profile.NAMESPACES.items()},
    "graph": profile.GRAPH,
    "definitions": profile.DEFINITIONS,
    "expressions": profile.EXPRESSIONS,
    "policies": profile.POLICIES,
    "aggregations": profile.AGGREGATIONS,
    "beside": profile.BESIDE,
}


def rows(name: str) -> list[str]:
    """The rows of a table of the page."""
    return [f"| {what if ' ' in what else f'`{what}`'} | {meaning} |" for what, meaning in TABLES[name].items()]


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_exactly_these_rows(name: str) -> None:
    """No row less."""
    expected = "\n".join(rows(name))
    assert expected in PAGE.read_text(encoding="utf-8"), f"put these rows into {PAGE.name}:\n{expected}"


def test_the_page_has_no_other_rows() -> None:
    """And none that is no longer so."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    kept = {row for name in TABLES for row in rows(name)}
    assert [line for line in lines if line not in kept and not line.startswith("| what |")] == []


def test_the_page_names_the_limits() -> None:
    """As they are in the code."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"{MAX_IMPORTS} models" in page
    assert f"{MAX_FEEL:,} characters" in page


def test_the_profile_is_what_is_read() -> None:
    """Each policy decides, each expression may stand where any may."""
    assert policies.POLICIES.keys() == profile.POLICIES.keys()
    assert set(profile.EXPRESSIONS) <= profile.CHILDREN["decision"]
    assert {"load", "loads"} <= set(vars(reader))
