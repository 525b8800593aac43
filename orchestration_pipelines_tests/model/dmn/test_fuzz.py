"""Any bytes at all are a model, or are refused with reasons. Nothing else is raised."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn, feel
from orchestration_pipelines.model.dmn import checks
from orchestration_pipelines_tests.model.dmn.drawing import (
    column,
    context,
    data,
    decision,
    definitions,
    item,
    knowledge,
    literal,
    output,
    service,
    table,
)

_SOUND = definitions(
    item("tLevel", "string", '<allowedValues><text>"high", "low"</text></allowedValues>'),
    data("n", "number"),
    data("level", "tLevel"),
    knowledge("f", [("x", "number")], literal("x * 2")),
    decision(
        "d",
        table(
            [column("n"), column("level", allowed='"high", "low"')],
            [output("a", allowed='"x", "y"'), output("b", default="0")],
            [("< 5", '"high"', '"x"', "n"), ("[5..7)", "-", '"y"', "f(n)")],
            "PRIORITY",
        ),
        "n",
        "level",
        "knowledge:f",
    ),
    decision("e", context(("k", literal("d.b + 1")), ("", literal("k"))), "decision:d"),
    service("s", outputDecision=["e"], encapsulatedDecision=["d"], inputData=["n", "level"]),
)
_TAGS = ("decision", "decisionTable", "rule", "inputEntry", "text", "context", "list", "for", "import", "nonsense")
_TEXTS = ("", "1 +", "f(", "-", "#d", "tLevel", "x" * 50, "n", "UNIQUE", "COLLECT", "SUM", "true", "é")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<a>{text}</a>".encode()))
def test_any_bytes_are_refused(content: bytes) -> None:
    """None of them is a model by chance."""
    try:
        dmn.loads(content, "their.dmn")
    except dmn.DmnRefused as refused:
        assert refused.problems
    else:
        raise AssertionError(content)


@st.composite
def _spoilt(draw: st.DrawFn) -> bytes:
    """A sound model with elements and attributes cut out, doubled, moved and renamed."""
    root = ET.fromstring(_SOUND)  # noqa: S314 - our own
    for _ in range(draw(st.integers(1, 4))):
        every = [(parent, child) for parent in root.iter() for child in parent]
        parent, child = draw(st.sampled_from(every))
        match draw(st.sampled_from(["cut", "doubled", "moved", "renamed", "attribute", "text"])):
            case "cut":
                parent.remove(child)
            case "doubled":
                parent.append(child)
            case "moved":
                draw(st.sampled_from(every))[0].append(ET.fromstring(ET.tostring(child)))  # noqa: S314 - our own
            case "renamed":
                child.tag = child.tag.rpartition("}")[0] + "}" + draw(st.sampled_from(_TAGS))
            case "attribute":
                names = ["id", "name", "href", "typeRef", "hitPolicy", "aggregation", "isCollection"]
                child.set(draw(st.sampled_from(names)), draw(st.sampled_from(_TEXTS)))
            case _:
                child.text = draw(st.sampled_from(_TEXTS))
    return ET.tostring(root)


@settings(max_examples=150, deadline=None)
@given(_spoilt())
def test_a_spoilt_model_is_read_or_refused(content: bytes) -> None:
    """What is read can be checked, and decides something, or says why not."""
    try:
        model = dmn.loads(content, "their.dmn")
    except dmn.DmnRefused as refused:
        assert refused.problems
        return
    for found in checks.check(model):
        assert found.reason
    for name in model.decisions:
        try:
            model.explain(name, {"n": 6, "level": "high"})
        except feel.FeelLimit:
            continue


def test_what_is_spoilt_was_sound() -> None:
    """Else nothing above would get past the reader."""
    model = dmn.loads(_SOUND, "their.dmn")
    assert model.problems == ()
    assert model.evaluate("e", {"n": 6, "level": "high"}) == 13
