"""Reasons of a policy that cannot be meant are refused by their place."""

from __future__ import annotations

import pytest

from orchestration_pipelines_tests.domain.test_policy import SOUND as SOUND_POLICY
from orchestration_pipelines_tests.domain.test_policy import told

SOUND = "{words: The income is not proven, outcomes: [reject, return], steps: [review], needs_text: true}"


def test_sound_reasons_are_taken() -> None:
    """With all that can be said of one, or with the least."""
    document = SOUND_POLICY + f"reasons: {{a: {SOUND}, b: {{words: B, outcomes: [approve]}}}}"
    assert told(document) == ""


@pytest.mark.parametrize(
    ("reasons", "wrong"),
    [
        ("{Income: {words: x, outcomes: [reject]}}", "reasons.Income: a code is small letters"),
        ("{a: {outcomes: [reject]}}", "reasons.a.words: say it in words"),
        (f"{{a: {{words: {'x' * 201}, outcomes: [reject]}}}}", "reasons.a.words: 201 characters"),
        ("{a: {words: x}}", "reasons.a.outcomes: say of what it is a reason"),
        ("{a: {words: x, outcomes: [refuse]}}", "reasons.a.outcomes: 'refuse' is none: there are approve, reject"),
        ("{a: {words: x, outcomes: [reject, reject]}}", "reasons.a.outcomes: 'reject' is there twice"),
        ("{a: {words: x, outcomes: [reject], steps: [nowhere]}}", "reasons.a.steps: there is no user task 'nowhere'"),
        ("{a: {words: X, outcomes: [reject]}, b: {words: x, outcomes: [reject]}}", "reasons.b.words: a says the same"),
        (
            "{a: {words: x, outcomes: [reject], needs_text: 'yes'}}",
            "reasons.a.needs_text is 'yes': write true or false",
        ),
        ("{a: {words: x, outcomes: [reject], text: true}}", "unknown setting 'reasons.a.text'"),
        ("[a]", "reasons is \"['a']\": write names with a value each"),
    ],
)
def test_a_slip_is_told_by_its_place(reasons: str, wrong: str) -> None:
    """What is wrong, where, and what to write."""
    assert wrong in told(f"reasons: {reasons}")
