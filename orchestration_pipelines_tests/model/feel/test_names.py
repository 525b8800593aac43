"""Names with spaces and symbols: the longest that is known is meant (clauses 10.3.1.4 and 10.3.1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.types import TYPES, ContextType, ListType


@pytest.mark.parametrize(
    ("text", "context", "value"),
    [
        ("loan amount + 1", {"loan amount": 2}, 3),
        ("loan   amount\n+ 1", {"loan amount": 2}, 3),
        ("a-b", {"a-b": 1, "a": 5, "b": 2}, 1),
        ("a - b", {"a-b": 1, "a": 5, "b": 2}, 1),
        ("(a)-(b)", {"a-b": 1, "a": 5, "b": 2}, 3),
        ("a-b", {"a": 5, "b": 2}, 3),
        ("a-bc", {"a-b": 1, "a": 5, "bc": 2}, 3),
        ("a b c", {"a b": 1, "a b c": 2}, 2),
        ("what if? + 1", {"what if?": 1}, 2),
        ("profit and loss", {"profit and loss": 1, "profit": True, "loss": True}, 1),
        ("profit and profit and loss = 1", {"profit and loss": 1, "profit": True}, True),
        ("net/gross * 2", {"net/gross": 3}, 6),
        ("mother's name", {"mother's name": "Ann"}, "Ann"),
        ("version 1.5", {"version 1.5": True}, True),
        ("a.b c", {"a": {"b c": 1}}, 1),
        ("a.b-c", {"a": {"b-c": 1}}, 1),
        ("a.b-c", {"a": {"b": 3}, "c": 1}, 2),
        ("a.first name = b", {"a": {"first name": "x"}, "b": "x"}, True),
        ("a.first name and b", {"a": {"first name": True}, "b": True}, True),
        ("a[b-c = 1].d e", {"a": [{"b-c": 1, "d e": 2}, {"b-c": 2}]}, [2]),
        ("a[b c = 1]", {"a": [{"b c": 1}]}, [{"b c": 1}]),
        ("for each one in a return each one", {"a": [1]}, [1]),
        ("some each one in a satisfies each one = 1", {"a": [1]}, True),
        ("(function(a b, c) a b - c)(3, 1)", {}, 2),
        ("(function(a-b) a-b)(3)", {}, 3),
        ("{a b: 1, c: a b}.c", {}, 1),
        ("{a + b: 1}.a + b", {}, 1),
        ("{f g: function(n) if n = 0 then 0 else f g(n - 1), r: f g(3)}.r", {}, 0),
        ("date and time + 1", {"date and time": 1}, 2),
        ("in stock", {"in stock": 1}, None),
        ("item", {"item": 1}, 1),
        ("list", {"list": 1}, 1),
        ("a.return", {"a": {"return": 1}}, 1),
    ],
)
def test_the_longest_known_name_is_meant(text: str, context: dict[str, Any], value: Any) -> None:
    """Known from the context, from the text, and from the entries of what a filter or a dot is about."""
    if value is None:
        with pytest.raises(feel.FeelError):
            feel.evaluate(text, context)
    else:
        assert feel.evaluate(text, context) == value


def test_entries_are_known_from_types() -> None:
    """A table's expressions are read before there are values."""
    offer = ContextType((("unit-price", TYPES["number"]),))
    types = {"tOffers": ListType(ContextType((("best offer", offer),)))}
    read = feel.compile("offers[best offer.unit-price > 2].best offer.unit-price", types=types)
    offers = [{"best offer": {"unit-price": price}} for price in (1, 3)]
    assert read.evaluate({"offers": offers}) == [3]


def test_members_are_known_behind_a_dot_alone() -> None:
    """A name of an entry takes nothing from the names that are in scope."""
    read = feel.compile("a-b + c.a-b", members=("a-b",))
    assert read.names == {"a", "b", "c"}
    assert read.evaluate({"a": 3, "b": 1, "c": {"a-b": 10}}) == 12
