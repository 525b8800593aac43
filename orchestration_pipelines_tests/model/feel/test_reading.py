"""Reading FEEL: what is read is what is meant, and what cannot be read says where and why."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines_tests.model.feel.writing import KEYS, NAMES, trees, written


@given(trees)
def test_what_is_written_is_read_as_it_was(tree: nodes.Node) -> None:
    """Every node, at every place, with names that have spaces, symbols and words of the language in them."""
    assert feel.compile(written(tree), NAMES, members=KEYS).tree == tree


@pytest.mark.parametrize(
    ("loose", "bracketed"),
    [
        ("1 + 2 * 3 ** 2", "1 + (2 * (3 ** 2))"),
        ("10 - 4 - 3", "(10 - 4) - 3"),
        ("2 ** 3 ** 2", "(2 ** 3) ** 2"),
        ("-2 ** 2", "(-2) ** 2"),
        ("2 ** -2", "2 ** (-2)"),
        ("- a.b[1]", "-((a.b)[1])"),
        ("-a instance of number", "-(a instance of number)"),
        ("a or b and c", "a or (b and c)"),
        ("a and b = c + 1", "a and (b = (c + 1))"),
        ("a between 1 and 3 and b", "(a between 1 and 3) and b"),
        ("a in [1..3] and b", "(a in [1..3]) and b"),
        ("a < b = true", "(a < b) = true"),
        ("if a then b else c + 1", "if a then b else (c + 1)"),
        ("1 + if a then 2 else 3 + 4", "1 + (if a then 2 else (3 + 4))"),
        ("for i in a return i + 1", "for i in a return (i + 1)"),
        ("some i in a satisfies i and b", "some i in a satisfies (i and b)"),
        ("function(x) x + 1", "function(x) (x + 1)"),
        ("a(1)(2).b", "((a(1))(2)).b"),
        ("a in (1..3)", "a in ((1..3))"),
        ("a in (b) + 1", "a in ((b) + 1)"),
        ("]1..3[", "(1..3)"),
        ("[1..3[ = b", "([1..3)) = b"),
        ("[a[1]..b[1]]", "[(a[1])..(b[1])]"),
    ],
)
def test_precedence(loose: str, bracketed: str) -> None:
    """As clause 10.3.1.2 has it: left to right, and each level below the next."""
    assert feel.compile(loose).tree == feel.compile(bracketed).tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\"b\\c\n\r\t\'"', "a\"b\\c\n\r\t'"),
        (r'"\u0041\U01F40E"', "A🐎"),
        (r'"\uD83D\uDC0E"', "🐎"),
        ('"// no comment /* here */"', "// no comment /* here */"),
        ("1 // one\n+ 1", 2),
        ("1 /* and\nanother */ + 1", 2),
        ("\u00a0\u30001\ufeff", 1),
        ("{größe: 1}.größe", 1),
        ("{🐎: 1}.🐎", 1),
        (".5 + 0.5", 1),
        ("1.2e3", 1200),
        ("{ }", {}),
        ("[ ]", []),
    ],
)
def test_tokens(text: str, value: object) -> None:
    """Escapes, comments, white space and letters of all kinds."""
    assert feel.evaluate(text, {}) == value


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("1 +", 3, "expected an expression, found the end"),
        ("a b", 2, "expected an operator or the end, found 'b'"),
        ("(1", 2, "expected '\\)', found the end"),
        ("1 ~ 2", 2, "expected an operator or the end, found '~'"),
        ("if a then b", 11, "expected 'else', found the end"),
        ("if a else b", 5, "expected 'then', found 'else'"),
        ("", 0, "expected an expression, found the end"),
        ("1e99999", 0, "a number beyond all bounds"),
        ('"abc', 0, "expected a closing quotation mark"),
        ("1 /* 2", 2, "expected '\\*/'"),
        ('"\\uD83D"', 0, "found an escape that is none"),
        ("[1..2", 5, "expected '\\]', '\\)' or '\\[', which end a range, found the end"),
        ("for i return 1", 14, "expected 'in', found the end"),
        ("for i in a", 10, "expected 'return', found the end"),
        ("some i in a return 1", 12, "expected 'satisfies', found 'return'"),
        ("{a 1}", 4, "expected ':', found '}'"),
        ("{a: 1, a: 2}", 11, "expected a context whose keys differ"),
        ("a instance number", 11, "expected 'of', found 'number'"),
        ("function(x: strnig) x", 12, "expected a type, found 'strnig'"),
        ("a.", 2, "expected a name, found the end"),
        ("a.1", 1, "expected an operator or the end"),
        ('@"tomorrow"', 1, "expected a date, a time or a duration in quotation marks"),
        ("for a in x, " + ", ".join(f"v{n} in x" for n in range(30)) + " return 1", 301, "at most 20 variables"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, position: int, reason: str) -> None:
    """Counted from one in the message, for people."""
    with pytest.raises(feel.FeelError, match=f"{reason}.* at position {position + 1} of") as error:
        feel.compile(text)
    assert error.value.position == position


@pytest.mark.parametrize(
    "text",
    ["(" * 9_000, "[" * 9_000, "-" * 9_000 + "1", "1" + "+1" * 9_000, "a" + ".b" * 9_000, "x in (" * 3_000,
     "if " * 6_000, "not(" * 4_000, "1" * 30_000, "{a:" * 6_000, "function(x) " * 1_500, "for x in " * 2_000,
     "a[" * 9_000, "a(" * 9_000, "1 instance of " + "list<" * 3_000, "a in " * 4_000, "a between " * 1_900,
     "]" * 9_000, "1 = " * 4_500 + "1", "a - " * 4_900 + "a", "<" * 9_000],
)  # fmt: skip
def test_a_monstrous_expression_is_refused(text: str) -> None:
    """No recursion of Python's is ever used up."""
    for read in (feel.compile, feel.unary_tests):
        with pytest.raises(feel.FeelError):
            read(text)


