"""Passwords that are too easy to guess, and that ours are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.password import LONGEST, SHORTEST, problems
from orchestration_pipelines.engine.passwords import generated


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "0 characters"),
        ("lampe-rot-ei", None),
        ("kurz genug!", "11 characters"),
        ("x" * 12, "repeats"),
        ("abcabcabcabcabc", "repeats"),
        ("ab12ab12ab12", "repeats"),
        ("aaaaaaabbbbbbb", "repeats"),
        ("123456789012", "runs along"),
        ("qwertyuiopas", "runs along"),
        ("lkjhgfdsapoiu", "runs along"),
        ("Password for 2026", "tried first"),
        ("orchestration9!", "tried first"),
        ("I am NORA since 1990", "a name of yours"),
        ("dahl has nine cats", "a name of yours"),
        ("quiet lamp over nine bridges", None),
        ("häßliche grüne Tür", None),
        ("日本語の長い合言葉を選びます", None),
        ("z" + "quiet lamp over nine bridges" * 9, None),
        ("z" + "quiet lamp over nine bridges" * 10, "at most"),
    ],
)
def test_what_is_easy_to_guess_is_no_password(password: str, why: str | None) -> None:
    """Each with the reason; long words of any language are taken."""
    told = "; ".join(problems(password, ["nora", "Nora Dahl"]))
    assert (why is None and not told) or (why is not None and why in told), told


@given(st.text(min_size=SHORTEST, max_size=40))
def test_what_is_refused_is_refused_with_a_reason(password: str) -> None:
    """Whatever is typed, nothing breaks, and the answer does not depend on the case of the letters."""
    told = problems(password, ["Nora"])
    assert all(told)
    if len(password.swapcase().casefold()) == len(password.casefold()) and password.swapcase().casefold() == (
        password.casefold()
    ):
        assert bool(problems(password.swapcase(), ["Nora"])) == bool(told)


def test_what_is_made_here_is_a_password() -> None:
    """And never the same one."""
    made = {generated() for _ in range(200)}
    assert len(made) == 200
    assert all(not problems(each, ["nora"]) or "a name" in problems(each, ["nora"])[0] for each in made)
    assert max(map(len, made)) < LONGEST
