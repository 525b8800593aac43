"""Every way of the mortgage drawing is walked, by small applications made for it."""

from __future__ import annotations

import psycopg
import pytest

from orchestration_pipelines.engine import casework, reviews
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines_tests.workflows.mortgage import (
    BROKER,
    COMMITTED,
    DECLINED,
    DOUBTFUL,
    FAIR,
    HOPELESS,
    MADE,
    UNDONE,
    Underwriting,
    application,
)


def test_a_good_application_is_approved_by_the_grid(underwriting: Underwriting) -> None:
    """High confidence and little at stake: no person, an approval of the rule, a loan."""
    underwriting.arrive(application("A"))
    assert underwriting.outcome("A") == "approved"
    assert underwriting.path("A") == [*MADE, *COMMITTED]
    assert underwriting.reservations("A") == ["commit"]
    underwriting.lender_holds()
    with psycopg.connect(underwriting.lender_url) as connection:
        approvals = connection.execute("SELECT approval FROM lender.commitment").fetchall()
    with underwriting.engine.connect() as connection:
        given = connection.execute("SELECT id FROM approval WHERE given_by[1] LIKE 'rule:%:sure_small'").fetchall()
    assert approvals == given


def test_a_fair_application_waits_for_one_person(underwriting: Underwriting) -> None:
    """The rate is locked and the money held before anybody decides; the approval commits it."""
    underwriting.arrive(application("A", FAIR))
    [task] = underwriting.tasks("A")
    assert (task.element, task.queue, task.skill) == ("human_review", "underwriters", "standard")
    assert underwriting.reservations("A") == ["held"]
    underwriting.decide("A", "approve", "nora")
    assert underwriting.outcome("A") == "approved"
    assert underwriting.path("A") == [*MADE, "human_review", *COMMITTED]


def test_two_sign_where_more_is_at_stake(underwriting: Underwriting) -> None:
    """One signature of two moves nothing; the same person cannot give the second."""
    underwriting.arrive(application("A", DOUBTFUL))
    assert len(underwriting.tasks("A")) == 2
    with underwriting.engine.connect() as connection:
        first, second = underwriting.tasks("A")
        reviews.decide(connection, first.task, person="nora", seen=first.digest, outcome="approve")
        underwriting.sweep()
        assert underwriting.outcome("A") is None
        with pytest.raises(Refused, match="four eyes"):
            reviews.decide(connection, second.task, person="nora", seen=second.digest, outcome="approve")
    underwriting.decide("A", "approve", "omar")
    assert underwriting.outcome("A") == "approved"


def test_where_two_differ_a_senior_decides(underwriting: Underwriting) -> None:
    """Split signatures go up, and as many seniors sign."""
    underwriting.arrive(application("A", DOUBTFUL))
    with underwriting.engine.connect() as connection:
        for task, person, outcome in zip(underwriting.tasks("A"), ("nora", "omar"), ("approve", "reject"), strict=True):
            reviews.decide(connection, task.task, person=person, seen=task.digest, outcome=outcome, rationale="so")
    underwriting.sweep()
    assert [task.element for task in underwriting.tasks("A")] == ["senior_review", "senior_review"]
    underwriting.decide("A", "approve", "sofia", "tomas")
    assert underwriting.outcome("A") == "approved"


def test_a_rejected_application_is_undone_and_declined(underwriting: Underwriting) -> None:
    """Reject: the funds, then the rate, then the notice with its reasons; and no second offer."""
    underwriting.arrive(application("A", FAIR))
    underwriting.decide("A", "reject", "nora")
    assert underwriting.outcome("A") == "declined"
    assert underwriting.path("A") == [*MADE, "human_review", *UNDONE, *DECLINED]
    assert underwriting.reservations("A") == ["release"]
    decision = underwriting.variables("A")["decision"]
    assert decision["reason"] == "rejected"
    assert "payments on consumer credit were slow" in decision["because"]
    assert "for the test" not in str(decision)
    underwriting.lender_holds()


def test_a_returned_case_is_screened_again_and_three_returns_reach_a_senior(underwriting: Underwriting) -> None:
    """Each return undoes what was reserved; the third goes up with the reservation standing."""
    underwriting.arrive(application("A", FAIR))
    underwriting.decide("A", "return", "nora")
    assert underwriting.path("A") == [*MADE, "human_review", *UNDONE, *MADE]
    underwriting.decide("A", "return", "omar")
    underwriting.decide("A", "return", "nora")
    assert underwriting.waits_at("A") == {"senior_review"}
    assert underwriting.reservations("A") == ["release", "release", "held"]
    underwriting.decide("A", "approve", "sofia")
    assert underwriting.outcome("A") == "approved"
    assert underwriting.reservations("A") == ["release", "release", "commit"]
    underwriting.lender_holds()


