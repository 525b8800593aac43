"""A review to decide in tests: with reasons, edits, a suggestion, and ways for every outcome."""

from __future__ import annotations

from orchestration_pipelines.engine import hands, policy, reviews
from orchestration_pipelines.engine.reviews import OpenTask
from orchestration_pipelines_tests.engine.flow import Flow

DECIDING = (
    "rule grid",
    "user review orch:queue=reviews orch:approves=true orch:editable=amount,note,paid "
    '"orch:signatures==if amount > 90 then 2 else 1" "orch:question=Should it be paid?" '
    '"orch:suggestion=={outcome: if amount > 40 then \\"approve\\" else null, edits: {amount: 41, '
    'note: \\"as invoiced\\"}, because: \\"the invoice says 41\\", confidence: 0.75}"',
    'user higher orch:queue=seniors orch:approves=true "orch:question=Really?"',
    'user ask orch:queue=requesters orch:editable=note "orch:question=What is it for?"',
    "service commit orch:requiresApproval=true",
    "end done",
    "end rejected",
    "received -> grid -> review -> which",
    'which -> commit if review.outcome = "approve"',
    'which -> higher if review.outcome = "escalate"',
    'which -> ask if review.outcome = "return"',
    "which -> rejected default",
    "ask -> grid",
    "higher -> how",
    'how -> commit if higher.outcome = "approve"',
    "how -> rejected default",
    "commit -> done",
    "timer late on review P3D -> rejected",
    "timer later on higher P3D -> rejected",
    "timer latest on ask P3D -> rejected",
)
SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number, note: 'text?', paid: 'flag?'}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
  requesters: {owner: tests, role: requester}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [senior], mara: [manager], ada: [auditor]}
"""
GRID = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="grid" namespace="t">
  <inputData id="i" name="amount"><variable id="iv" name="amount" typeRef="number"/></inputData>
  <decision id="grid" name="grid"><variable id="v" name="grid" typeRef="string"/>
    <informationRequirement id="r"><requiredInput href="#i"/></informationRequirement>
    <decisionTable id="t" hitPolicy="UNIQUE">
      <input id="c" label="Amount">
        <inputExpression id="e" typeRef="number"><text>amount</text></inputExpression></input>
      <output id="o" typeRef="string"/>
      <rule id="little"><inputEntry id="a"><text>&lt; 45</text></inputEntry>
        <outputEntry id="b"><text>"little"</text></outputEntry></rule>
      <rule id="much"><inputEntry id="f"><text>&gt;= 45</text></inputEntry>
        <outputEntry id="g"><text>"much"</text></outputEntry></rule>
    </decisionTable></decision></definitions>"""
REASONS = """
reasons:
  no_invoice: {words: There is no invoice, outcomes: [reject, return]}
  in_order: {words: All in order, outcomes: [approve]}
  other: {words: Something else, outcomes: [approve, reject, return, escalate], needs_text: true}
  at_the_top: {words: Nobody decides after me, outcomes: [reject], steps: [higher]}
"""


def with_reasons(flow: Flow) -> Flow:
    """The flow, with the reasons as its policy."""
    flow.engine.version  # noqa: B018 - released on first use
    with flow.engine.connect() as connection:
        policy.put(
            connection, flow.engine.workflow, REASONS.encode(), by="mara", reason="to be counted", at=flow.clock()
        )
    return flow


def task_of(flow: Flow, key: str = "A", person: str | None = None) -> OpenTask:
    """A case's first open task that is nobody else's."""
    with flow.engine.connect() as connection:
        return next(
            task for task in reviews.open_tasks(connection) if task.case_key == key and task.assignee in (None, person)
        )


def claimed(flow: Flow, person: str, key: str = "A") -> OpenTask:
    """The same, in this person's hands."""
    task = task_of(flow, key, person)
    with flow.engine.connect() as connection:
        hands.claim(connection, [task.task], person=person, at=flow.clock())
    return task_of(flow, key, person)
