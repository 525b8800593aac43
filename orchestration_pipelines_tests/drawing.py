"""Drawings and workflow folders for tests, written in a few lines.

    drawing(
        "service check",
        "user review orch:queue=reviews orch:approves=true",
        "service reserve undone by release",
        "throw undo_all",
        "end done", "end rejected", "end_error failed LIMIT",
        "received -> check -> review -> gate",
        "gate -> reserve if review.outcome = \"approve\"",
        "gate -> rejected default",
        "reserve -> done",
        "timer late on review P3D -> rejected",
        "error refused on reserve LIMIT -> rejected",
    )

``start received`` is there by itself; a name of a flow that no line declares is an exclusive gateway.
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from xml.sax.saxutils import escape, quoteattr

_TAGS = {"service": "serviceTask", "user": "userTask", "rule": "businessRuleTask", "end": "endEvent"}
_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:orch="https://orchestration-pipelines.dev/ns/bpmn/1" id="d" targetNamespace="https://example.org/t">'
)


class _Drawn:
    def __init__(self) -> None:
        self.nodes: dict[str, str] = {"received": '<startEvent id="received"/>'}
        self.flows: list[str] = []
        self.defaults: dict[str, str] = {}
        self.associations: list[str] = []
        self.errors: set[str] = set()

    def line(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind in ("timer", "error"):
            self._boundary(kind, rest)
        elif "->" in line:
            self._flow(line)
        elif kind in _TAGS:
            self._task(kind, rest)
        elif kind == "end_error":
            name, code = rest.split()
            self.errors.add(code)
            self.nodes[name] = f'<endEvent id="{name}"><errorEventDefinition errorRef="error_{code}"/></endEvent>'
        elif kind == "throw":
            name, _, only = rest.partition(" only ")
            which = f' activityRef="{only}"' if only else ""
            self.nodes[name] = (
                f'<intermediateThrowEvent id="{name}"><compensateEventDefinition{which}/></intermediateThrowEvent>'
            )
        else:
            raise ValueError(f"what is {line!r}?")

    def _task(self, kind: str, rest: str) -> None:
        declared, _, handler = rest.partition(" undone by ")
        name, *settings = shlex.split(declared)
        written = "".join(f" {key}={quoteattr(value)}" for key, _, value in (s.partition("=") for s in settings))
        self.nodes[name] = f'<{_TAGS[kind]} id="{name}"{written}/>'
        if handler:
            self.nodes[handler] = f'<serviceTask id="{handler}" isForCompensation="true"/>'
            self.nodes[f"{name}_undo"] = (
                f'<boundaryEvent id="{name}_undo" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>'
            )
            self.associations.append(f'<association id="a_{name}" sourceRef="{name}_undo" targetRef="{handler}"/>')

    def _boundary(self, kind: str, rest: str) -> None:
        declared, _, target = rest.partition(" -> ")
        name, _, on = declared.partition(" on ")
        host, _, what = on.partition(" ")
        if kind == "timer":
            definition = f"<timerEventDefinition><timeDuration>{escape(what)}</timeDuration></timerEventDefinition>"
        elif what:
            self.errors.add(what)
            definition = f'<errorEventDefinition errorRef="error_{what}"/>'
        else:
            definition = "<errorEventDefinition/>"
        self.nodes[name] = f'<boundaryEvent id="{name}" attachedToRef="{host}">{definition}</boundaryEvent>'
        self._flow(f"{name} -> {target}")

    def _flow(self, line: str) -> None:
        way, _, condition = line.partition(" if ")
        is_default = way.endswith(" default")
        stops = [stop.strip() for stop in way.removesuffix(" default").split("->")]
        for source, target in pairwise(stops):
            flow = f"f{len(self.flows)}"
            if is_default:
                self.defaults[source] = flow
            test = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            self.flows.append(f'<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{test}')
            self.flows[-1] += "</sequenceFlow>"
            for name in (source, target):
                self.nodes.setdefault(name, f'<exclusiveGateway id="{name}"/>')

    def xml(self, name: str, attributes: str) -> str:
        nodes = [
            node.replace("/>", f' default="{self.defaults[name]}"/>', 1) if name in self.defaults else node
            for name, node in self.nodes.items()
        ]
        errors = "".join(f'<error id="error_{code}" errorCode="{code}"/>' for code in sorted(self.errors))
        body = "\n".join([*nodes, *self.flows, *self.associations])
        return (
            f'{_HEAD}{errors}<process id="{name}" isExecutable="true" orch:owner="tests"{attributes}>\n'
            f"{body}\n</process></definitions>"
        )


def drawing(*lines: str, name: str = "flow", attributes: str = "") -> bytes:
    """BPMN XML of a small process."""
    drawn = _Drawn()
    # tasks first, so that a flow's undeclared name is known to be a gateway
    for line in sorted(lines, key=lambda line: "->" in line):
        drawn.line(line)
    return drawn.xml(name, attributes and f" {attributes}").encode()


DEFAULT_SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
  requesters: {owner: tests, role: requester}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior]}
"""


def workflow_folder(place: Path, bpmn: bytes, workers: str, settings: str = DEFAULT_SETTINGS, **dmn: str) -> Path:
    """A workflow folder with these files; ``dmn`` names tables."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "flow.bpmn").write_bytes(bpmn)
    (place / "workers.py").write_text(dedent(workers))
    (place / "workflow.yaml").write_text(settings)
    for name, content in dmn.items():
        (place / f"{name}.dmn").write_text(content)
    return place
