"""Reasons that reviewers use again: why a case is approved, rejected, returned or sent up; they are counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestration_pipelines.domain.review import Outcome

MAX_CODE_CHARS = 40
MAX_WORDS_CHARS = 200
_CODE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Reason:
    """A reason as the policy offers it."""

    words: str
    outcomes: tuple[str, ...]  #: of which decisions it may be a reason
    steps: tuple[str, ...] = ()  #: at which user tasks; none: at all of them
    needs_text: bool = False  #: the reviewer must say more in the rationale


def reason_problems(reasons: Mapping[str, Reason], steps: Iterable[str]) -> Iterator[str]:
    """What is wrong with the reasons of a policy, each by its place; ``steps`` are the drawing's user tasks."""
    known = sorted(steps)
    said: dict[tuple[str, str], str] = {}
    for code, reason in reasons.items():
        place = f"reasons.{code}"
        if _CODE.fullmatch(code) is None or len(code) > MAX_CODE_CHARS:
            yield f"{place}: a code is small letters, digits and _, a letter first, at most {MAX_CODE_CHARS} of them"
        if not reason.words:
            yield f"{place}.words: say it in words: reviewers read them, not the code"
        elif len(reason.words) > MAX_WORDS_CHARS:
            yield f"{place}.words: {len(reason.words)} characters; {MAX_WORDS_CHARS} are allowed"
        if not reason.outcomes:
            yield f"{place}.outcomes: say of what it is a reason: {', '.join(Outcome)}"
        for what, named in (("outcomes", reason.outcomes), ("steps", reason.steps)):
            for name in sorted({name for name in named if named.count(name) > 1}):
                yield f"{place}.{what}: {name!r} is there twice"
        for outcome in reason.outcomes:
            if outcome not in set(Outcome):
                yield f"{place}.outcomes: {outcome!r} is none: there are {', '.join(Outcome)}"
            twin = said.setdefault((reason.words.casefold(), outcome), code)
            if reason.words and twin != code:
                yield f"{place}.words: {twin} says the same of {outcome}: counted apart, they would count for nothing"
        for step in reason.steps:
            if step not in known:
                yield f"{place}.steps: there is no user task {step!r}: the drawing has {', '.join(known) or 'none'}"
