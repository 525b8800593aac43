"""FEEL that would take a machine down, were it let."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.evaluation import Evaluation


def evaluated(text: str) -> tuple[object, object]:
    """The value, and what was told of it."""
    evaluation = Evaluation()
    return feel.compile(text).evaluate({}, evaluation), evaluation.diagnostics


def _nested(entries: int, first: str, rest: str, last: str) -> str:
    """A context whose entries each build on the one before."""
    built = [f"v0: {first}", *(f"v{n}: {rest.format(f'v{n - 1}')}" for n in range(1, entries))]
    return "{" + ", ".join([*built, f"r: {last.format(f'v{entries - 1}')}"]) + "}.r"


def _grown(first: str, following: str) -> str:
    """A list of 60 values that each build on the one before."""
    return f"(for i in 1..60 return if i = 1 then {first} else {following})"


_COUNTED = "(for i in 1..{n} return i)"
_TEXTS = _grown('"x"', "partial[-1] + partial[-1]")
_LISTS = _grown("[1]", "[partial[-1], partial[-1]]")
_CONTEXTS = _grown("{k: 1}", "{k: partial[-1], l: partial[-1]}")

#: cannot be read; all but one are of a length that is allowed
UNREADABLE = {
    "length": "1 + " * 1_000_000 + "1",
    "brackets": "(" * 9_000 + "1" + ")" * 9_000,
    "brackets that never close": "(" * 19_000,
    "lists in lists": "[" * 9_000 + "]" * 9_000,
    "contexts in contexts": "{a: " * 3_500 + "1" + "}" * 3_500,
    "minus": "-" * 19_000 + "1",
    "ifs": "if true then " * 1_000 + "1" + " else 1" * 900,
    "fors": "for x in [1] return " * 900 + "x",
    "functions": "function(x) " * 1_500 + "x",
    "calls": "not(" * 3_500 + "true" + ")" * 3_500,
    "paths": "a" + ".b" * 9_000,
    "filters": "a" + "[1]" * 6_000,
    "sums": "1" + "+1" * 9_000,
    "powers": "2" + "**2" * 6_000,
    "comparisons": "1" + " < 1" * 4_500,
    "types": "1 instance of " + "list<" * 3_000 + "number" + ">" * 3_000,
    "tests": "1 in (" * 3_000 + "1" + ")" * 1_900,
    "a text without an end": '"' + "x" * 19_000,
    "a text of backslashes": '"' + "\\" * 19_000,
    "a comment without an end": "/*" + "x" * 19_000,
    "comments": "/**/" * 4_900,
    "a name of many words": "a " * 9_000,
    "a name of many signs": "a+" * 9_000,
    "a range of ranges": "[1.." * 4_900,
    "an exponent that is too large": "1e999999999999999999999",
    "a number that is too large": "9" * 19_000,
}
#: is read; its evaluation ends in a limit, or in null with a reason
ENDLESS = {
    "a function that calls what it is given": "{f: function(g, n) g(g, n + 1), r: f(f, 0)}.r",
    "a function that calls itself": "{f: function(n) f(n + 1), r: f(0)}.r",
    "two that call each other": "{f: function(a, b, n) b(b, a, n), r: f(f, f, 0)}.r",
    "a tree of calls": "{f: function(g, n) g(g, n - 1) + g(g, n - 1), r: f(f, 100)}.r",
    "text that doubles": f"{_TEXTS}[-1]",
    "text that doubles by entry": _nested(40, '"xxxxxxxxxx"', "{0} + {0}", "string length({0})"),
    "text that is joined": 'string join(for i in 1..900000 return "xxxxxxxxxxxxxxxxxxxx", "----------")',
    "text that is replaced": _nested(12, '"aaaaaaaaaa"', 'replace({0}, "a", "aaaaaaaaaa")', "{0}"),
    "replacement by the whole": _nested(12, '"aaaaaaaaaa"', 'replace({0}, "a", "$0$0$0$0$0$0$0$0")', "{0}"),
    "a range to count": "sum(for i in 1..1000000000000 return i)",
    "a range of texts to the sky": "for i in 1..10**30 return i",
    "a range without bounds": "for i in 1..10**6144 return i",
    "a range of dates": 'for d in @"-999999-01-01"..@"999999-01-01" return d',
    "three loops": "for a in 1..1000, b in 1..1000, c in 1..1000 return a",
    "some of three loops": "some a in 1..1000, b in 1..1000, c in 1..1000 satisfies a < 0",
    "every of three loops": "every a in 1..1000, b in 1..1000, c in 1..1000 satisfies a > 0",
    "loops of loops": "for a in (for b in (for c in 1..1000000 return c) return b) return a",
    "a filter of a filter": "(for i in 1..3000 return i)[count((for j in 1..3000 return j)[item > 0]) > 0]",
    "a list that doubles": f"count({_grown('[1]', 'concatenate(partial[-1], partial[-1])')}[-1])",
    "a list that is flattened": f"flatten({_LISTS}[-1])",
    "a list that is written": f"string({_LISTS}[-1])",
    "lists that are compared": f"{_LISTS}[-1] = {_LISTS}[-1]",
    "contexts that are compared": f"{_CONTEXTS}[-1] = {_CONTEXTS}[-1]",
    "a context that is written": f"string({_CONTEXTS}[-1])",
    "contexts that are merged": "context merge(for i in 1..900000 return {k: i, l: [i, i, i, i]})",
    "a context that grows": "(for i in 1..20000 return "
    "if i = 1 then {} else context put(partial[-1], string(i), i))[-1]",
    "distinct values": f"count(distinct values({_COUNTED.format(n=200_000)}))",
    "distinct lists": "count(distinct values(for i in 1..20000 return [i]))",
    "a union": f"count(union({_COUNTED.format(n=400_000)}, {_COUNTED.format(n=400_000)}))",
    "values that are looked for": f"for i in 1..20000 return list contains({_COUNTED.format(n=20_000)}, -1)",
    "a sort that sorts": "sort(for i in 1..300 return i, function(a, b) count(sort(for i in 1..3000 return i, "
    "function(c, d) c > d)) > 0)",
    "a sort of many": "sort(for i in 1..400000 return -i, function(a, b) a < b)",
    "a sort that cannot decide": "sort(for i in 1..200000 return i, function(a, b) true)",
    "a median of many": "median(for i in 1..900000 return -i)",
    "a product of many": "product(for i in 1..900000 return 9999999999999999999999999999999999)",
    "a concatenation in a loop": "(for i in 1..5000 return if i = 1 then [1] else append(partial[-1], i))[-1]",
    "a split of each character": 'for i in 1..1000 return split("' + "a" * 5_000 + '", "a")',
}
#: is read, and null with a reason or a limit: no number, text or pattern of the standard
MEANINGLESS = {
    "an exponent": "10 ** 1000000000",
    "exponents": "9.9 ** 9.9 ** 9.9 ** 9.9",
    "a root of the largest": "1E6144 ** 1E6144",
    "e to a million": "exp(1000000)",
    "beyond the largest": "1E6144 * 1E6144",
    "a place after the point": "decimal(1, 1000000000)",
    "a rounded one": "round up(1.5, 100000000000)",
    "a number in a text": 'number("1e999999999", ",", ".")',
    "an item far away": "[1, 2, 3][10 ** 6144]",
    "a part far away": 'substring("abc", 10 ** 6144, 10 ** 6144)',
    "a month far away": "date(10 ** 6144, 1, 1)",
    "a duration of ages": 'duration("P999999999999999999999999Y") * 10 ** 6000',
    "a date of ages": '@"9999-12-31" + duration("P99999999999999Y")',
    "many days": 'duration("P1D") * 10 ** 6000',
    "a pattern that backtracks": 'matches("' + "a" * 60 + '!", "^(a+)+$")',
    "a pattern that chooses": 'matches("' + "a" * 60 + '!", "^(a|a)*$")',
    "a pattern that chooses more": 'matches("' + "a" * 60 + '!", "^(a|aa|aaa)*$")',
    "a pattern of stars": 'matches("' + "a" * 5_000 + '", "' + "a*" * 40 + 'b")',
    "a pattern in brackets": 'matches("x", "' + "(" * 5_000 + "x" + ")" * 5_000 + '")',
    "a pattern that repeats": 'matches("x", "a{1000000000}")',
    "a pattern that repeats repeats": 'matches("' + "a" * 2_000 + '", "(((a{1,100}){1,100}){1,100}){1,100}b")',
    "a pattern that looks back": 'matches("' + "a" * 3_000 + 'b", "(a*)(a*)(a*)\\\\1\\\\2\\\\3c")',
    "a replacement that backtracks": 'replace("' + "a" * 60 + '!", "(a+)+$", "x")',
    "a split that backtracks": 'split("' + "a" * 60 + '!", "(a+)+$")',
}

CASES: dict[str, Callable[[], tuple[object, object]]] = {
    f"{kind}: {name}": partial(evaluated, text)
    for kind, texts in (("unreadable", UNREADABLE), ("endless", ENDLESS), ("meaningless", MEANINGLESS))
    for name, text in texts.items()
}