def test_the_longest_expression_that_is_read_can_be_evaluated() -> None:
    """The bounds leave room on the stack; a long "or" of many values is no deep one."""
    assert feel.evaluate("1" + "+1" * 148, {}) == 149
    assert feel.evaluate("(" * 79 + "1" + ")" * 79, {}) == 1
    assert feel.evaluate(" or ".join(f"x = {n}" for n in range(1_000)), {"x": 999}) is True


_SYMBOLS = ("(", ")", "[", "]", "..", ",", ".", "-", "+", "**", "/", "<", "<=", "!=", "=", "?", "{", "}", ":", "/*",
            "\\", '"', "@", "'", "&")  # fmt: skip
_WORDS = ("not", "in", "if", "then", "else", "and", "or", "between", "null", "true", "for", "return", "some", "every",
          "satisfies", "function", "external", "instance", "of", "list", "context", "range", "number", "date and time",
          "item", "partial", "max", "string length", "a", "loan amount", "1", '"t"')  # fmt: skip
_FRAGMENTS = st.lists(st.sampled_from(_SYMBOLS + _WORDS), max_size=25).map(" ".join)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """A valid expression with some of its characters gone, doubled or moved."""
    text = written(draw(trees))
    shuffled = random.Random(draw(st.integers(0, 1_000)))
    characters = list(text)
    for _ in range(draw(st.integers(1, 4))):
        place = shuffled.randrange(len(characters) + 1)
        characters[place:place] = shuffled.choice((["("], [")"], ["]"], [".", "."], [" in "], characters[:5], [","]))
        del characters[shuffled.randrange(len(characters))]
    return "".join(characters)


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)


@given(st.text() | _FRAGMENTS | _mutated(), _VALUES)
def test_any_text_is_an_expression_or_a_feel_error(text: str, value: object) -> None:
    """And what was read can be evaluated over anything, or is stopped."""
    for read in (feel.compile, feel.unary_tests):
        try:
            expression = read(text, ("loan amount",))
        except feel.FeelError:
            continue
        try:
            expression.evaluate({"a": value, "?": value, "loan amount": value}, feel.Evaluation(steps=10_000))
        except feel.FeelLimit:
            continue
