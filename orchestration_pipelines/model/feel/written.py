"""Values as text: what ``string()`` gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import lexical
from orchestration_pipelines.model.feel.arithmetic import number, rounded
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Function
from orchestration_pipelines.model.feel.types import described, kind

#: a key that need not be quoted
_NAME = re.compile(r"[^\W\d]\w*(?: \w+)*")


def text_of(evaluation: Evaluation, value: Any) -> str | None:
    """The text of a value: a text itself, a number without an exponent, everything else as FEEL reads it."""
    written = value if isinstance(value, str) else _text(evaluation, value)
    if written is None:
        return evaluation.fault(f"{described(value)} has no text")
    evaluation.spend(len(written) // 100)
    return written


def number_text(value: Decimal) -> str | None:
    """The digits of a number, without an exponent; None of one that FEEL does not have."""
    exact = rounded(value)
    if exact is None:
        return None
    return f"{exact:f}" if exact else f"{exact.copy_abs():f}"


def _text(evaluation: Evaluation, value: Any) -> str | None:
    match kind(value):
        case "number":
            exact = number(value)
            return None if exact is None else number_text(exact)
        case "boolean":
            return "true" if value else "false"
        case "list":
            return _listed(evaluation, value)
        case "context":
            return _entries(evaluation, value)
        case "range":
            low, high = _within(evaluation, value.low), _within(evaluation, value.high)
            opening, closing = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
            return f"{opening}{'' if value.low is None else low}..{'' if value.high is None else high}{closing}"
        case "function":
            return f"function({', '.join(value.parameters)})" if isinstance(value, Function) else None
        case "years and months duration":
            return str(value)
        case None:
            return None
        case _:
            return lexical.text(value)


def _listed(evaluation: Evaluation, value: list[Any]) -> str:
    evaluation.spend(len(value))
    evaluation.enter()
    written = []
    for item in value:
        written.append(_within(evaluation, item))  # noqa: PERF401 # a comprehension is one frame more of the stack
    evaluation.leave()
    return f"[{', '.join(written)}]"


def _entries(evaluation: Evaluation, value: Mapping[str, Any]) -> str:
    evaluation.spend(len(value))
    evaluation.enter()
    written = []
    for key, item in value.items():
        written.append(f"{_key(str(key))}: {_within(evaluation, item)}")
    evaluation.leave()
    return f"{{{', '.join(written)}}}"


def _within(evaluation: Evaluation, value: Any) -> str:
    """A value inside of another: there a text has its quotes, and null its name."""
    written = _quoted(value) if isinstance(value, str) else _text(evaluation, value)
    if written is None:
        return "null"
    evaluation.spend(len(written) // 100)
    return written


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def storable(value: Any) -> Any:
    """A value as JSON can hold it: what JSON has no kind for (a date, a duration, a range, a function) is its text."""
    if isinstance(value, str | bool | int | Decimal) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, Mapping):
        return {name: storable(item) for name, item in value.items()}
    return text_of(Evaluation(), value)
