"""What people are, and what that lets them do."""

from __future__ import annotations

from itertools import combinations

from orchestration_pipelines.domain.people import Known, Person, Staff, problems
from orchestration_pipelines.domain.standing import ALONE, RIGHTS, Right, Standing, standing_of

_KNOWN = Known(frozenset(), frozenset(), frozenset(), frozenset())


def test_every_right_is_somebodys() -> None:
    """A right that nobody has is a page that nobody opens; one without an entry is a fault at the first request."""
    assert set(RIGHTS) == set(Right)
    assert all(RIGHTS.values())


def test_an_admin_decides_nothing_and_an_auditor_changes_nothing() -> None:
    """Whatever else changes in the table."""
    acts = {Right.WORK, Right.MANAGE, Right.PEOPLE, Right.ACCOUNTS}
    assert {right for right in Right if Standing.ADMIN in RIGHTS[right]} == {
        Right.OWN,
        Right.PEOPLE,
        Right.ACCOUNTS,
        Right.ACCESS,
    }
    assert not {right for right in acts if Standing.AUDITOR in RIGHTS[right]}


def test_the_standing_is_that_of_the_highest_role() -> None:
    """And whoever has none of the reserved ones reviews."""
    assert standing_of([]) is standing_of(["underwriter"]) is Standing.REVIEWER
    assert standing_of(["underwriter", "senior"]) is Standing.SENIOR
    assert standing_of(["senior", "manager"]) is Standing.MANAGER
    assert standing_of(["auditor"]) is Standing.AUDITOR
    assert standing_of(["admin"]) is Standing.ADMIN


def test_a_standing_is_said_with_its_article() -> None:
    """As a refusal reads it to somebody."""
    assert [each.words for each in Standing] == ["a reviewer", "a senior", "a manager", "an auditor", "an admin"]


def test_some_standings_are_held_alone() -> None:
    """A description of somebody who is both is refused, with the place."""
    for roles in combinations(["admin", "auditor", "reviewer", "manager"], 2):
        told = problems(Staff({"kim": Person("kim", roles)}), _KNOWN)
        alone = [role for role in roles if role in ALONE]
        assert len(told) == len(alone), roles
        assert all("stands alone" in each for each in told)
    for role in ALONE:
        assert problems(Staff({"kim": Person("kim", (role,))}), _KNOWN) == []
