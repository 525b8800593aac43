"""DMN files that would take a machine down, were they let."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn import checks
from orchestration_pipelines_tests.model.dmn.drawing import (
    V15,
    column,
    context,
    data,
    decision,
    definitions,
    item,
    knowledge,
    literal,
    service,
    table,
)

_ONE = decision("d", literal("1"))
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


def _with_dtd(dtd: str, text: str = "1") -> bytes:
    return f"<!DOCTYPE definitions {dtd}>".encode() + definitions(_ONE).replace(b"<text>1", b"<text>" + text.encode())


def _import(name: str, where: str) -> str:
    return f'<import name="{name}" namespace="urn:{name}" locationURI="{where}" importType="{V15}"/>'


def _chain(length: int, text: str = "d{0} + 1") -> list[str]:
    """Decisions that each need the one before."""
    after = [decision(f"d{n}", literal(text.format(n - 1)), f"decision:d{n - 1}") for n in range(1, length)]
    return [decision("d0", literal("1")), *after]


#: refused as a file
REFUSED: Mapping[str, bytes] = {
    "a DTD": _with_dtd(""),
    "an external DTD": _with_dtd('SYSTEM "http://127.0.0.1:9/a.dtd"'),
    "an external entity": _with_dtd('[<!ENTITY e SYSTEM "file:///etc/passwd">]', "&amp;e;"),
    "a parameter entity": _with_dtd('[<!ENTITY % e SYSTEM "http://127.0.0.1:9/">%e;]'),
    "entities that multiply": _with_dtd(f'[<!ENTITY l0 "ha">{_LAUGHS}]', "&amp;l11;"),
    "an entity nobody declared": definitions(_ONE).replace(b"<text>1", b"<text>&e;"),
    "lists in lists": definitions(decision("d", "<list>" * 10_000 + "</list>" * 10_000)),
    "contexts in contexts": definitions(
        decision("d", "<context><contextEntry>" * 10_000 + "</contextEntry></context>" * 10_000)
    ),
    "types in types": definitions(
        item("t", inside='<itemComponent name="c">' * 10_000 + "</itemComponent>" * 10_000), _ONE
    ),
    "extensions": definitions("<extensionElements>" + "<a>" * 10_000 + "</a>" * 10_000 + "</extensionElements>", _ONE),
    "many elements": definitions(*(decision(f"d{n}", literal("1")) for n in range(60_000))),
    "a million attributes": definitions(_ONE, attributes=" ".join(f'a{n}="1"' for n in range(500_000))),
    "a decision that needs itself": definitions(decision("d", literal("d"), "decision:d")),
    "decisions in a circle": definitions(
        decision("a", literal("b"), "decision:b"), decision("b", literal("a"), "decision:a")
    ),
    "an import from the network": definitions(_import("other", "http://127.0.0.1:9/other.dmn"), _ONE),
    "an import from elsewhere": definitions(_import("other", "file:///etc/passwd"), _ONE),
    "an import from above": definitions(_import("other", "../../../../etc/passwd"), _ONE),
    "a type of itself": definitions(item("t", "t"), _ONE),
    "types in a circle": definitions(item("t", "u"), item("u", "t"), _ONE),
}
#: opened; the decision d ends in a limit, or in null with a reason
ENDLESS: Mapping[str, bytes] = {
    "a function that calls itself": definitions(
        knowledge("f", [("n", "number")], literal("f(n + 1)"), "knowledge:f"),
        decision("d", literal("f(0)"), "knowledge:f"),
    ),
    "functions that call each other": definitions(
        knowledge("f", [("n", "number")], literal("g(n + 1)"), "knowledge:g"),
        knowledge("g", [("n", "number")], literal("f(n + 1)"), "knowledge:f"),
        decision("d", literal("f(0)"), "knowledge:f"),
    ),
    "a tree of calls": definitions(
        knowledge("f", [("n", "number")], literal("f(n - 1) + f(n - 1)"), "knowledge:f"),
        decision("d", literal("f(50)"), "knowledge:f"),
    ),
    "a tree of tables": definitions(
        knowledge("f", [("n", "number")], table(["n"], [""], [("> 0", "f(n - 1) + f(n - 1)")]), "knowledge:f"),
        decision("d", literal("f(40)"), "knowledge:f"),
    ),
    "a service within itself": definitions(
        service("s", outputDecision=["e"]),
        decision("e", literal("s()"), "knowledge:s"),
        decision("d", literal("s()"), "knowledge:s"),
    ),
    "decisions that double": definitions(
        *_chain(60, "[d{0}, d{0}]"), decision("d", literal("string(d59)"), "decision:d59")
    ),
    "texts that double": definitions(
        decision("d0", literal('"xxxxxxxxxx"')),
        *_chain(60, "d{0} + d{0}")[1:],
        decision("d", literal("d59"), "decision:d59"),
    ),
    "a context that doubles": definitions(
        decision(
            "d",
            context(
                ("e0", literal('"xxxxxxxxxx"')),
                *((f"e{n}", literal(f"e{n - 1} + e{n - 1}")) for n in range(1, 60)),
                ("", literal("e59")),
            ),
        )
    ),
    "a loop over loops": definitions(
        decision(
            "d",
            '<for iteratorVariable="i"><in>'
            + literal("1..100000")
            + '</in><return><for iteratorVariable="j"><in>'
            + literal("1..100000")
            + "</in><return>"
            + literal("1")
            + "</return></for></return></for>",
        )
    ),
    "a filter of many": definitions(
        decision(
            "d",
            f"<filter><in>{literal('for i in 1..900000 return i')}</in><match>{literal('item > 0')}</match></filter>",
        )
    ),
    "a cell that never ends": definitions(
        data("n"),
        decision("d", table(["1"], [""], [("count(for a in 1..10000, b in 1..10000 return a) > ?", "1")]), "n"),
    ),
    "a type that looks through all": definitions(
        item(
            "tMany",
            "number",
            "<allowedValues><text>count(for a in 1..9999, b in 1..9999 return a) > ?</text></allowedValues>",
        ),
        decision("d", literal("1"), type_ref="tMany"),
    ),
    "a type of types": definitions(
        item(
            "tTree",
            inside='<itemComponent name="l"><typeRef>tTree</typeRef></itemComponent>'
            '<itemComponent name="r"><typeRef>tTree</typeRef></itemComponent>',
        ),
        decision(
            "grown",
            literal(
                "(for i in 1..60 return if i = 1 then {l: null, r: null} else {l: partial[-1], r: partial[-1]})[-1]"
            ),
        ),
        decision("d", literal("grown"), "decision:grown", type_ref="tTree"),
    ),
}
#: large and honest: read and decided within the same bounds, or refused
LARGE: Mapping[str, bytes] = {
    "a chain of decisions": definitions(*_chain(2_000), decision("d", literal("d1999"), "decision:d1999")),
    "functions in a row": definitions(
        knowledge("f0", [("n", "number")], literal("n")),
        *(
            knowledge(f"f{n}", [("n", "number")], literal(f"f{n - 1}(n) + 1"), f"knowledge:f{n - 1}")
            for n in range(1, 1_000)
        ),
        decision("d", literal("f999(1)"), "knowledge:f999"),
    ),
    "many rules": definitions(
        data("n", "number"),
        decision("d", table(["n"], [""], [(f"[{n}..{n + 1})", str(n)) for n in range(5_000)]), "n"),
    ),
    "a long name": definitions(decision("d", literal("1")), data("x" * 1_000_000)),
    "a long text": definitions(decision("d", literal('string length("' + "x" * 5_000_000 + '")'))),
}


def _wide(columns: int, rules: int) -> bytes:
    """A table whose columns each cut something else out."""
    names = [f"n{number}" for number in range(columns)]
    drawn = [
        [f"not([{rule * (at + 3) % 97}..{rule * (at + 5) % 101 + 2}])" for at in range(columns)] + ["1"]
        for rule in range(rules)
    ]
    return definitions(*(data(name, "number") for name in names), decision("d", table(names, [""], drawn), *names))


_LONG = "count(for a in 1..9999, b in 1..9999 return a)"
#: checked: what is found, or that it was not looked for
CHECKED: Mapping[str, bytes] = {
    **ENDLESS,
    **LARGE,
    "a wide table": _wide(12, 60),
    "a wider table": _wide(100, 100),
    "a long table": definitions(
        data("n"), decision("d", table(["n"], [""], [(f"[{n}..{n + 2})", str(n)) for n in range(3_000)]), "n")
    ),
    "a table of the same rule": definitions(data("n"), decision("d", table(["n"], [""], [("-", "1")] * 3_000), "n")),
    "a table that a first rule covers": definitions(
        data("n"), decision("d", table(["n"], [""], [("-", "1")] * 3_000, "FIRST"), "n")
    ),
    "values that take long to tell": definitions(
        data("n"),
        decision("d", table([column("n", allowed=f"{_LONG} > ?")], [""], [(str(n), "1") for n in range(300)]), "n"),
    ),
    "outputs that take long to tell": definitions(
        data("n"), decision("d", table(["n"], [""], [("-", f"{_LONG} + {n}") for n in range(300)], "ANY"), "n")
    ),
}


def _checked(content: bytes) -> tuple[object, object]:
    return checks.check(dmn.loads(content, "their.dmn")), ()


def _decided(content: bytes) -> tuple[object, object]:
    answer = dmn.loads(content, "their.dmn").explain("d", {})
    return answer.value, answer.diagnostics


def _read(content: bytes) -> tuple[object, object]:
    return dmn.loads(content, "their.dmn"), ()


def _file(size: int) -> tuple[object, object]:
    """A sparse file: large to read, and nothing on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "their.dmn"
        with path.open("wb") as file:
            file.truncate(size)
        return dmn.load(path), ()


def _circle() -> tuple[object, object]:
    with tempfile.TemporaryDirectory() as folder:
        for name, other in (("a", "b"), ("b", "a")):
            content = definitions(_import(other, f"{other}.dmn"), _ONE, namespace=f"urn:{name}")
            (Path(folder) / f"{name}.dmn").write_bytes(content)
        return dmn.load(Path(folder) / "a.dmn"), ()


def _cases(kind: str, run: Callable[[bytes], Any], files: Mapping[str, bytes]) -> dict[str, Callable[[], Any]]:
    return {f"{kind}: {name}": partial(run, content) for name, content in files.items()}


CASES: dict[str, Callable[[], tuple[object, object]]] = {
    **_cases("refused", _read, REFUSED),
    "refused: 100 MB": partial(_file, 100 * 1024 * 1024),
    "refused: 10 GB": partial(_file, 10 * 1024 * 1024 * 1024),
    "refused: imports in a circle": _circle,
    **_cases("endless", _decided, ENDLESS),
    **_cases("large", _decided, LARGE),
    **_cases("checked", _checked, CHECKED),
}
