"""Holding DMN models against test cases in the layout of the DMN Technology Compatibility Kit.

A folder has DMN files and test XML; each test file names its model, and each case its inputs and what it expects.

    python -m orchestration_pipelines_tests.model.dmn.tck FOLDER…
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import dmn, feel
from orchestration_pipelines.model.xml import XmlRefused, local, parse

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NUMBERS = frozenset({"decimal", "double", "float", "integer", "int", "long", "short", "byte", "nonNegativeInteger"})
#: how FEEL reads what XML Schema writes
_READ = {
    "date": "date(text)",
    "time": "time(text)",
    "dateTime": "date and time(text)",
    "duration": "duration(text)",
    "dayTimeDuration": "duration(text)",
    "yearMonthDuration": "duration(text)",
}
#: an expectation with this many decimals is one that was rounded: the kit compares those to the eighth
_ROUNDED, _NEAR = 8, Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Result:
    """What a case expects of one decision or invocable."""

    name: str
    expected: Any
    is_error: bool  #: the kit wants an error, which in FEEL is null


@dataclass(frozen=True, slots=True)
class Case:
    """One test case."""

    model: Path
    id: str
    invocable: str | None  #: a business knowledge model or a decision service, called instead of a decision
    inputs: dict[str, Any]
    results: tuple[Result, ...]


def files(folder: Path) -> list[Path]:
    """The test XML of a folder and of those in it."""
    return sorted(path for path in folder.rglob("*.xml") if b"testCases" in path.read_bytes()[:4_000])


def elements(path: Path) -> Iterator[ET.Element]:
    """The test cases of a file, unread."""
    return (child for child in parse(path.read_bytes(), path.name) if local(child.tag) == "testCase")


def model_of(path: Path) -> Path:
    """The DMN file that a test file is about."""
    root = parse(path.read_bytes(), path.name)
    return path.parent / next(text(child) for child in root if local(child.tag) == "modelName").strip()


def read(model: Path, element: ET.Element) -> Case:
    """A test case from its XML."""
    inputs = {child.get("name", ""): value(child) for child in element if local(child.tag) == "inputNode"}
    results = tuple(_result(child) for child in element if local(child.tag) == "resultNode")
    invocable = element.get("invocableName") if element.get("type") not in (None, "decision") else None
    return Case(model, element.get("id", ""), invocable, inputs, results)


def _result(element: ET.Element) -> Result:
    expected = next((child for child in element if local(child.tag) == "expected"), None)
    return Result(
        element.get("name", ""),
        None if expected is None else value(expected),
        element.get("errorResult") == "true",
    )


def text(element: ET.Element) -> str:
    """What is written in an element."""
    return element.text or ""


def value(holder: ET.Element) -> Any:
    """The value in an input, an expectation, an item or a component."""
    parts = [child for child in holder if local(child.tag) in ("value", "list", "component")]
    if holder.get(_XSI + "nil") == "true" or not parts:
        return None
    if local(parts[0].tag) == "component":
        return {part.get("name", ""): value(part) for part in parts}
    (part,) = parts
    if part.get(_XSI + "nil") == "true":
        return None
    if local(part.tag) == "list":
        return [value(item) for item in part if local(item.tag) == "item"]
    return _simple(part.get(_XSI + "type", "xsd:string").rpartition(":")[2], text(part))


def _simple(kind: str, written: str) -> Any:
    if kind == "string":
        return written
    written = written.strip()
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}[written]
    if kind in _NUMBERS:
        return Decimal(written)
    found = feel.evaluate(_READ[kind], {"text": written})
    if found is None:
        raise ValueError(f"{written!r} is read as no {kind}")
    return found


def same(expected: Any, found: Any) -> bool:
    """Whether a value is the expected one: of the same kind, and equal."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, Decimal):
        return isinstance(found, Decimal | int) and _same_number(expected, Decimal(found))
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(same(one, other) for one, other in zip(expected, found, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and expected.keys() == found.keys()
            and all(same(expected[name], found[name]) for name in expected)
        )
    return type(expected) is type(found) and bool(expected == found)


def _same_number(expected: Decimal, found: Decimal) -> bool:
    decimals = -int(expected.as_tuple().exponent)
    return expected == found or (decimals >= _ROUNDED and abs(expected - found) <= _NEAR)


def failures(model: dmn.Model, case: Case) -> list[str]:
    """Why a case fails; nothing if it passes."""
    reasons = []
    for result in case.results:
        try:
            found = _found(model, case, result.name)
        except Exception as error:  # noqa: BLE001 - whatever the product raises is a failed case, and told
            reasons.append(f"{result.name}: {type(error).__name__}: {error}")
            continue
        expected = None if result.is_error else result.expected
        if not same(expected, found):
            reasons.append(f"{result.name}: expected {expected!r}, found {found!r}")
    return reasons if case.results else ["it expects nothing"]


def _found(model: dmn.Model, case: Case, name: str) -> Any:
    if case.invocable is None:
        return model.evaluate(name, case.inputs)
    found = model.invoke(case.invocable, case.inputs)
    # a service of several decisions gives them by name
    return found[name] if name != case.invocable and isinstance(found, dict) and name in found else found


def verdicts(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each case of a test file, and why it fails."""
    try:
        place = model_of(path)
        model = dmn.load(place)
    except (dmn.DmnRefused, XmlRefused, OSError, StopIteration) as error:
        yield from ((case.get("id", ""), [f"not read: {error}"]) for case in elements(path))
        return
    for element in elements(path):
        try:
            yield element.get("id", ""), failures(model, read(place, element))
        except (ValueError, KeyError, ArithmeticError, feel.FeelError) as error:
            yield element.get("id", ""), [f"the case itself is not read: {type(error).__name__}: {error}"]


def main(words: Sequence[str] | None = None) -> int:
    """Print what passes by model, and why the others fail; exit code 1 if any does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+", type=Path)
    parser.add_argument("--quiet", action="store_true", help="the table alone, without reasons")
    asked = parser.parse_args(words)
    passed = failed = 0
    print("passed failed  test file")
    for path in (path for folder in asked.folder for path in files(folder)):
        found = list(verdicts(path))
        wrong = [(case, reasons) for case, reasons in found if reasons]
        passed, failed = passed + len(found) - len(wrong), failed + len(wrong)
        print(f"{len(found) - len(wrong):6} {len(wrong):6}  {path.parent.name}/{path.name}")
        for case, reasons in [] if asked.quiet else wrong:
            print("\n".join(f"                 {case}: {reason}" for reason in reasons))
    print(f"{passed:6} {failed:6}  in all")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
