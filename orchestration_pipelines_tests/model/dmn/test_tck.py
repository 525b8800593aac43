"""All 116 cases of the DMN Technology Compatibility Kit's level 2; and its runner sees a wrong value."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.xml import local
from orchestration_pipelines_tests.conftest import SHARED, shared
from orchestration_pipelines_tests.model.dmn import tck

_FOLDER = SHARED / "vectors" / "dmn-tck-level-2"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

CASES = [
    pytest.param(tck.model_of(path), element, id=f"{path.parent.name}-{element.get('id')}")
    for path in (tck.files(_FOLDER) if _FOLDER.exists() else [])
    for element in tck.elements(path)
]

model_of = cache(dmn.load)


def test_the_kit_is_there_and_whole() -> None:
    """116 cases of 28 models."""
    assert shared("vectors", "dmn-tck-level-2").is_dir()
    assert len(CASES) == 116
    assert len({case.values[0] for case in CASES}) == 28


@pytest.mark.parametrize(("model", "element"), CASES)
def test_a_case_passes(model: Path, element: ET.Element) -> None:
    """What the model decides is what the kit expects."""
    assert tck.failures(model_of(model), tck.read(model, element)) == []


@pytest.mark.parametrize(("model", "element"), CASES)
def test_a_wrong_expectation_fails(model: Path, element: ET.Element) -> None:
    """The runner bites: with any single value of what is expected made wrong, the case fails."""
    wrong = list(corrupted(element))
    assert wrong
    for what, spoilt in wrong:
        assert tck.failures(model_of(model), tck.read(model, spoilt)), what


def corrupted(element: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Copies of a test case; in each, one thing that is expected is wrong, and what."""
    for number, part in enumerate(element.iter()):
        for change in _changes(part) if part in _expected(element) else ():
            spoilt = copy.deepcopy(element)
            yield f"{change} at element {number}", spoilt
            _spoil(list(spoilt.iter())[number], change)


def _expected(element: ET.Element) -> list[ET.Element]:
    return [part for holder in element.iter() if local(holder.tag) == "expected" for part in holder.iter()]


def _changes(part: ET.Element) -> list[str]:
    kind = local(part.tag)
    if kind == "list":
        return ["an item more", "an item less", "nil"] if len(part) else ["an item more"]
    if any(local(child.tag) == "component" for child in part):
        return ["a component less", "a component more", "a component renamed", "nil"]
    if kind != "value":
        return []
    if part.get(_XSI + "nil") == "true":
        return ["false", "an empty string", "zero"]
    return ["another value", "another kind", "nil"]


def _spoil(part: ET.Element, change: str) -> None:
    namespace = part.tag.rpartition("}")[0] + "}"
    kind = part.get(_XSI + "type", "").rpartition(":")[2]
    match change:
        case "an item more":
            ET.SubElement(ET.SubElement(part, namespace + "item"), namespace + "value").text = "x"
        case "an item less" | "a component less":
            part.remove(part[-1])
        case "a component more":
            ET.SubElement(ET.SubElement(part, namespace + "component", name="surplus"), namespace + "value")
        case "a component renamed":
            part[0].set("name", part[0].get("name", "") + "x")
        case "nil":
            _become(part, {_XSI + "nil": "true"}, "")
        case "false":
            _become(part, {_XSI + "type": "xsd:boolean"}, "false")
        case "an empty string":
            _become(part, {_XSI + "type": "xsd:string"}, "")
        case "zero":
            _become(part, {_XSI + "type": "xsd:decimal"}, "0")
        case "another value":
            part.text = _another(kind, tck.text(part))
        case "another kind":
            as_text = {_XSI + "type": "xsd:string"}
            _become(part, as_text if kind != "string" else {_XSI + "type": "xsd:decimal"}, "1")


def _become(part: ET.Element, attributes: dict[str, str], written: str) -> None:
    for child in list(part):
        part.remove(child)
    part.attrib.clear()
    part.attrib.update(attributes)
    part.text = written


def _another(kind: str, written: str) -> str:
    if kind == "boolean":
        return {"true": "false", "false": "true"}[written.strip()]
    if kind == "string":
        return written + "x"
    return str(Decimal(written.strip()) + 1)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Decimal(1), True),
        (True, Decimal(1)),
        (Decimal("0.3333"), Decimal(1) / 3),
        (Decimal("0.33333333"), Decimal("0.33333335")),
        (Decimal(1), "1"),
        (None, False),
        ([], None),
        ([Decimal(1)], Decimal(1)),
        ({"a": None}, {}),
        ({"a": Decimal(1)}, {"a": Decimal(1), "b": None}),
    ],
)
def test_near_is_not_the_same(expected: object, found: object) -> None:
    """Kinds are not mixed, and nothing is rounded that the kit did not round."""
    assert not tck.same(expected, found)


def test_a_rounded_number_is_compared_to_the_eighth_decimal() -> None:
    """The kit writes 0.33333333 for a third."""
    assert tck.same(Decimal("0.33333333"), Decimal(1) / 3)
    assert tck.same(Decimal("1.0"), Decimal(1))
