"""The BPMN profile as tables: what runs, what is documentation, what is refused and what to use instead."""

from __future__ import annotations

from orchestration_pipelines.model.process import Kind

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
OURS = "https://orchestration-pipelines.dev/ns/bpmn/1"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
#: other tools' namespaces whose attributes are read as hints
HINTS = ("http://camunda.org/schema/", "http://flowable.org/", "http://zeebe.io/", "http://camunda.org/")

ACTIVITIES = {"serviceTask": Kind.SERVICE, "userTask": Kind.USER, "businessRuleTask": Kind.RULE}

#: read, kept and of no effect on a token
DOCUMENTATION = frozenset(
    {
        "documentation",
        "extensionElements",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "laneSet",
        "ioSpecification",
        "property",
    }
)

#: what a flow node may contain without changing what it does
NODE_CHILDREN = frozenset(
    {
        "documentation",
        "extensionElements",
        "incoming",
        "outgoing",
        "ioSpecification",
        "dataInputAssociation",
        "dataOutputAssociation",
        "property",
    }
)

_LATER = "not yet: it is in the profile and comes later"
REFUSED = {
    "sendTask": f"{_LATER}; use a service task",
    "receiveTask": f"{_LATER}; use a user task",
    "scriptTask": f"{_LATER}; use a service task",
    "manualTask": f"{_LATER}; use a user task",
    "task": "a task without a type does nothing: make it a service, user or business rule task",
    "callActivity": f"{_LATER}; draw the steps here",
    "subProcess": f"{_LATER}; draw the steps here",
    "parallelGateway": f"{_LATER}; put the steps one after another",
    "inclusiveGateway": f"{_LATER}; use exclusive gateways",
    "eventBasedGateway": f"{_LATER}; use a user task with a boundary timer",
    "intermediateCatchEvent": f"{_LATER}; use a user task with a boundary timer",
    "complexGateway": "not supported: use exclusive gateways",
    "adHocSubProcess": "not supported: use a user task",
    "transaction": "not supported: use compensation events",
}

START_EVENTS: dict[str, str] = {
    "timerEventDefinition": f"{_LATER}; use a Dagster schedule that submits cases",
    "messageEventDefinition": f"{_LATER}; use a plain start event",
}
END_EVENTS = {
    None: Kind.END,
    "terminateEventDefinition": Kind.END_TERMINATE,
    "errorEventDefinition": Kind.END_ERROR,
    "compensateEventDefinition": Kind.END_COMPENSATION,
}
BOUNDARY_EVENTS = {
    "timerEventDefinition": Kind.BOUNDARY_TIMER,
    "errorEventDefinition": Kind.BOUNDARY_ERROR,
    "compensateEventDefinition": Kind.BOUNDARY_COMPENSATION,
}
