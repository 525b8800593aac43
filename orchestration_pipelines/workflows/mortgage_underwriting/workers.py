"""The functions behind the service tasks. Thin: what they say is decided in the modules beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestration_pipelines import BpmnError, Case, worker
from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Submitted
from orchestration_pipelines.workflows.mortgage_underwriting import applications, expectations, notices
from orchestration_pipelines.workflows.mortgage_underwriting.features import SOURCES
from orchestration_pipelines.workflows.mortgage_underwriting.lender import Answer, Lender, balanced, set_up, violations
from orchestration_pipelines.workflows.mortgage_underwriting.outbox import Outbox, open_outbox, scrap_outbox
from orchestration_pipelines.workflows.mortgage_underwriting.scorer import Scorer, open_scorer
from orchestration_pipelines.workflows.mortgage_underwriting.screening import NEEDED, asked_for, loan_to_value

TOOLS: Mapping[str, Callable[..., Any]] = {"lender": Lender, "scorer": open_scorer, "outbox": open_outbox}
TOOL_SETUP = {"lender": set_up}
SIMULATED: Mapping[str, Callable[..., Any]] = {"outbox": scrap_outbox}
EXPECTATIONS: Mapping[str, Callable[[], Sequence[Expected]]] = {
    applications.SOURCE: lambda: expectations.check(applications.applications())
}
SHIPPED: Mapping[str, Callable[[Engine], Submitted]] = {applications.SOURCE: applications.submit}


def ledger_balanced(engine: Engine) -> list[str]:
    """The lender's ledger balances, and each reservation was released, committed, or committed and reversed."""
    url = engine.tool_url("lender")
    with engine.connect() as connection:
        asked = "SELECT case_key FROM cases WHERE workflow = %s AND state = 'open'"
        still_open = [key for (key,) in connection.execute(asked, (engine.workflow.name,))]
    return [*([] if balanced(url) else ["the ledger does not balance"]), *violations(url, still_open)]


INTEGRITY: Mapping[str, Callable[[Engine], Sequence[str]]] = {"ledger_balanced": ledger_balanced}

Patches = list[dict[str, Any] | BpmnError | None]


@worker(inputs=NEEDED, outputs=("asked_for", "ltv"))
def screen(case: Case) -> dict[str, Any]:
    """Plausible and complete, or INCOMPLETE with what the applicant must supply."""
    wanting = asked_for(case.inputs)
    if wanting:
        said = "; ".join(f"{field} {wrong}" for field, wrong in wanting.items())
        raise BpmnError("INCOMPLETE", said, {"asked_for": wanting, "ltv": None})
    return {"asked_for": {}, "ltv": loan_to_value(case.inputs)}


@worker(inputs=SOURCES, outputs=("score",), whole_chunk=True)
def score(cases: Sequence[Case], scorer: Scorer) -> Patches:
    """Probability, reasons, digests."""
    return [{"score": scored} for scored in scorer.score([case.inputs for case in cases])]


@worker(inputs=("term",), outputs=("rate_lock",), external="lender", whole_chunk=True)
def lock_rate(cases: Sequence[Case], lender: Lender) -> Patches:
    """Lock the rate for the term asked for."""
    answers = lender.ask("lock_rate", [(*_by(case), int(case["term"])) for case in cases])
    return [{"rate_lock": answer} for answer in answers]


@worker(inputs=("rate_lock",), external="lender", whole_chunk=True)
def release_rate(cases: Sequence[Case], lender: Lender) -> Patches:
    """Undo a lock."""
    lender.ask("release_rate", [(*_by(case), case["rate_lock"]["id"]) for case in cases])
    return [None for _ in cases]


@worker(inputs=("loanamt",), outputs=("reservation",), external="lender", whole_chunk=True)
def reserve_funds(cases: Sequence[Case], lender: Lender) -> Patches:
    """Hold the money; the record counts in thousands, the lender in dollars."""
    answers = lender.ask("reserve", [(*_by(case), case["loanamt"] * 1000) for case in cases])
    return [{"reservation": answer} for answer in answers]


@worker(inputs=("reservation",), external="lender", whole_chunk=True)
def release_funds(cases: Sequence[Case], lender: Lender) -> Patches:
    """Free what is still held."""
    lender.ask("release", [(*_by(case), case["reservation"]["id"]) for case in cases])
    return [None for _ in cases]


@worker(inputs=("reservation",), outputs=("commitment", "refusal"), external="lender", whole_chunk=True)
def commit_loan(cases: Sequence[Case], lender: Lender) -> Patches:
    """Promise the loan, on the approval in force."""
    answers = lender.ask("commit", [(*_by(case), case["reservation"]["id"], case.approval) for case in cases])
    return [_made("commitment", answer) for answer in answers]


@worker(inputs=("commitment",), external="lender", whole_chunk=True)
def reverse_commit(cases: Sequence[Case], lender: Lender) -> Patches:
    """Take a promise back."""
    lender.ask("reverse", [(*_by(case), case["commitment"]["id"]) for case in cases])
    return [None for _ in cases]


@worker(
    inputs=("commitment", "unit", "loanamt", "price", "apr"),
    outputs=("booking", "refusal"),
    external="lender",
    whole_chunk=True,
)
def book_loan(cases: Sequence[Case], lender: Lender) -> Patches:
    """Sell the loan to the investor, who has a rule of its own; on the figures as people left them."""
    answers = lender.ask(
        "book",
        [(*_by(case), case["commitment"]["id"], case["unit"], loan_to_value(case.inputs)) for case in cases],
    )
    return [_made("booking", answer) for answer in answers]


@worker(inputs=("booking",), external="lender", whole_chunk=True)
def withdraw_booking(cases: Sequence[Case], lender: Lender) -> Patches:
    """Take the loan back from the investor."""
    lender.ask("withdraw", [(*_by(case), case["booking"]["id"]) for case in cases])
    return [None for _ in cases]


def _by(case: Case) -> tuple[str, str]:
    return case.idempotency_key, case.key


def _made(what: str, answer: Answer) -> dict[str, Any] | BpmnError:
    """What the lender made, or its refusal as a business error."""
    if "refused" in answer:
        return BpmnError(answer["refused"], answer["message"], {"refusal": answer})
    return {what: answer}


@worker(inputs=notices.DECISIVE, outputs=("decision",))
def decline(case: Case) -> dict[str, Any]:
    """Why, once, for the notice and the record."""
    return {"decision": notices.declined(case.inputs)}


@worker(inputs=("decision",), outputs=("notice",), external="outbox")
def adverse_action_notice(case: Case, outbox: Outbox) -> dict[str, Any]:
    """Tell the applicant why not."""
    return {"notice": outbox.send(case.idempotency_key, notices.adverse_action(case.key, case["decision"]))}


@worker(inputs=("loanamt", "rate_lock", "commitment"), outputs=("decision", "notice"), external="outbox")
def notify(case: Case, outbox: Outbox) -> dict[str, Any]:
    """Tell the applicant that the loan is made."""
    notice = outbox.send(case.idempotency_key, notices.approval(case.key, case.inputs))
    return {"decision": {"outcome": "approved", "reason": "approved", "because": []}, "notice": notice}
