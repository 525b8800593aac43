"""Models that import each other: beside the file, by namespace, and from nowhere else."""

from __future__ import annotations

import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from orchestration_pipelines.model import dmn, feel
from orchestration_pipelines_tests.model.dmn.drawing import (
    V14,
    V15,
    data,
    decision,
    definitions,
    item,
    knowledge,
    literal,
    table,
)


def importing(name: str, namespace: str, location: str = "", kind: str = V15) -> str:
    """An import."""
    return f'<import name={quoteattr(name)} namespace="{namespace}" locationURI="{location}" importType="{kind}"/>'


BASE = definitions(
    item("tRate", "number", "<allowedValues><text>&lt; 100</text></allowedValues>"),
    data("a rate", "tRate"),
    knowledge("doubled", [("n", "number")], literal("n * 2")),
    decision("level", table(["a rate"], [""], [("> 50", '"high"'), ("<= 50", '"low"')]), "a rate"),
    namespace="urn:base",
    version=V14,
)


def over(name: str, *parts: str) -> dmn.Model:
    """A model of these elements that imports the base under this name."""
    return dmn.loads(definitions(importing(name, "urn:base", kind=V14), *parts), "top.dmn", {"base.dmn": BASE})


def test_imported_elements_are_seen_under_the_name_of_the_import() -> None:
    """Inputs, decisions, functions and types; names may have spaces."""
    read = over(
        "the base",
        decision("d", literal("the base.doubled(the base.a rate)"), "urn:base#a_rate", "knowledge:urn:base#doubled"),
        decision("e", literal("the base.level"), "urn:base#level"),
        decision("f", literal("120"), type_ref="the base.tRate"),
    )
    assert not read.problems
    for given in ({"the base": {"a rate": 60}}, {"the base.a rate": 60}, {"a rate": 60}):
        assert read.evaluate("d", given) == 120
        assert read.evaluate("e", given) == "high"
    assert read.evaluate("f", {}) is None
    assert read.explain("d", {"a rate": 160}).diagnostics[0].startswith("the input a rate is no tRate")


def test_an_input_of_the_importing_model_is_not_that_of_the_imported_one() -> None:
    """Even if they have the same name."""
    read = over("base", data("a rate"), decision("e", literal("[a rate, base.level]"), "a rate", "urn:base#level"))
    assert read.evaluate("e", {"a rate": 60}) == [60, None]
    assert read.evaluate("e", {"a rate": 60, "base.a rate": 6}) == [60, "low"]


def test_an_import_without_a_name_is_seen_directly() -> None:
    """As DMN 1.5 has it."""
    read = over("", decision("d", literal("doubled(a rate)"), "urn:base#a_rate", "knowledge:urn:base#doubled"),
                decision("e", literal("1"), type_ref="tRate"))  # fmt: skip
    assert read.evaluate("d", {"a rate": 4}) == 8
    assert read.evaluate("e", {}) == 1


def test_the_record_names_the_file_of_an_imported_table() -> None:
    """By its digest."""
    read = over("base", decision("e", literal("base.level"), "urn:base#level"))
    asked = read.explain("e", {"a rate": 60}).requires
    assert [(each.name, each.rules, each.digest) for each in asked] == [("level", ("r1",), read.imports["base"].digest)]
    assert read.digest != read.imports["base"].digest


def test_one_model_imported_on_two_ways_is_asked_twice() -> None:
    """Its inputs are those that are given on each way."""
    middle = {
        f"{each}.dmn": definitions(
            importing("base", "urn:base", kind=V14),
            decision("got", literal("base.level"), "urn:base#level"),
            namespace=f"urn:{each}",
        )
        for each in ("left", "right")
    }
    top = definitions(
        importing("left", "urn:left"),
        importing("right", "urn:right"),
        decision("d", literal("[left.got, right.got]"), "urn:left#got", "urn:right#got"),
    )
    read = dmn.loads(top, "top.dmn", {"base.dmn": BASE, **middle})
    given = {"left": {"base": {"a rate": 60}}, "right": {"base": {"a rate": 6}}}
    assert read.evaluate("d", given) == ["high", "low"]
    assert read.imports["left"].imports["base"] is read.imports["right"].imports["base"]


