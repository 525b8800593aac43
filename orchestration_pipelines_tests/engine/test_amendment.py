"""A setting put in place in a document that a person wrote: it says so afterwards, and the rest is as it was."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines import workflows
from orchestration_pipelines.engine.amendment import Place, amended
from orchestration_pipelines.engine.document import BadDocument, read

_NAMES = st.sampled_from(["a", "b", "queues", "wip_limit", "sla"])
_DOCUMENTS = st.recursive(
    st.none() | st.integers(0, 99) | st.sampled_from(["x", "'", "a: b", "# no comment"]),
    lambda below: st.dictionaries(_NAMES, below, max_size=3) | st.lists(below, max_size=2),
    max_leaves=12,
).map(lambda value: value if isinstance(value, dict) else {"a": value})


@given(
    _DOCUMENTS,
    st.lists(_NAMES, min_size=1, max_size=3).map(tuple),
    st.none() | st.integers(0, 50),
    st.sampled_from([None, False, True]),
)
def test_it_says_the_new_setting_and_else_what_it_said(
    document: dict[str, Any], place: Place, value: int | None, flow: bool | None
) -> None:
    """In block style, in flow style and in a mixture; where the place lies inside a value it is refused."""
    content = yaml.safe_dump(document, default_flow_style=flow).encode()
    wanted = copy.deepcopy(document)
    here: Any = wanted
    for step in place[:-1]:
        if here.get(step) is None:
            here[step] = {}
        here = here[step]
        if not isinstance(here, dict):
            with pytest.raises(BadDocument, match="is no group of settings"):
                amended(content, {place: 1}, "p")
            return
    here[place[-1]] = value
    said = read(amended(content, {place: value}, "p"), "p")
    assert said == (document if value is None and _of(document, place) is None else wanted)


def _of(document: Any, place: Place) -> Any:
    for step in place:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def test_comments_and_order_of_the_shipped_policy_stay() -> None:
    """Only the lines of the new limits differ."""
    path = Path(workflows.__file__).parent / "mortgage_underwriting" / "policy.yaml"
    before = path.read_bytes()
    after = amended(before, {("queues", "seniors", "wip_limit"): 5, ("steps", "human_review", "wip_limit"): 9}, "p")
    old, new = before.decode().splitlines(), after.decode().splitlines()
    assert [line for line in new if line not in old] == [
        "  seniors: {wip_limit: 5, title: Senior underwriters, strategy: pull, stuck_after: P2D}",
        "  human_review: {wip_limit: 9}",
    ]
    assert [line for line in old if line not in new] == [
        "  seniors: {title: Senior underwriters, strategy: pull, stuck_after: P2D}"
    ]
    again = amended(after, {("queues", "seniors", "wip_limit"): None}, "p")
    assert b"seniors: {wip_limit: null, title" in again


def test_what_cannot_be_written_into_the_text_is_written_anew() -> None:
    """An alias is one text for two settings: both are said by themselves, and only the one that was meant changes."""
    content = b"queues:\n  a: &same {title: T, wip_limit: 1}\n  b: *same\n"
    said = read(amended(content, {("queues", "b", "wip_limit"): 2}, "p"), "p")
    assert said == {"queues": {"a": {"title": "T", "wip_limit": 1}, "b": {"title": "T", "wip_limit": 2}}}
