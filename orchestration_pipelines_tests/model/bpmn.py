"""BPMN written out in a test, for what ``drawing.py`` does not draw."""

from __future__ import annotations

from orchestration_pipelines.model.bpmn import ModelRefused, loads
from orchestration_pipelines.model.process import Process

#: a process that may run: one step between start and end
SMALL = (
    '<startEvent id="received"/><serviceTask id="check"/><endEvent id="over"/>'
    '<sequenceFlow id="f1" sourceRef="received" targetRef="check"/>'
    '<sequenceFlow id="f2" sourceRef="check" targetRef="over"/>'
)


def file(body: str = SMALL, beside: str = "", attributes: str = "", root: str = "") -> bytes:
    """A BPMN file with this in its process, and this beside it."""
    return (
        f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:x="https://example.org/x" '
        f'xmlns:orch="https://orchestration-pipelines.dev/ns/bpmn/1" {root}>{beside}'
        f'<process id="p" isExecutable="true" orch:owner="tests" {attributes}>{body}</process></definitions>'
    ).encode()


def read(content: bytes) -> Process:
    return loads(content, "test.bpmn")


def refusal(content: bytes) -> str:
    """Why a file is refused; fails the test where it is read."""
    try:
        read(content)
    except ModelRefused as error:
        return str(error)
    raise AssertionError("the file was read")
