"""Context functions (DMN 1.5, clause 10.3.4.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_pipelines.model.feel.builtins.library import Library
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import described

CONTEXTS = Library()


@CONTEXTS.function("get value", "m: context; key: string")
def _get_value(evaluation: Evaluation, context: Mapping[str, Any], key: str) -> Any:
    return context[key] if key in context else evaluation.fault(f"get value: the context has no entry {key!r}")


@CONTEXTS.function("get entries", "m: context")
def _get_entries(evaluation: Evaluation, context: Mapping[str, Any]) -> list[dict[str, Any]]:
    evaluation.spend(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@CONTEXTS.function("context", "entries: list")
def _context(evaluation: Evaluation, entries: list[Any]) -> Any:
    evaluation.spend(len(entries))
    built: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or "key" not in entry or "value" not in entry:
            return evaluation.fault(f"context takes contexts with a key and a value, found {described(entry)}")
        key = entry["key"]
        if not isinstance(key, str):
            return evaluation.fault(f"context: a key is a text, found {described(key)}")
        if key in built:
            return evaluation.fault(f"context: the key {key!r} is there twice")
        built[key] = entry["value"]
    return built


@CONTEXTS.function("context put", "context: context; key: string; value: any")
def _context_put(evaluation: Evaluation, context: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    evaluation.spend(len(context) + 1)
    return {**context, key: value}


@CONTEXTS.function("context put", "context: context; keys: list; value: any")
def _context_put_within(evaluation: Evaluation, context: Mapping[str, Any], keys: list[Any], value: Any) -> Any:
    if not keys:
        return evaluation.fault("context put: there are no keys")
    inner: Any = context
    levels: list[tuple[Mapping[str, Any], str]] = []
    for key in keys:
        if not isinstance(key, str):
            return evaluation.fault(f"context put: a key is a text, found {described(key)}")
        if not isinstance(inner, Mapping):
            return evaluation.fault(f"context put: there is no context to put {key!r} into, but {described(inner)}")
        levels.append((inner, key))
        inner = inner.get(key)
    for outer, key in reversed(levels):
        value = _context_put(evaluation, outer, key, value)
    return value


@CONTEXTS.function("context merge", "contexts: list")
def _context_merge(evaluation: Evaluation, contexts: list[Any]) -> Any:
    merged: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, Mapping):
            return evaluation.fault(f"context merge takes contexts, found {described(context)}")
        evaluation.spend(len(context) + 1)
        merged.update(context)
    return merged
