"""Regular expressions of XPath, made safe: what ``matches``, ``replace`` and ``split`` take.

DMN 1.5, clause 10.3.4.3, refers to XQuery 1.0 and XPath 2.0 Functions and Operators, clause 7.6. A pattern is read by
:mod:`~orchestration_pipelines.model.feel.regexes`, never handed on as it is, and runs with a time limit (ADR 0008): a
pattern that would run for ever ends the evaluation. An invalid one is null.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import regex

from orchestration_pipelines.model.feel.arithmetic import MAX_TEXT
from orchestration_pipelines.model.feel.evaluation import Evaluation, FeelLimit
from orchestration_pipelines.model.feel.regexes import PatternError, translated

#: how long one call may search, in seconds
TIME_LIMIT = 0.5
#: a search is paid for by the time that it takes, from here on: so that many slow ones end as well, in time
_FREE_SECONDS, _STEPS_A_SECOND = 0.001, 1_000_000

_DOLLAR = re.compile(r"\\([\\$])|\$(\d+)|([\\$])|[^\\$]+", re.DOTALL)


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> Any:
    """The pattern ready to run; a text that says what is wrong with it."""
    try:
        return regex.compile(translated(pattern, flags), regex.V0 | (regex.IGNORECASE if "i" in flags else 0))
    except PatternError as error:
        return str(error)
    except (regex.error, OverflowError, RecursionError) as error:
        return f"it cannot be read ({error})"


class _Search:
    """One search: a pattern, and the time that it takes."""

    def __init__(self, evaluation: Evaluation, pattern: Any) -> None:
        self.evaluation, self.pattern = evaluation, pattern

    def first(self, text: str) -> Any:
        """The first match, or None."""
        with self._timed(text):
            return self.pattern.search(text, timeout=TIME_LIMIT)

    def all(self, text: str) -> Iterator[Any]:
        """Every match that does not overlap the one before."""
        with self._timed(text):
            yield from self.pattern.finditer(text, timeout=TIME_LIMIT)

    @contextmanager
    def _timed(self, text: str) -> Iterator[None]:
        self.evaluation.spend(1 + len(text) // 100)
        began = time.thread_time()
        try:
            yield
        except TimeoutError:
            raise FeelLimit(
                "a search was stopped: the pattern takes too long on this text; look for repeats within repeats,"
                " such as (a+)+"
            ) from None
        spent = time.thread_time() - began
        if spent > _FREE_SECONDS:
            self.evaluation.spend(int(spent * _STEPS_A_SECOND))


def _search(evaluation: Evaluation, pattern: str, flags: str) -> _Search | None:
    compiled = _compiled(pattern, flags)
    if isinstance(compiled, str):
        shown = pattern if len(pattern) <= 40 else pattern[:37] + "…"
        return evaluation.fault(f"{shown!r} is no pattern: {compiled}")
    return _Search(evaluation, compiled)


def matches(evaluation: Evaluation, text: str, pattern: str, flags: str = "") -> bool | None:
    """Whether the pattern is found anywhere in the text."""
    search = _search(evaluation, pattern, flags)
    return None if search is None else search.first(text) is not None


def replaced(evaluation: Evaluation, text: str, pattern: str, replacement: str, flags: str = "") -> str | None:
    """The text with each match replaced; ``$1`` in the replacement is what the first bracket matched."""
    search = _search(evaluation, pattern, flags)
    if search is None:
        return None
    if search.first("") is not None:
        return evaluation.fault(f"replace: the pattern {pattern!r} matches the empty text")
    groups = search.pattern.groups
    parts = [replacement] if "q" in flags else _replacement(replacement, groups)
    if parts is None:
        return evaluation.fault("replace: in a replacement, write \\$ for a $ and \\\\ for a \\")
    made: list[str] = []
    size, at = 0, 0
    for match in search.all(text):
        made.append(text[at : match.start()])
        made.extend(part if isinstance(part, str) else match.group(part) or "" for part in parts)
        size += sum(map(len, made[-1 - len(parts) :]))
        if size > MAX_TEXT:
            return evaluation.fault(f"replace: the text would be longer than {MAX_TEXT:,} characters")
        evaluation.spend(1 + len(parts))
        at = match.end()
    made.append(text[at:])
    evaluation.spend((size + len(made[-1])) // 100)
    return "".join(made)


def _replacement(written: str, groups: int) -> list[str | int] | None:
    """A replacement as texts and numbers of groups; None where it is none."""
    parts: list[str | int] = []
    at = 0
    while at < len(written):
        found = _DOLLAR.match(written, at)
        if found is None or found[3]:
            return None
        at = found.end()
        if found[1]:
            parts.append(found[1])
        elif found[2]:
            # as many digits as make the number of a group that there is; the others stand for themselves
            digits = found[2]
            while len(digits) > 1 and int(digits) > groups:
                digits = digits[:-1]
            parts.extend([int(digits)] if int(digits) <= groups else [])
            parts.extend([found[2][len(digits) :]] if len(digits) < len(found[2]) else [])
        else:
            parts.append(found[0])
    return parts


def split(evaluation: Evaluation, text: str, delimiter: str) -> list[str] | None:
    """The stretches between the matches of a pattern."""
    search = _search(evaluation, delimiter, "")
    if search is None:
        return None
    if search.first("") is not None:
        return evaluation.fault(f"split: the pattern {delimiter!r} matches the empty text")
    parts, at = [], 0
    for match in search.all(text):
        parts.append(text[at : match.start()])
        at = match.end()
    evaluation.spend(len(parts))
    evaluation.write(len(text))
    return [*parts, text[at:]]
