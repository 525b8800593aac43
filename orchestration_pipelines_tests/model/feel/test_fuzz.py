"""Any text at all is read, or refused with a place; any expression has a value, or is ended. Nothing else is raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.evaluation import Evaluation

_PIECES = """
if then else for in return some every satisfies function external instance of between and or not null true false
date time duration string number list context item partial x y a.b ? @ { } [ ] ( ) , : ; . .. + - * / ** = != < <=
> >= -> " ' \\ // /* */ 0 1 2.5 1e9999 .5 "text" @"2024-01-01" @"PT1H" count sum sort matches substring é 𝄞
"""
_WORDS = _PIECES.split()
_CONTEXT = {"x": 1, "y": [1, None, {"a": "b"}], "a": {"b": True}, "?": None, "a b": "c"}
#: one of each kind of expression, to be spoilt
_SOUND = (
    "if x > 1 and not(a.b) then [1, 2, x][item >= 2] else {k: 1, l: k + 1}.l",
    "for i in 1..3, j in y return i ** 2 - j / 2",
    'some i in [date("2024-01-01")..date("2024-02-01")] satisfies i = @"2024-01-05"',
    "sort(y, function(p: number, q) p < q)",
    'substring("text", -2, 1) + string(duration("P1DT2H") * 2)',
    "x between 1 and 5 or x in (< 3, [4..5), not(7)) or x instance of list<context<k: number>>",
    'replace("abc", "(b+)", "[$1]", "i") = "a[b]c"',
)
_ANY_TEXT = st.text(max_size=60)
_ANY_WORDS = st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join)


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """A sound expression with pieces cut out, put in and moved."""
    text = draw(st.sampled_from(_SOUND))
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
        end = min(end, start + 8)
        put = draw(st.sampled_from([*_WORDS, "", text[:end], text[end:]]) | st.characters())
        text = (text[:start] + put + text[end:])[:300]
    return text


@pytest.mark.parametrize("read", [feel.compile, feel.unary_tests], ids=["expression", "tests"])
@settings(max_examples=250, deadline=None)
@given(text=_ANY_TEXT | _ANY_WORDS | _spoilt())
def test_any_text_is_read_or_refused(read: Callable[[str], feel.Expression], text: str) -> None:
    """A refusal says where; what is read is evaluated, and raises nothing but the limit."""
    try:
        expression = read(text)
    except feel.FeelError as error:
        assert str(error)
        return
    evaluation = Evaluation(steps=20_000)
    try:
        expression.evaluate(_CONTEXT, evaluation)
    except feel.FeelLimit as limit:
        assert str(limit)
