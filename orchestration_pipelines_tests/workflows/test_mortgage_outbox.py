"""Notices: written once, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.workflows.mortgage_underwriting import notices
from orchestration_pipelines.workflows.mortgage_underwriting.outbox import Outbox, Unsent
from orchestration_pipelines_tests.workflows.mortgage import HOPELESS, Underwriting, application


def test_a_notice_is_sent_once(tmp_path: Path) -> None:
    """Sending again changes nothing; another text under the key is refused, and nothing half-written is left."""
    outbox = Outbox(tmp_path)
    assert outbox.send("k", "hello") == outbox.send("k", "hello") == "k.txt"
    with pytest.raises(Unsent, match="another text"):
        outbox.send("k", "goodbye")
    assert [path.name for path in tmp_path.iterdir()] == ["k.txt"]
    assert (tmp_path / "k.txt").read_text() == "hello"


def test_a_voided_notice_is_not_sent(tmp_path: Path) -> None:
    """Before it is written, or after."""
    outbox = Outbox(tmp_path)
    outbox.send("early", "hello")
    for key in ("early", "late"):
        outbox.void(key)
        outbox.void(key)
        with pytest.raises(Unsent, match="voided"):
            outbox.send(key, "hello")
    assert not list(tmp_path.glob("*.txt"))


def test_a_blocked_applicant_reads_why_and_how_to_reach_a_person(underwriting: Underwriting, home: Home) -> None:
    """The notice of a decision without a person says so."""
    underwriting.arrive(application("A", HOPELESS))
    notice = (home.outbox / underwriting.variables("A")["notice"]).read_text()
    assert "some of the information could not be verified" in notice
    assert "You may ask that people look at" in notice


def test_an_approved_applicant_reads_the_terms(underwriting: Underwriting, home: Home) -> None:
    """Amount, rate and the lender's number."""
    underwriting.arrive(application("A"))
    told = underwriting.variables("A")
    notice = (home.outbox / told["notice"]).read_text()
    assert "$100,000" in notice
    assert "10.125 %" in notice
    assert told["commitment"]["id"] in notice


_NOTHING = dict.fromkeys(notices.DECISIVE)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"asked_for": {"unit": "is empty"}}, "incomplete"),
        ({"refusal": {"refused": "LIMIT_EXCEEDED", "message": "…"}}, "limit_exceeded"),
        ({"human_review": {"outcome": "reject"}}, "rejected"),
        ({"human_review": {"outcome": "escalate"}, "senior_review": {"outcome": "reject"}}, "rejected"),
        ({"risk_grid": {"route": "block"}}, "blocked"),
        ({"risk_grid": {"route": "block"}, "offer_person": {"outcome": "approve"}}, "not_decided"),
        ({"human_review": {"outcome": "return"}}, "not_decided"),
    ],
)
def test_each_decline_has_its_reason(case: dict[str, object], reason: str) -> None:
    """One reason, from what decided last."""
    assert notices.declined({**_NOTHING, **case})["reason"] == reason
