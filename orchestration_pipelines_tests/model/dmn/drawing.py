"""Small DMN files for tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from orchestration_pipelines.model import dmn

V12 = "http://www.omg.org/spec/DMN/20180521/MODEL/"
V13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
V14 = "https://www.omg.org/spec/DMN/20211108/MODEL/"
V15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def definitions(*parts: str, version: str = V15, namespace: str = "urn:test", attributes: str = "") -> bytes:
    """A file of these elements."""
    head = f'<definitions xmlns="{version}" namespace="{namespace}" name="test" {attributes}>'
    return f"{head}{''.join(parts)}</definitions>".encode()


def model(*parts: str, version: str = V15) -> dmn.Model:
    """The model of a file of these elements."""
    return dmn.loads(definitions(*parts, version=version), "test.dmn")


def literal(text: str, type_ref: str = "") -> str:
    """A literal expression."""
    return f"<literalExpression{_type(type_ref)}><text>{escape(text)}</text></literalExpression>"


def variable(name: str, type_ref: str = "") -> str:
    """A variable."""
    return f"<variable name={quoteattr(name)}{_type(type_ref)}/>"


def data(name: str, type_ref: str = "") -> str:
    """Input data; its id is its name without spaces."""
    return f'<inputData id="{own(name)}" name={quoteattr(name)}>{variable(name, type_ref)}</inputData>'


def decision(name: str, logic: str, *requires: str, type_ref: str = "", seen_as: str = "") -> str:
    """A decision; what it requires is written ``input``, ``decision:x`` or ``knowledge:x``, or ``namespace#id``."""
    return (
        f'<decision id="{own(name)}" name={quoteattr(name)}>{variable(seen_as or name, type_ref)}'
        f"{''.join(map(_requirement, requires))}{logic}</decision>"
    )


def knowledge(name: str, parameters: Sequence[tuple[str, str]], body: str, *requires: str, type_ref: str = "") -> str:
    """A business knowledge model."""
    drawn = "".join(f"<formalParameter name={quoteattr(each)}{_type(of)}/>" for each, of in parameters)
    return (
        f'<businessKnowledgeModel id="{own(name)}" name={quoteattr(name)}>{variable(name, type_ref)}'
        f"<encapsulatedLogic>{drawn}{body}</encapsulatedLogic>{''.join(map(_requirement, requires))}"
        "</businessKnowledgeModel>"
    )


def service(name: str, **parts: Sequence[str]) -> str:
    """A decision service: outputDecision, encapsulatedDecision, inputDecision and inputData by name."""
    drawn = "".join(f'<{kind} href="#{own(each)}"/>' for kind, names in parts.items() for each in names)
    return f'<decisionService id="{own(name)}" name={quoteattr(name)}>{variable(name)}{drawn}</decisionService>'


def table(
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    policy: str = "UNIQUE",
    aggregation: str = "",
) -> str:
    """A decision table: inputs as FEEL or drawn, outputs as names ("" for the only one) or drawn, rules as texts."""
    heads = "".join(
        each
        if each.startswith("<")
        else f"<input><inputExpression><text>{escape(each)}</text></inputExpression></input>"
        for each in inputs
    )
    heads += "".join(
        each if each.startswith("<") else f"<output name={quoteattr(each)}/>" if each else "<output/>"
        for each in outputs
    )
    drawn = "".join(
        f'<rule id="r{number}">'
        + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in rule[: len(inputs)])
        + "".join(f"<outputEntry><text>{escape(cell)}</text></outputEntry>" for cell in rule[len(inputs) :])
        + "</rule>"
        for number, rule in enumerate(rules, 1)
    )
    collected = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable hitPolicy="{policy}"{collected}>{heads}{drawn}</decisionTable>'


def column(text: str, type_ref: str = "", allowed: str = "", label: str = "") -> str:
    """An input column."""
    values = f"<inputValues><text>{escape(allowed)}</text></inputValues>" if allowed else ""
    named = f" label={quoteattr(label)}" if label else ""
    return (
        f"<input{named}><inputExpression{_type(type_ref)}><text>{escape(text)}</text></inputExpression>{values}</input>"
    )


def output(name: str = "", type_ref: str = "", allowed: str = "", default: str = "") -> str:
    """An output column."""
    values = f"<outputValues><text>{escape(allowed)}</text></outputValues>" if allowed else ""
    otherwise = f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
    named = f" name={quoteattr(name)}" if name else ""
    return f"<output{named}{_type(type_ref)}>{values}{otherwise}</output>"


def context(*entries: tuple[str, str]) -> str:
    """A boxed context; an entry named "" is the result."""
    return "<context>" + "".join(
        f"<contextEntry>{variable(name) if name else ''}{logic}</contextEntry>" for name, logic in entries
    ) + "</context>"  # fmt: skip


def item(name: str, base: str = "", inside: str = "", collection: bool = False) -> str:
    """An item definition."""
    many = ' isCollection="true"' if collection else ""
    written = f"<typeRef>{base}</typeRef>" if base else ""
    return f'<itemDefinition id="{own(name)}" name={quoteattr(name)}{many}>{written}{inside}</itemDefinition>'


def own(name: str) -> str:
    """The id of an element of this name."""
    return name.replace(" ", "_")


def _type(type_ref: str) -> str:
    return f" typeRef={quoteattr(type_ref)}" if type_ref else ""


def _requirement(written: str) -> str:
    kind = next((each for each in ("decision", "knowledge", "input") if written.startswith(f"{each}:")), "")
    name = written.removeprefix(f"{kind}:")
    kind = kind or ("decision" if "#" in name else "input")
    href = name if "#" in name else f"#{own(name)}"
    if kind == "knowledge":
        return f'<knowledgeRequirement><requiredKnowledge href="{href}"/></knowledgeRequirement>'
    tag = "requiredDecision" if kind == "decision" else "requiredInput"
    return f'<informationRequirement><{tag} href="{href}"/></informationRequirement>'
