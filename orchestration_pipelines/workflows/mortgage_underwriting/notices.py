"""What applicants are told, and why an application is declined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: what says why a case came to be declined
DECISIVE = ("asked_for", "refusal", "score", "risk_grid", "offer_person", "human_review", "senior_review")

_REFUSALS = {
    "LIMIT_EXCEEDED": "the lender has reached the limit of what it may lend",
    "REFUSED_BY_INVESTOR": "the investor who takes over such loans does not take this one",
}


def declined(case: Mapping[str, Any]) -> dict[str, Any]:
    """Why a case is declined: a ``reason`` for the drawing, and what it rests on, in words."""
    score = case["score"] or {}
    weighed = [reason["meaning"] for reason in score.get("reasons", [])]
    refusal = case["refusal"]
    if case["asked_for"]:
        return _said("incomplete", [f"{field} {wrong}" for field, wrong in case["asked_for"].items()])
    if refusal:
        return _said(refusal["refused"].lower(), [_REFUSALS.get(refusal["refused"], refusal["message"])])
    if _outcome(case, "human_review") == "reject" or _outcome(case, "senior_review") in ("reject", "escalate"):
        # What reviewers wrote stays in the record: it was not written for the applicant.
        return _said("rejected", ["people looked at the application and did not approve it", *weighed])
    if (case["risk_grid"] or {}).get("route") == "block" and _outcome(case, "offer_person") != "approve":
        return _said("blocked", weighed)
    return _said("not_decided", ["nobody decided in the time there was, and time never approves"])


def _outcome(case: Mapping[str, Any], task: str) -> str | None:
    result = case[task]
    return None if result is None else str(result["outcome"])


def _said(reason: str, because: list[str]) -> dict[str, Any]:
    return {"outcome": "declined", "reason": reason, "because": because}


def adverse_action(key: str, decision: Mapping[str, Any]) -> str:
    """The notice that a declined applicant gets."""
    because = "".join(f"  - {reason}\n" for reason in decision["because"])
    told = f"Application {key}\n\nWe cannot make this loan. The reasons:\n{because}"
    if decision["reason"] == "blocked":
        told += (
            "\nThis was decided by a rule and a statistical model, without a person. You may ask that people look at\n"
            "your application: answer the question that we have sent to your broker within 10 days.\n"
        )
    return told


def approval(key: str, case: Mapping[str, Any]) -> str:
    """The notice that an approved applicant gets."""
    dollars, percent = case["loanamt"] * 1000, case["rate_lock"]["percent"]
    return (
        f"Application {key}\n\nYour loan of ${dollars:,} is made, at {percent} % a year.\n"
        f"Our commitment has the number {case['commitment']['id']}.\n"
    )
