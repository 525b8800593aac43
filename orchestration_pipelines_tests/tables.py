"""Decision tables for tests, written in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

_HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="https://example.org/d">'

#: amounts up to 100 go through, others are looked at
CAREFUL = (("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))


def table(
    *rules: Sequence[str],
    inputs: Sequence[str] = ("amount",),
    outputs: Sequence[str] = ("route", "signatures"),
    name: str = "grid",
    policy: str = "UNIQUE",
) -> str:
    """DMN XML of one decision; a rule is its input cells, then its output cells. Rules are r1, r2, …"""
    columns = "".join(
        f'<input id="i{n}" label="{text.capitalize()}"><inputExpression><text>{escape(text)}</text></inputExpression>'
        "</input>"
        for n, text in enumerate(inputs)
    )
    columns += "".join(f'<output id="o{n}" name="{output}"/>' for n, output in enumerate(outputs))
    written = ""
    for number, rule in enumerate(rules, 1):
        cells = [f"<text>{escape(cell)}</text>" for cell in rule]
        asked = "".join(f"<inputEntry>{cell}</inputEntry>" for cell in cells[: len(inputs)])
        said = "".join(f"<outputEntry>{cell}</outputEntry>" for cell in cells[len(inputs) :])
        written += f'<rule id="r{number}">{asked}{said}</rule>'
    return (
        f'{_HEAD}<decision id="{name}" name="{name}"><variable name="{name}"/>'
        f'<decisionTable id="t" hitPolicy="{policy}">{columns}{written}</decisionTable></decision></definitions>'
    )