def test_a_reviewer_requests_a_document_of_the_applicant(underwriting: Underwriting) -> None:
    """Returned for that reason, what was reserved is undone first; the answer is screened and reviewed again."""
    underwriting.arrive(application("A", FAIR))
    (task,) = underwriting.tasks("A")
    with underwriting.engine.connect() as connection:
        reviews.decide(
            connection,
            task.task,
            person="nora",
            seen=task.digest,
            outcome="return",
            reasons=["document_wanted"],
            rationale="the last two payslips",
            at=underwriting.clock(),
        )
    underwriting.sweep()
    assert underwriting.waits_at("A") == {"request_documents"}
    assert underwriting.reservations("A") == ["release"]
    underwriting.answer("A")
    assert underwriting.waits_at("A") == {"human_review"}
    underwriting.decide("A", "return", "omar")
    assert underwriting.waits_at("A") == {"human_review"}, "returned for another reason, it is screened again"
    underwriting.lender_holds(["A"])


def test_no_rule_approves_what_a_person_has_had(underwriting: Underwriting) -> None:
    """An edit and a return cannot turn one reviewer into nobody at all: the grid's "auto" is for a person again."""
    underwriting.arrive(application("A", FAIR))
    underwriting.decide("A", "return", "nora", cons=1, obrat=28)
    assert underwriting.variables("A")["risk_grid"]["route"] == "auto"
    assert underwriting.waits_at("A") == {"human_review"}
    underwriting.decide("A", "approve", "omar")
    assert underwriting.outcome("A") == "approved"


@pytest.mark.parametrize(
    ("senior", "outcome"), [("approve", "approved"), ("reject", "declined"), ("escalate", "declined")]
)
def test_an_escalated_case_is_the_seniors(underwriting: Underwriting, senior: str, outcome: str) -> None:
    """A senior approves or does not; there is nobody above, so that what goes further up is declined."""
    underwriting.arrive(application("A", FAIR))
    underwriting.decide("A", "escalate", "nora")
    assert underwriting.waits_at("A") == {"senior_review"}
    underwriting.decide("A", senior, "sofia")
    assert underwriting.outcome("A") == outcome
    underwriting.lender_holds()


def test_a_senior_may_send_back(underwriting: Underwriting) -> None:
    """Returned by a senior, the case is undone and screened again."""
    underwriting.arrive(application("A", FAIR))
    underwriting.decide("A", "escalate", "nora")
    underwriting.decide("A", "return", "sofia")
    assert underwriting.waits_at("A") == {"human_review"}
    assert underwriting.reservations("A") == ["release", "held"]


def test_running_out_of_time_never_approves(underwriting: Underwriting) -> None:
    """The review's time, then the seniors': undone, and declined because nobody decided."""
    underwriting.arrive(application("A", FAIR))
    underwriting.later(days=2, hours=23)
    assert underwriting.waits_at("A") == {"human_review"}
    underwriting.later(hours=2)
    assert underwriting.waits_at("A") == {"senior_review"}
    underwriting.later(days=5, hours=1)
    assert underwriting.outcome("A") == "declined"
    assert underwriting.variables("A")["decision"]["reason"] == "not_decided"
    assert underwriting.path("A") == [*MADE, "human_review", "senior_review", *UNDONE, *DECLINED]
    underwriting.lender_holds()


def test_what_is_missing_is_asked_for_and_taken(underwriting: Underwriting) -> None:
    """An empty field is INCOMPLETE; the broker supplies it, and the case goes on."""
    underwriting.arrive(application("A", unit=None))
    [task] = underwriting.tasks("A")
    assert (task.element, task.role) == ("request_documents", "requester")
    assert underwriting.variables("A")["asked_for"] == {"unit": "is empty"}
    underwriting.answer("A", unit=1)
    assert underwriting.outcome("A") == "approved"
    assert underwriting.path("A") == ["screen", "request_documents", *MADE, *COMMITTED]


def test_nothing_to_add_twice_is_a_decline(underwriting: Underwriting) -> None:
    """Two rounds without the value, and the case is declined as incomplete; nothing was ever reserved."""
    underwriting.arrive(application("A", loanamt=2))
    underwriting.answer("A")
    assert underwriting.waits_at("A") == {"request_documents"}
    underwriting.answer("A")
    assert underwriting.outcome("A") == "declined"
    assert underwriting.variables("A")["decision"] == {
        "outcome": "declined",
        "reason": "incomplete",
        "because": ["loanamt is 2, which is not between 10 and 2000"],
    }
    assert underwriting.reservations("A") == []


def test_no_answer_for_thirty_days_is_a_decline(underwriting: Underwriting) -> None:
    """The deadline of the request declines as incomplete."""
    underwriting.arrive(application("A", liq=None))
    underwriting.later(days=29)
    assert underwriting.waits_at("A") == {"request_documents"}
    underwriting.later(days=2)
    assert underwriting.outcome("A") == "declined"
    assert underwriting.variables("A")["decision"]["reason"] == "incomplete"


