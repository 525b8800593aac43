"""The shipped grid in its owners' hands: tightened by one, loosened by two, and what happens where it is silent."""

from __future__ import annotations

import re

import pytest

from orchestration_pipelines.engine import proposing, releases
from orchestration_pipelines.engine.proposing import Proposed
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines_tests.workflows.mortgage import FOLDER, Underwriting, application

GRID = (FOLDER / "risk_grid.dmn").read_text(encoding="utf-8")
#: a sound application of 100 is the rule sure_small's
_SURE_SMALL = re.search(r'<rule id="sure_small">.*?</rule>', GRID, re.DOTALL)
assert _SURE_SMALL is not None
RULE = _SURE_SMALL.group()
REVIEWED = GRID.replace(RULE, RULE.replace('"auto"', '"review"'))
GAP = GRID.replace(RULE, "")
VIOLATED = GRID.replace(RULE, RULE + RULE.replace("sure_small", "sure_again"))


def propose(underwriting: Underwriting, content: str) -> Proposed:
    with underwriting.engine.connect() as connection:
        return proposing.propose(
            connection,
            underwriting.workflow,
            "risk_grid.dmn",
            content.encode(),
            by=Person("paula"),
            reason="as the committee decided",
            now=underwriting.clock(),
        )


def approve(underwriting: Underwriting, proposed: Proposed) -> None:
    with underwriting.engine.connect() as connection:
        releases.approve(connection, proposed.release.digest, None, by=Person("rita"), now=underwriting.clock())


def test_its_owner_tightens_alone_and_loosens_with_another(underwriting: Underwriting) -> None:
    """What the machine lent, a person sees at once; the way back says where it would lend again."""
    underwriting.arrive(application("A"))
    assert underwriting.outcome("A") == "approved"
    tightened = propose(underwriting, REVIEWED)
    assert (tightened.release.state, tightened.release.meaning) == ("active", "tightening"), tightened.why
    underwriting.arrive(application("B"))
    assert underwriting.waits_at("B") == {"human_review"}
    loosened = propose(underwriting, GRID)
    assert (loosened.release.state, loosened.release.meaning) == ("proposed", "loosening")
    assert 'route "auto"' in loosened.why and 'was route "review"' in loosened.why
    underwriting.arrive(application("C"))
    assert underwriting.waits_at("C") == {"human_review"}
    approve(underwriting, loosened)
    underwriting.arrive(application("D"))
    assert underwriting.outcome("D") == "approved"


@pytest.mark.parametrize(("content", "why"), [(GAP, "no rule matches"), (VIOLATED, "UNIQUE")])
def test_where_the_grid_is_silent_two_seniors_decide(underwriting: Underwriting, content: str, why: str) -> None:
    """No rule, or two at once: the highest impact, with the reason; nothing is lent before they have signed."""
    underwriting.submit()
    underwriting.sweep()
    proposed = propose(underwriting, content)
    if proposed.release.state == "proposed":
        approve(underwriting, proposed)
    underwriting.arrive(application("A"))
    tasks = underwriting.tasks("A")
    assert [(task.element, task.queue, task.signature) for task in tasks] == [
        ("human_review", "seniors", "1 of 2"),
        ("human_review", "seniors", "2 of 2"),
    ]
    assert why in tasks[0].facts["risk_grid"]["reason"]
    assert any(why in reason for reason in tasks[0].reasons)
    assert underwriting.outcome("A") is None
    underwriting.decide("A", "approve", "sofia", "tomas")
    assert underwriting.outcome("A") == "approved"
