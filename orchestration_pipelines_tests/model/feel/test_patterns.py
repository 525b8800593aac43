"""XPath's regular expressions (F&O 7.6): what they match, what is none, and that a search ends."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.feel import patterns
from orchestration_pipelines.model.feel.evaluation import Evaluation, FeelLimit

letters = st.text(alphabet="abcxyz $\\.*+?()[]{}|^-\n", max_size=12)


def matched(text: str, pattern: str, flags: str = "") -> str | None:
    """What a pattern matches first, by putting brackets round it."""
    marked = patterns.replaced(Evaluation(), text, f"(?:{pattern})", "\0$0\0", flags)
    parts = (marked or "").split("\0")
    return parts[1] if len(parts) > 1 else None


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "found"),
    [
        ("foobar", "^fo*b", "", "foob"),
        ("foobar", "o{2}", "", "oo"),
        ("foobar", "o{1,}?", "", "o"),
        ("abab", "(ab)\\1", "", "abab"),
        ("aabb", "(a)|(b)\\2", "", "a"),
        ("a\nb", "a.b", "", None),
        ("a\nb", "a.b", "s", "a\nb"),
        ("a\nb", "^b$", "", None),
        ("a\nb", "^b$", "m", "b"),
        ("ABC", "b", "", None),
        ("ABC", "b", "i", "B"),
        ("Straße", "STRASSE", "i", None),
        ("ab", "a b", "x", "ab"),
        ("a b", "a[ ]b", "x", "a b"),
        ("a b", "a\\ s b", "x", "a b"),
        ("aab", "a{ 2 } b", "x", "aab"),
        ("a\rb", "a.b", "", "a\rb"),
        ("\u212a", "k", "i", "\u212a"),
        ("\u212a", "[A-Z]", "i", "\u212a"),
        ("xo", "[A-Z-[IO]]+", "i", "x"),
        ("aA", "(a)\\1", "i", "aA"),
        ("hello", "[a-z-[aeiou]]+", "", "h"),
        ("hello", "[^aeiou-[h]]+", "", "ll"),
        ("x-y", "[a-]", "", "-"),
        ("x-y", "[-y]+", "", "-y"),
        ("a]b", "[\\]]", "", "]"),
        ("Ab1", "\\p{Lu}\\p{Ll}\\p{Nd}", "", "Ab1"),
        ("ab", "\\p{Lu}", "i", None),
        ("ab", "[\\p{Lu}b]", "i", "b"),
        ("ab", "[\\p{Lu}]", "i", None),
        ("AB", "[^\\p{Lu}]", "i", None),
        ("ab", "(z)?\\1ab", "", "ab"),
        ("ab1", "\\P{L}", "", "1"),
        ("aλ", "\\p{IsGreek}", "", "λ"),
        ("aλ", "\\P{IsBasicLatin}", "", "λ"),
        ("1:a-b.c", "\\i\\c*", "", ":a-b.c"),
        ("a1 ", "[\\I]", "", "1"),
        ("_x", "\\w", "", "x"),
        ("a_b", "[\\W]", "", "_"),
        ("١2", "\\d", "", "١"),
        ("a\tb", "\\s", "", "\t"),
        ("a\u00a0b", "\\s", "", None),
        ("a b", "[\\S]+", "", "a"),
        ("🐎ab", "^.a", "", "🐎a"),
        ("a.b", ".", "q", None),
        ("ab", "a(?:b|c)", "", "ab"),
        ("tab\tend", "\\t\\w", "", "\te"),
        ("2^3", "\\^", "", "^"),
        ("abbb", "ab{2}", "", "abb"),
    ],
)
def test_what_a_pattern_matches(text: str, pattern: str, flags: str, found: str | None) -> None:
    """Worked out by hand from XSD's appendix and XPath's additions."""
    if "q" in flags:
        assert patterns.matches(Evaluation(), text, pattern, flags) is True
    else:
        assert matched(text, pattern, flags) == found
        assert patterns.matches(Evaluation(), text, pattern, flags) is (found is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "(a", "a)", "[", "[a", "[]", "[^]", "]", "{", "}", "a{", "a{1", "a{,2}", "a{2,1}", "a{1}{2}", "*",
        "a**",
        "a*+", "?a", "a|*", "\\", "\\b", "\\A", "\\x41", "\\u0041", "\\1", "(a\\1)", "\\0", "\\p", "\\p{}", "\\p{Xx}",
        "\\p{IsNowhere}", "(?=a)", "(?!a)", "(?<=a)b", "(?<n>a)", "(?P<n>a)", "(?i)a", "(?>a)", "(?R)", "[z-a]",
        "[a-\\d]", "[a[b]]", "[a-c-e]", "[a-[b]c]", "a{1000000}", "(" * 60 + ")" * 60, "a" * 6_000,
    ],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str) -> None:
    """Null, and said; the extensions of Python, Perl and Java are none."""
    evaluation = Evaluation()
    assert patterns.matches(evaluation, "a", pattern) is None
    assert len(evaluation.diagnostics) == 1 and "is no pattern" in evaluation.diagnostics[0]


@pytest.mark.parametrize("flags", ["z", "i m", "I", "imsxg"])
def test_what_is_no_flag(flags: str) -> None:
    """Null, and said."""
    evaluation = Evaluation()
    assert patterns.matches(evaluation, "a", "a", flags) is None and "flag" in evaluation.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "made"),
    [
        ("abracadabra", "bra", "*", "a*cada*"),
        ("abracadabra", "a.*a", "*", "*"),
        ("abracadabra", "a.*?a", "*", "*c*bra"),
        ("abracadabra", "a(.)", "a$1$1", "abbraccaddabbra"),
        ("abcd", "(ab)|(a)", "[1=$1][2=$2]", "[1=ab][2=]cd"),
        ("banana", "(an)", "<$0>", "b<an><an>a"),
        ("ab", "(a)", "$12", "a2b"),
        ("ab", "a", "$1x", "xb"),
        ("a.b", "\\.", "\\$", "a$b"),
        ("a.b", "\\.", "\\\\", "a\\b"),
        ("a", "a*?b|a", "b", "b"),
        ("ab", "b", "", "a"),
    ],
)
def test_what_a_replacement_makes(text: str, pattern: str, replacement: str, made: str) -> None:
    """Groups by their numbers; one that matched nothing is nothing."""
    assert patterns.replaced(Evaluation(), text, pattern, replacement) == made


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [("a*", "x"), ("", "x"), ("a|", "x"), ("a", "$"), ("a", "$x"), ("a", "\\"), ("a", "\\n")],
)
def test_what_cannot_be_replaced(pattern: str, replacement: str) -> None:
    """A pattern that matches nothing at all, and a replacement that is none: null, and said."""
    evaluation = Evaluation()
    assert patterns.replaced(evaluation, "abc", pattern, replacement) is None and evaluation.diagnostics


@given(letters, letters.filter(bool), letters)
def test_a_literal_replacement_is_python_s(text: str, pattern: str, replacement: str) -> None:
    """With ``q``, and with everything escaped."""
    expected = text.replace(pattern, replacement)
    assert patterns.replaced(Evaluation(), text, pattern, replacement, "q") == expected
    escaped = re.sub(r"([\\.*+?()\[\]{}|^$-])", r"\\\1", pattern)
    written = replacement.replace("\\", "\\\\").replace("$", "\\$")
    assert patterns.replaced(Evaluation(), text, escaped, written) == expected


@given(st.text(alphabet="ab;", max_size=12))
def test_split_and_join_are_inverse(text: str) -> None:
    """Nothing is lost, and nothing is added."""
    assert patterns.split(Evaluation(), text, ";") == text.split(";")


@given(letters, letters, st.sampled_from(["", "i", "s", "m", "x", "smix"]))
def test_any_text_is_a_pattern_or_is_told(text: str, pattern: str, flags: str) -> None:
    """No text raises."""
    evaluation = Evaluation()
    assert (patterns.matches(evaluation, text, pattern, flags) is None) == bool(evaluation.diagnostics)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a" * 60 + "b", "(a|aa)+$"),
        ("ab" * 100_000, "(ab|a)(b|ab)*c$"),
        ("x" * 50_000, "(x+x+)+y|(x|xx)+z$"),
        ("a" * 40, "^(a?){40}a{40}b|(a*a*)*c$"),
    ],
)
def test_a_search_ends(text: str, pattern: str) -> None:
    """In time, with what was found or with a limit: never with a null that depends on the machine."""
    began = time.thread_time()
    try:
        assert patterns.matches(Evaluation(), text, pattern) is not None
    except FeelLimit as limit:
        assert "takes too long" in str(limit)
    assert time.thread_time() - began < 2


def test_many_slow_searches_end() -> None:
    """Each is fast enough; all together are not."""
    evaluation, began = Evaluation(), time.thread_time()
    with pytest.raises(FeelLimit):
        while True:
            patterns.matches(evaluation, "a" * 24, "(a|aa)+$b")
            patterns.matches(evaluation, "a" * 23 + "b", "(a|aa)+$")
    assert time.thread_time() - began < 2
