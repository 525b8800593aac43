"""The BPMN profile as tables: what runs, what is documentation, what is refused and what to use instead."""

from __future__ import annotations

from typing import NamedTuple

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


class Refused(NamedTuple):
    """An element that does not run: whether it will, and what to draw instead."""

    later: bool
    instead: str

    def __str__(self) -> str:
        return f"{'not yet, it comes later' if self.later else 'not supported'}: {self.instead}"


REFUSED = {
    "task": Refused(False, "a task without a type does nothing; make it a service, user or business rule task"),
    "sendTask": Refused(True, "use a service task"),
    "receiveTask": Refused(True, "use a user task"),
    "scriptTask": Refused(True, "use a service task"),
    "manualTask": Refused(True, "use a user task"),
    "callActivity": Refused(True, "draw the steps here"),
    "subProcess": Refused(True, "draw the steps here"),
    "parallelGateway": Refused(True, "put the steps one after another"),
    "inclusiveGateway": Refused(True, "use exclusive gateways"),
    "eventBasedGateway": Refused(True, "use a user task with a boundary timer"),
    "intermediateCatchEvent": Refused(True, "use a user task with a boundary timer"),
    "complexGateway": Refused(False, "use exclusive gateways"),
    "adHocSubProcess": Refused(False, "use a user task"),
    "transaction": Refused(False, "use compensation events"),
}

START_EVENTS = {
    "timerEventDefinition": Refused(True, "use a Dagster schedule that submits cases"),
    "messageEventDefinition": Refused(True, "use a plain start event"),
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
INTERMEDIATE_EVENTS = {"compensateEventDefinition": Kind.THROW_COMPENSATION}

#: attributes of BPMN's own, beside id and name, that an element may carry
ATTRIBUTES: dict[str, frozenset[str]] = {
    "process": frozenset({"isExecutable", "isClosed", "processType", "definitionalCollaborationRef"}),
    "startEvent": frozenset({"isInterrupting", "parallelMultiple"}),
    "endEvent": frozenset(),
    "intermediateThrowEvent": frozenset(),
    "boundaryEvent": frozenset({"attachedToRef", "cancelActivity", "parallelMultiple"}),
    "exclusiveGateway": frozenset({"default", "gatewayDirection"}),
    "sequenceFlow": frozenset({"sourceRef", "targetRef", "isImmediate"}),
    **{
        task: frozenset({"isForCompensation", "startQuantity", "completionQuantity", "implementation", "operationRef"})
        for task in ACTIVITIES
    },
}
#: those with one value that runs, the standard's default
ONLY = {"startQuantity": "1", "completionQuantity": "1", "parallelMultiple": "false", "isInterrupting": "true"}

_OWNER = {"owner": "who is told when a case is stuck here"}
#: attributes in our namespace: element to attribute to what it says
EXTENSIONS: dict[str, dict[str, str]] = {
    "process": {
        "owner": "who owns the workflow; workflow.yaml may say so instead",
        "timeoutMayApprove": "true: running out of time may lead to what needs an approval",
    },
    "lane": {"role": "the role that the queues of the lane's user tasks must ask for"},
    "serviceTask": {
        **_OWNER,
        "worker": "the worker's name, where it is not the element's id",
        "requiresApproval": "true: runs only with the approval of a person or of a rule",
    },
    "userTask": {
        **_OWNER,
        "queue": "the queue of workflow.yaml where its tasks wait; = FEEL",
        "fallbackQueue": "the queue where the FEEL of queue names none",
        "approves": "true: the outcome approve gives the case an approval",
        "question": "what the reviewer is asked, in a sentence",
        "editable": "the variables that a reviewer may change, with commas between",
        "suggestion": "= FEEL: outcome, edits, because, confidence and reasons that a reviewer may take over",
        "signatures": "how many people decide; = FEEL",
        "skill": "the skill that a reviewer needs; = FEEL",
        "region": "the region that a reviewer must cover; = FEEL",
        "level": "how high the skill must be, 1 to 9; = FEEL",
        "priority": "which class of work goes first, 0 to 9; = FEEL",
        "routing": "the decision that says what the attributes above leave out: queue, skill, region, level, …",
        "due": "by when it should be decided (ISO 8601); = FEEL",
    },
    "businessRuleTask": {
        **_OWNER,
        "decision": "the decision's name, where it is not the element's id",
        "binding": "active (the default): the table in force; pinned: the one in force when the drawing was released",
        "otherwise": (
            "= FEEL: what holds where the decision has no answer (no rule, a violation): people, at the highest impact"
        ),
        "review": "= FEEL: a list of tests and numbers over the answer; the truer and the more, the more human review",
        "approvedWhen": "= FEEL over the case and the answer: true gives the case an approval",
        "declinedWhen": "= FEEL over the case and the answer: true is the rule's decline, sampled like approvals",
    },
    "startEvent": _OWNER,
    "endEvent": _OWNER,
    "boundaryEvent": _OWNER,
    "intermediateThrowEvent": _OWNER,
    "exclusiveGateway": _OWNER,
}
#: those that are true or false; anything else would be read as false and mean to be true
FLAGS = frozenset({"requiresApproval", "approves", "timeoutMayApprove"})
#: those with a few values
CHOICES: dict[str, tuple[str, ...]] = {"binding": ("active", "pinned")}

#: what may stand beside the process: definitions that its elements refer to, and pictures
BESIDE = frozenset(
    {
        "process",
        "collaboration",
        "extension",
        "extensionElements",
        "documentation",
        "import",
        "itemDefinition",
        "message",
        "error",
        "category",
        "resource",
        "dataStore",
        "interface",
        "relationship",
    }
)