def test_a_blocked_applicant_is_told_and_may_have_people_decide(underwriting: Underwriting) -> None:
    """Blocked: a notice with reasons, then the offer; taken, two seniors decide and may approve."""
    underwriting.arrive(application("A", HOPELESS))
    assert underwriting.path("A") == ["screen", "score", "risk_grid", *DECLINED]
    assert underwriting.waits_at("A") == {"offer_person"}
    decision = underwriting.variables("A")["decision"]
    assert decision["reason"] == "blocked"
    assert len(decision["because"]) == 3
    underwriting.answer("A")
    assert [task.queue for task in underwriting.tasks("A")] == ["seniors", "seniors"]
    underwriting.decide("A", "approve", "sofia", "tomas")
    assert underwriting.outcome("A") == "approved"
    assert underwriting.reservations("A") == ["commit"]


def test_who_has_asked_for_people_is_not_blocked_again(underwriting: Underwriting) -> None:
    """Returned and screened again, the case comes back to people, whatever the grid says."""
    underwriting.arrive(application("A", HOPELESS))
    underwriting.answer("A")
    underwriting.decide("A", "return", "sofia", "tomas")
    assert underwriting.variables("A")["risk_grid"]["route"] == "block"
    assert underwriting.waits_at("A") == {"human_review"}


@pytest.mark.parametrize("how", ["declines", "lapses"])
def test_a_blocked_applicant_who_asks_for_nobody_stays_declined(underwriting: Underwriting, how: str) -> None:
    """No, or no answer in ten days."""
    underwriting.arrive(application("A", HOPELESS))
    if how == "declines":
        underwriting.answer("A", declines=True)
    else:
        underwriting.later(days=10, hours=1)
    assert underwriting.outcome("A") == "declined"
    assert underwriting.reservations("A") == []


def test_people_who_reject_a_blocked_applicant_end_it(underwriting: Underwriting) -> None:
    """The offer is made once."""
    underwriting.arrive(application("A", HOPELESS))
    underwriting.answer("A")
    underwriting.decide("A", "reject", "sofia", "tomas")
    assert underwriting.outcome("A") == "declined"
    assert underwriting.variables("A")["decision"]["reason"] == "rejected"
    assert underwriting.reservations("A") == ["release"]


def test_over_the_lenders_limit_everything_is_undone(underwriting: Underwriting) -> None:
    """LIMIT_EXCEEDED: release_funds, release_rate, decline."""
    with psycopg.connect(underwriting.lender_url) as connection:
        connection.execute("UPDATE lender.exposure_limit SET dollars = 150000")
    underwriting.arrive(application("A"))
    underwriting.arrive(application("B"))
    assert (underwriting.outcome("A"), underwriting.outcome("B")) == ("approved", "declined")
    assert underwriting.path("B") == [*MADE, "commit_loan", *UNDONE, *DECLINED]
    assert underwriting.variables("B")["decision"]["reason"] == "limit_exceeded"
    underwriting.lender_holds()


def test_refused_by_the_investor_the_commitment_is_reversed_first(underwriting: Underwriting) -> None:
    """REFUSED_BY_INVESTOR: reverse_commit, release_funds, release_rate, in that order."""
    underwriting.arrive(application("A", unit=2, price=102, apr=102, cons=1, obrat=20))
    if underwriting.waits_at("A"):
        underwriting.decide("A", "approve", "nora")
    assert underwriting.outcome("A") == "declined"
    path = underwriting.path("A")
    assert path[path.index("commit_loan") :] == ["commit_loan", "book_loan", "reverse_commit", *UNDONE, *DECLINED]
    assert underwriting.reservations("A") == ["commit and reversal"]
    underwriting.lender_holds()


def test_a_wrong_type_is_quarantined_and_the_rest_goes_on(underwriting: Underwriting) -> None:
    """Not every dirt is INCOMPLETE: what is no number never becomes a case."""
    submitted = underwriting.submit(application("A", loanamt="much"), application("B"))
    assert (submitted.accepted, submitted.quarantined) == (1, 1)
    assert "loanamt" in submitted.problems[0].reason
    underwriting.sweep()
    assert underwriting.outcome("B") == "approved"


def test_a_cancelled_case_leaves_nothing_at_the_lender(underwriting: Underwriting) -> None:
    """Cancelled in the middle of a review, the reservation and the lock are undone."""
    underwriting.arrive(application("A", FAIR))
    with underwriting.engine.connect() as connection:
        casework.cancel(connection, "A", by="nora", reason="withdrawn by the applicant", at=underwriting.clock())
    underwriting.sweep()
    assert underwriting.reservations("A") == ["release"]
    underwriting.lender_holds()


def test_a_broker_cannot_decide_their_own_case(underwriting: Underwriting) -> None:
    """Nor answer for another's."""
    underwriting.arrive(application("A", FAIR))
    with pytest.raises(Refused, match="nobody decides their own"):
        underwriting.decide("A", "approve", BROKER)
