"""A small drawn process to start a workflow of one's own from."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

_SHAPES = {
    "received": (100, 102, 36, 36),
    "check": (190, 80, 100, 80),
    "review": (350, 80, 100, 80),
    "decided": (510, 95, 50, 50),
    "finish": (620, 80, 100, 80),
    "done": (780, 102, 36, 36),
    "rejected": (517, 222, 36, 36),
    "too_late": (382, 142, 36, 36),
}
_EDGES = {
    "to_check": ((136, 120), (190, 120)),
    "to_review": ((290, 120), (350, 120)),
    "to_decided": ((450, 120), (510, 120)),
    "approved": ((560, 120), (620, 120)),
    "to_done": ((720, 120), (780, 120)),
    "otherwise": ((535, 145), (535, 222)),
    "time_over": ((400, 178), (400, 240), (517, 240)),
}


def template(name: str, owner: str) -> bytes:
    """A BPMN file: check, a person's review with a deadline, finish."""
    shapes = "\n".join(
        f'      <bpmndi:BPMNShape id="{element}_shape" bpmnElement="{element}">'
        f'<dc:Bounds x="{x}" y="{y}" width="{width}" height="{height}"/></bpmndi:BPMNShape>'
        for element, (x, y, width, height) in _SHAPES.items()
    )
    edges = "\n".join(
        f'      <bpmndi:BPMNEdge id="{flow}_edge" bpmnElement="{flow}">'
        + "".join(f'<di:waypoint x="{x}" y="{y}"/>' for x, y in points)
        + "</bpmndi:BPMNEdge>"
        for flow, points in _EDGES.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
             xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
             xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
             xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
             xmlns:orch="https://orchestration-pipelines.dev/ns/bpmn/1"
             id="definitions" targetNamespace="https://example.org/workflows">
  <process id={quoteattr(name)} isExecutable="true" orch:owner={quoteattr(owner)}>
    <startEvent id="received" name="Received"/>
    <serviceTask id="check" name="Check"/>
    <userTask id="review" name="Review" orch:queue="reviews" orch:approves="true"
              orch:question="Should this be done?"/>
    <boundaryEvent id="too_late" name="Too late" attachedToRef="review">
      <timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition>
    </boundaryEvent>
    <exclusiveGateway id="decided" name="Approved?" default="otherwise"/>
    <serviceTask id="finish" name="Finish" orch:requiresApproval="true"/>
    <endEvent id="done" name="Done"/>
    <endEvent id="rejected" name="Rejected"/>
    <sequenceFlow id="to_check" sourceRef="received" targetRef="check"/>
    <sequenceFlow id="to_review" sourceRef="check" targetRef="review"/>
    <sequenceFlow id="to_decided" sourceRef="review" targetRef="decided"/>
    <sequenceFlow id="approved" name="yes" sourceRef="decided" targetRef="finish">
      <conditionExpression>review.outcome = "approve"</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="otherwise" name="no" sourceRef="decided" targetRef="rejected"/>
    <sequenceFlow id="time_over" sourceRef="too_late" targetRef="rejected"/>
    <sequenceFlow id="to_done" sourceRef="finish" targetRef="done"/>
  </process>
  <bpmndi:BPMNDiagram id="diagram">
    <bpmndi:BPMNPlane id="plane" bpmnElement={quoteattr(name)}>
{shapes}
{edges}
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</definitions>
""".encode()
