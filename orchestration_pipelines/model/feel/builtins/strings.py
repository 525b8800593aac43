"""String functions (DMN 1.5, clause 10.3.4.3): positions count characters, from 1, or from -1 at the end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import patterns
from orchestration_pipelines.model.feel.arithmetic import MAX_TEXT
from orchestration_pipelines.model.feel.builtins.library import Library, cut
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import described

STRINGS = Library()


def stretch(
    evaluation: Evaluation, what: str, size: int, start: Decimal, length: Decimal | None
) -> tuple[int, int] | None:
    """The indices of so many items from a position on (footnotes 1 and 2); null, told, where they are not there."""
    position = cut(start)
    if not position or abs(position) > size:
        return evaluation.fault(f"{what}: position {start} is not among the {size}, counted from 1 or from -1")
    first = position - 1 if position > 0 else size + position
    if length is None:
        return first, size
    count = cut(length)
    if not 1 <= count <= size - first:
        return evaluation.fault(f"{what}: there are {size - first} from position {start} on, not {length}")
    return first, first + count


@STRINGS.function("substring", "string: string; start position: number; length?: number")
def _substring(evaluation: Evaluation, string: str, start: Decimal, length: Decimal | None = None) -> Any:
    if length is not None:
        # a text that is shorter is given as far as it goes, as every engine does
        position = cut(start)
        length = min(length, Decimal(len(string) - position + 1 if position > 0 else -position))
    found = stretch(evaluation, "substring", len(string), start, length)
    return None if found is None else string[found[0] : found[1]]


@STRINGS.function("string length", "string: string")
def _string_length(_: Evaluation, string: str) -> Decimal:
    return Decimal(len(string))


@STRINGS.function("upper case", "string: string")
def _upper_case(evaluation: Evaluation, string: str) -> str:
    evaluation.spend(len(string) // 100)
    return string.upper()


@STRINGS.function("lower case", "string: string")
def _lower_case(evaluation: Evaluation, string: str) -> str:
    evaluation.spend(len(string) // 100)
    return string.lower()


@STRINGS.function("substring before", "string: string; match: string")
def _substring_before(_: Evaluation, string: str, match: str) -> str:
    before, found, _after = string.partition(match) if match else ("", "", "")
    return before if found else ""


@STRINGS.function("substring after", "string: string; match: string")
def _substring_after(_: Evaluation, string: str, match: str) -> str:
    return string.partition(match)[2] if match else string


@STRINGS.function("contains", "string: string; match: string")
def _contains(evaluation: Evaluation, string: str, match: str) -> bool:
    evaluation.spend(len(string) // 100)
    return match in string


@STRINGS.function("starts with", "string: string; match: string")
def _starts_with(_: Evaluation, string: str, match: str) -> bool:
    return string.startswith(match)


@STRINGS.function("ends with", "string: string; match: string")
def _ends_with(_: Evaluation, string: str, match: str) -> bool:
    return string.endswith(match)


@STRINGS.function("matches", "input: string; pattern: string; flags?: string | null")
def _matches(evaluation: Evaluation, text: str, pattern: str, flags: str | None = None) -> bool | None:
    return patterns.matches(evaluation, text, pattern, flags or "")


@STRINGS.function("replace", "input: string; pattern: string; replacement: string; flags?: string | null")
def _replace(evaluation: Evaluation, text: str, pattern: str, replacement: str, flags: str | None = None) -> str | None:
    return patterns.replaced(evaluation, text, pattern, replacement, flags or "")


@STRINGS.function("split", "string: string; delimiter: string")
def _split(evaluation: Evaluation, string: str, delimiter: str) -> list[str] | None:
    return patterns.split(evaluation, string, delimiter)


@STRINGS.function("string join", "list: list; delimiter?: string | null")
def _string_join(evaluation: Evaluation, items: list[Any], delimiter: str | None = None) -> Any:
    evaluation.spend(len(items))
    strings = [item for item in items if item is not None]
    for item in strings:
        if not isinstance(item, str):
            return evaluation.fault(f"string join takes texts, found {described(item)}")
    between = delimiter or ""
    size = sum(map(len, strings)) + len(between) * max(len(strings) - 1, 0)
    if size > MAX_TEXT:
        return evaluation.fault(f"string join: a text of {size:,} characters is too long; {MAX_TEXT:,} are allowed")
    evaluation.spend(size // 100)
    return between.join(strings)