def test_a_folder_is_searched_by_location_and_by_namespace(tmp_path: Path) -> None:
    """A location that is an address or leads elsewhere is not followed; a broken neighbour does no harm."""
    (tmp_path / "folder").mkdir()
    folder = tmp_path / "folder"
    (folder / "base.dmn").write_bytes(BASE)
    (folder / "broken.dmn").write_bytes(b"<a>")
    for location in ("base.dmn", "./base.dmn", "", "http://127.0.0.1:9/base.dmn", "broken.dmn", "../base.dmn"):
        top = definitions(importing("b", "urn:base", location), decision("d", literal("b.level"), "urn:base#level"))
        (folder / "top.dmn").write_bytes(top)
        assert dmn.load(folder / "top.dmn").evaluate("d", {"a rate": 1}) == "low"


def test_what_is_not_beside_is_not_found(tmp_path: Path) -> None:
    """Not above the folder, not behind a link that leads out of it; the message says where to put it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "base.dmn").write_bytes(BASE)
    (folder / "linked.dmn").symlink_to(tmp_path / "base.dmn")
    for location in ("../base.dmn", str(tmp_path / "base.dmn"), "linked.dmn", "..\\base.dmn"):
        (folder / "top.dmn").write_bytes(definitions(importing("b", "urn:base", location), decision("d", literal("1"))))
        with pytest.raises(dmn.DmnRefused, match="into the same folder"):
            dmn.load(folder / "top.dmn")


def test_models_that_import_each_other_in_a_circle_are_refused() -> None:
    """With the way around."""
    other = definitions(importing("t", "urn:test"), decision("o", literal("1")), namespace="urn:other")
    top = definitions(importing("o", "urn:other"), decision("d", literal("1")))
    with pytest.raises(dmn.DmnRefused, match=r"top\.dmn → other\.dmn → top\.dmn"):
        dmn.loads(top, "top.dmn", {"other.dmn": other, "top.dmn": top})


def test_models_that_import_one_another_twice_over_are_stopped() -> None:
    """A tower of twenty floors would take a million evaluations: each way to a model is asked by itself."""
    floors = {f"{side}0.dmn": definitions(decision("d", literal("1")), namespace=f"urn:{side}0") for side in "ab"}
    for floor in range(1, 20):
        floors |= {
            f"{side}{floor}.dmn": definitions(
                importing("a", f"urn:a{floor - 1}"),
                importing("b", f"urn:b{floor - 1}"),
                decision("d", literal("a.d + b.d"), f"urn:a{floor - 1}#d", f"urn:b{floor - 1}#d"),
                namespace=f"urn:{side}{floor}",
            )
            for side in "ab"
        }
    read = dmn.loads(floors["a19.dmn"], "a19.dmn", floors)
    began = time.process_time()
    with pytest.raises(feel.FeelLimit):
        read.evaluate("d", {})
    assert time.process_time() - began < 2


def test_an_import_of_another_kind_is_a_problem() -> None:
    """PMML and XML schemas are not read."""
    top = definitions(importing("p", "urn:p", kind="http://www.dmg.org/PMML-4_1"), decision("d", literal("1")))
    read = dmn.loads(top, "top.dmn")
    assert "PMML" in str(read.problems[0])
    assert read.evaluate("d", {}) == 1


def test_problems_of_an_imported_model_are_problems() -> None:
    """A model is as good as what it stands on."""
    base = definitions(decision("bad", literal("1 +")), namespace="urn:base")
    top = definitions(importing("b", "urn:base"), decision("d", literal("b.bad"), "urn:base#bad"))
    read = dmn.loads(top, "top.dmn", {"base.dmn": base})
    assert [problem.id for problem in read.problems] == ["bad"]
    assert read.evaluate("d", {}) is None
