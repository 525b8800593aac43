"""List functions that look at items or put lists together (DMN 1.5, clause 10.3.4.4)."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from orchestration_pipelines.model.feel.builtins.library import Library
from orchestration_pipelines.model.feel.builtins.strings import stretch
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Function
from orchestration_pipelines.model.feel.types import described, kind
from orchestration_pipelines.model.feel.values import alike

LISTS = Library()


@LISTS.function("list contains", "list: list; element: any")
def _list_contains(evaluation: Evaluation, items: list[Any], element: Any) -> bool:
    evaluation.spend(len(items))
    return any(alike(evaluation, item, element) for item in items)


@LISTS.function("count", "list: list")
def _count(_: Evaluation, items: list[Any]) -> Decimal:
    return Decimal(len(items))


@LISTS.function("sublist", "list: list; start position: number; length?: number")
def _sublist(evaluation: Evaluation, items: list[Any], start: Decimal, length: Decimal | None = None) -> Any:
    found = stretch(evaluation, "sublist", len(items), start, length)
    return None if found is None else _made(evaluation, items[found[0] : found[1]])


def _made(evaluation: Evaluation, items: list[Any]) -> list[Any]:
    evaluation.spend(len(items))
    return items


@LISTS.function("append", "list: list; item...: any")
def _append(evaluation: Evaluation, items: list[Any], further: list[Any]) -> list[Any]:
    return _made(evaluation, [*items, *further])


@LISTS.function("concatenate", "list...: list")
def _concatenate(evaluation: Evaluation, lists: list[list[Any]]) -> list[Any]:
    evaluation.spend(sum(map(len, lists)))
    return [item for items in lists for item in items]


def _index(evaluation: Evaluation, what: str, items: list[Any], position: Decimal) -> int | None:
    found = stretch(evaluation, what, len(items), position, None)
    return None if found is None else found[0]


@LISTS.function("insert before", "list: list; position: number; newItem: any")
def _insert_before(evaluation: Evaluation, items: list[Any], position: Decimal, item: Any) -> Any:
    at = _index(evaluation, "insert before", items, position)
    return None if at is None else _made(evaluation, [*items[:at], item, *items[at:]])


@LISTS.function("remove", "list: list; position: number")
def _remove(evaluation: Evaluation, items: list[Any], position: Decimal) -> Any:
    at = _index(evaluation, "remove", items, position)
    return None if at is None else _made(evaluation, items[:at] + items[at + 1 :])


@LISTS.function("list replace", "list: list; position: number; newItem: any")
def _list_replace(evaluation: Evaluation, items: list[Any], position: Decimal, item: Any) -> Any:
    at = _index(evaluation, "list replace", items, position)
    return None if at is None else _made(evaluation, [*items[:at], item, *items[at + 1 :]])


@LISTS.function("list replace", "list: list; match: function; newItem: any")
def _list_replace_matching(evaluation: Evaluation, items: list[Any], match: Function, item: Any) -> Any:
    answers = [match.call(evaluation, [old, item]) for old in items]
    for answer in answers:
        if not isinstance(answer, bool):
            return evaluation.fault(f"list replace: match is to be true or false, found {described(answer)}")
    return _made(evaluation, [item if chosen else old for old, chosen in zip(items, answers, strict=True)])


@LISTS.function("reverse", "list: list")
def _reverse(evaluation: Evaluation, items: list[Any]) -> list[Any]:
    return _made(evaluation, items[::-1])


@LISTS.function("index of", "list: list; match: any")
def _index_of(evaluation: Evaluation, items: list[Any], match: Any) -> list[Decimal]:
    evaluation.spend(len(items))
    return [Decimal(at) for at, item in enumerate(items, 1) if alike(evaluation, item, match)]


def distinct(evaluation: Evaluation, items: list[Any]) -> list[Any]:
    """The items in order, each as often as once."""
    evaluation.spend(len(items))
    plain: set[tuple[str | None, Any]] = set()  # of what Python finds again by its hash
    others: list[Any] = []
    first: list[Any] = []
    for item in items:
        of = kind(item)
        if item is None or of in ("number", "string", "boolean"):
            key = (of, item)
            if key not in plain:
                plain.add(key)
                first.append(item)
            continue
        evaluation.spend(len(others))
        if not any(alike(evaluation, item, other) for other in others):
            others.append(item)
            first.append(item)
    return first


@LISTS.function("union", "list...: list")
def _union(evaluation: Evaluation, lists: list[list[Any]]) -> list[Any]:
    return distinct(evaluation, [item for items in lists for item in items])


LISTS.function("distinct values", "list: list")(distinct)


@LISTS.function("flatten", "list: list")
def _flatten(evaluation: Evaluation, items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    waiting = [iter(items)]
    while waiting:
        evaluation.spend()
        for item in waiting[-1]:
            if isinstance(item, list):
                waiting.append(iter(item))
                break
            evaluation.spend()
            flat.append(item)
        else:
            waiting.pop()
    return flat


@LISTS.function("sort", "list: list; precedes: function")
def _sort(evaluation: Evaluation, items: list[Any], precedes: Function) -> Any:
    evaluation.spend(len(items))
    odd: list[Any] = []

    def order(left: Any, right: Any) -> int:
        first = precedes.call(evaluation, [left, right])
        if not isinstance(first, bool):
            odd.append(first)
        # Python asks only whether the left one is less
        return -1 if first is True else 1

    ordered = sorted(items, key=cmp_to_key(order))
    if odd:
        return evaluation.fault(f"sort: precedes is to be true or false, found {described(odd[0])}")
    return ordered
