"""Files that are not opened, each with every reason and what to do; and what is read past."""

from __future__ import annotations

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn.expressions import MAX_FEEL
from orchestration_pipelines_tests.model.dmn.drawing import (
    V15,
    data,
    decision,
    definitions,
    knowledge,
    literal,
    model,
    service,
    table,
)

ONE = decision("d", literal("1"))
REFUSED = {
    "an id twice": (ONE + data("x").replace('id="x"', 'id="d"'), "d: a second element has this id"),
    "an unknown element": (ONE + '<rocket id="r" name="R"/>', "r (R): a rocket in a definitions"),
    "an element out of place": (decision("d", "<rule/>"), "d (d): a rule in a decision"),
    "a circle": (decision("d", literal("e"), "decision:e") + decision("e", literal("d"), "decision:d"), "d → e → d"),
    "nothing": ("", "it has no decision"),
}
#: an element that makes no sense, beside others that do
PROBLEMS = {
    "a policy": (decision("d", table([], [""], [], "BEST")), "d (d): there is no hit policy 'BEST'"),
    "an aggregation": (decision("d", table([], [""], [], "COLLECT", "MEAN")), "there is no aggregation 'MEAN'"),
    "no output": (decision("d", table(["1"], [], [])), "the table has no output"),
    "outputs alike": (decision("d", table([], ["a", "a"], [])), "several outputs need a name"),
    "too few cells": (decision("d", table(["1", "2"], [""], [("-",)])), "r1: it has 1 input entries for 2 inputs"),
    "a row too short": (
        decision("d", f'<relation><column name="a"/><row>{literal("1")}{literal("2")}</row></relation>'),
        "row 1 has 2 cells for 1 columns",
    ),
    "a conditional in half": (
        decision("d", f"<conditional><if>{literal('true')}</if><then>{literal('1')}</then></conditional>"),
        "a conditional without else",
    ),
    "a result in the middle": (
        decision("d", f"<context><contextEntry>{literal('1')}</contextEntry><contextEntry/></context>"),
        "entry 1 has no name, and is not the last",
    ),
    "what is not there": (decision("d", literal("1"), "decision:e"), "d (d): it needs #e, which"),
    "what is nowhere": (decision("d", literal("1"), "urn:else#e"), "it needs urn:else#e, which"),
    "a name twice": (ONE + ONE.replace('id="d"', 'id="e"'), "e (d): a second element has this name"),
    "a service without output": (service("s") + ONE, "s (s): the service has no output decision"),
    "another language": (decision("d", '<literalExpression id="l" expressionLanguage="JavaScript"/>'), "JavaScript"),
    "a cell in another language": (
        decision("d", table(["1"], [""], [("-", "1")]).replace("<inputEntry", '<inputEntry expressionLanguage="SQL"')),
        "d (d): its expressions are in SQL",
    ),
    "a type in another language": (
        '<itemDefinition name="t" typeLanguage="XSD"><typeRef>string</typeRef></itemDefinition>' + ONE,
        "t (t): its expressions are in XSD",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_by_name(case: str) -> None:
    """With the element, and what is wrong with it."""
    drawn, reason = REFUSED[case]
    with pytest.raises(dmn.DmnRefused) as error:
        model(drawn)
    assert reason in str(error.value)
    assert str(error.value).startswith("test.dmn is refused:")


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_wrong_with_one_element_is_its_problem_alone(case: str) -> None:
    """Told by its name; every other decision of the file is evaluated."""
    drawn, reason = PROBLEMS[case]
    read = model(decision("sound", literal("1 + 1")), drawn)
    assert reason in "\n".join(map(str, read.problems))
    assert read.evaluate("sound", {}) == 2


def test_what_has_a_problem_is_null_and_says_so() -> None:
    """A table without an output, a service without one; and of two decisions of a name the first is asked."""
    assert model(PROBLEMS["no output"][0]).explain("d", {}).diagnostics == ("d (d): the table has no output: add one",)
    read = model(service("s"), decision("d", literal("s()"), "knowledge:s"))
    assert (read.invoke("s", {}), read.explain("d", {}).diagnostics) == (None, ("s has no output decision",))
    assert model(PROBLEMS["a name twice"][0]).evaluate("d", {}) == 1


@pytest.mark.parametrize(
    "language",
    ["feel", "http://www.omg.org/spec/FEEL/20140401", "http://www.omg.org/spec/DMN/20180521/FEEL/",
     "http://www.omg.org/spec/DMN/20151101/dmn.xsd", V15]
)  # fmt: skip
def test_feel_has_many_names(language: str) -> None:
    """As tools write it: a word, or the address of any version of the standard."""
    read = dmn.loads(definitions(ONE, attributes=f'expressionLanguage="{language}" typeLanguage="{language}"'), "a.dmn")
    assert (read.evaluate("d", {}), read.problems) == (1, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"/>', "it is DMN 1.1: save it as DMN 1.3"),
        (b'<definitions xmlns="http://www.omg.org/spec/DMN/20130901"/>', "it is DMN 1.0: save it as"),
        (b'<definitions xmlns="urn:else"/>', "'urn:else' is not that of DMN"),
        (b"<definitions/>", "'' is not that of DMN"),
        (f'<decision xmlns="{V15}"/>'.encode(), "it begins with decision"),
        (b"<!DOCTYPE a><a/>", "DTD"),
        (b"<a>", "not well-formed"),
    ],
)
def test_what_is_no_dmn_of_today_is_refused(content: bytes, reason: str) -> None:
    """Older versions with what to do about it."""
    with pytest.raises(dmn.DmnRefused) as error:
        dmn.loads(content, "test.dmn")
    assert reason in str(error.value)


def test_every_reason_is_told_at_once() -> None:
    """So that nobody mends a file one error at a time."""
    with pytest.raises(dmn.DmnRefused) as error:
        model(REFUSED["an element out of place"][0], REFUSED["an unknown element"][0])
    assert len(error.value.problems) >= 2


def test_what_other_tools_write_is_read_past() -> None:
    """Extensions, diagrams, sources of knowledge, notes, descriptions, and everything of other namespaces."""
    read = dmn.loads(
        definitions(
            "<description>text</description><extensionElements><x/><decision><rule/></decision></extensionElements>",
            '<tool:thing xmlns:tool="urn:tool"><tool:decision/></tool:thing>',
            '<knowledgeSource id="k" name="K"><authorityRequirement><requiredDecision href="#d"/>'
            "</authorityRequirement></knowledgeSource>",
            '<textAnnotation id="t"><text>1 +</text></textAnnotation><association id="a"/><group id="g"/>',
            '<performanceIndicator name="p"/><organizationUnit name="o"/><elementCollection name="e"/>',
            '<decision id="d" name="d"><description>What it is for.</description><extensionElements><y/>'
            "</extensionElements><question>Which?</question><allowedAnswers>Any</allowedAnswers>"
            f'<usingTask href="#t"/>{literal("1")}</decision>',
            '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20230324/DMNDI/"><dmndi:DMNDiagram/></dmndi:DMNDI>',
            attributes='exporter="a tool" xmlns:tool="urn:tool" tool:mode="1"',
        ),
        "test.dmn",
    )
    assert not read.problems
    assert (read.evaluate("d", {}), read.decisions["d"].question) == (1, "Which?")
    assert read.decisions["d"].description == "What it is for."


def test_a_name_with_a_line_break_is_a_name_with_a_space() -> None:
    """White space in a name is one space."""
    summed = knowledge("the\n  sum", [("a  b", "")], literal("a b"))
    read = model(summed, decision("x  y", literal("the sum(3)"), "knowledge:the\n  sum"))
    assert read.evaluate("x y", {}) == 3


def test_more_feel_than_is_read_is_refused() -> None:
    """At once, and not after minutes; a text that is written many times is read once."""
    long = ['"' + chr(ord("a") + number) * 19_000 + '"' for number in range(MAX_FEEL // 19_000 + 1)]
    with pytest.raises(dmn.DmnRefused, match="more FEEL than is read"):
        model(*(decision(f"d{number}", literal(text)) for number, text in enumerate(long)))
    assert model(*(decision(f"d{number}", literal(long[0])) for number in range(len(long))))
