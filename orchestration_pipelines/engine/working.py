"""What each kind of station does with a chunk. Nothing is written here: the advance writes the verdicts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import decode, encode, exact
from orchestration_pipelines.domain.identity import idempotency_key
from orchestration_pipelines.domain.review import Outcome, joint_outcome, result
from orchestration_pipelines.domain.worker import BpmnError, Case, Worker
from orchestration_pipelines.engine.calling import NOT_BEGUN, Toolbox, call_each, call_whole, told
from orchestration_pipelines.engine.deciding import decide
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.undoing import undo
from orchestration_pipelines.engine.verdict import (
    Done,
    Failed,
    GivenBack,
    Resume,
    Verdict,
    variables_of,
)
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.semantics import Arrive
from orchestration_pipelines.store.records import snapshots
from orchestration_pipelines.store.reviews import Signature, signatures_of
from orchestration_pipelines.store.tokens import Claimed

#: A case's variables are read at every station: what is larger belongs elsewhere.
MAX_PATCH_BYTES = 1_000_000
#: No further call of a worker is begun after this; the lease is much longer.
WORK_S = 30.0


def work(station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed], toolbox: Toolbox) -> list[Verdict]:
    """Do a station's work on a chunk; a verdict for each token, in order."""
    if not station.undoes and any(token.cancel_reason is not None for token in chunk):
        # Cancelled while somebody who is gone had leased it: nothing more is begun, only undone.
        left = iter(work(station, connection, [token for token in chunk if token.cancel_reason is None], toolbox))
        return [next(left) if token.cancel_reason is None else _CANCELLED for token in chunk]
    if not chunk:
        return []
    match station.element.kind:
        case Kind.SERVICE:
            return serve(station, connection, chunk, toolbox)
        case Kind.RULE:
            return decide(station, connection, chunk)
        case Kind.USER:
            return take_on(station, connection, chunk)
        case Kind.THROW_COMPENSATION | Kind.END_COMPENSATION:
            return undo(station, connection, chunk, toolbox)
        case other:
            raise AssertionError(f"{station.id} is a {other}: no token rests there")


_CANCELLED = Done(way=Arrive(CANCELLATION), outcome="cancelled")


def key_of(station: Station, token: Claimed) -> str:
    """The idempotency key of a visit."""
    return idempotency_key(station.workflow.name, token.case_key, "", station.id, token.visit)


# -- service tasks and compensation handlers


def serve(
    station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed], toolbox: Toolbox
) -> list[Verdict]:
    """Call the bound worker."""
    worker = station.worker
    if worker is None:
        unbound = Failed(f"no worker is bound to {station.id}: write one in workers.py and replay", final=True)
        return [unbound] * len(chunk)
    known = _known(station, connection, chunk, worker)
    cases = [
        Case(
            key=token.case_key,
            inputs={name: variables.get(name) for name in worker.inputs},
            idempotency_key=key_of(station, token),
            attempt=token.attempt,
            approval=token.approval,
        )
        for token, variables in zip(chunk, known, strict=True)
    ]
    allowed = [
        index
        for index, token in enumerate(chunk)
        if token.approval is not None or station.element.extra.get("requiresApproval") != "true"
    ]
    answers: list[Any] = [_UNAPPROVED] * len(chunk)
    called = cases if len(allowed) == len(chunk) else [cases[index] for index in allowed]
    if worker.whole_chunk:
        given = call_whole(worker, called, toolbox, WORK_S) if called else []
    else:
        given = call_each(worker, called, toolbox, until=time.monotonic() + WORK_S)
    for index, answer in zip(allowed, given, strict=True):
        answers[index] = answer
    return [
        _judged(station, worker, token, variables, answer)
        for token, variables, answer in zip(chunk, known, answers, strict=True)
    ]


_UNAPPROVED = PermissionError("there is no approval in force: neither a person nor a rule has approved this case")


def _known(
    station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed], worker: Worker
) -> list[Mapping[str, Any]]:
    """The variables of each case; a compensation handler sees them as they were at completion."""
    if not (worker.inputs or station.reads or station.handler):
        return [_NOTHING] * len(chunk)
    if not station.element.is_handler:
        return [variables_of(token) for token in chunk]
    then = snapshots(connection, [(token.case_id, token.saga_no or 0) for token in chunk])
    return [decode(then[token.case_id, token.saga_no or 0]) for token in chunk]


_NOTHING: Mapping[str, Any] = {}


def _judged(station: Station, worker: Worker, token: Claimed, variables: Mapping[str, Any], answer: Any) -> Verdict:
    try:
        return _verdict(station, worker, token, variables, answer)
    except Exception as error:  # noqa: BLE001 - a worker may return anything, and it is one case's failure
        return Failed(*told(error), final=True)


def _verdict(station: Station, worker: Worker, token: Claimed, variables: Mapping[str, Any], answer: Any) -> Verdict:
    if answer is NOT_BEGUN:
        return GivenBack()
    if isinstance(answer, BpmnError):
        return _business_error(station, token, variables, answer)
    if isinstance(answer, BaseException):
        return Failed(*told(answer), final=answer is _UNAPPROVED)
    patch = _patch(worker, answer)
    if station.element.is_handler:
        return Done(
            way=Resume(token.throw_from or "", token.saga_no or 0),
            patch=patch or None,
            effect="done" if worker.external else None,
        )
    merged = {**variables, **patch} if patch and (station.reads or station.handler) else variables
    return Done(
        way=station.workflow.router.leave(station.id, merged),
        patch=patch or None,
        effect="done" if worker.external else None,
        arms=(station.handler, station.snapshot(merged)) if station.handler else None,
    )


def _patch(worker: Worker, answer: Any) -> dict[str, Any]:
    """What a worker returned, as a patch of its declared outputs."""
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise TypeError(
            f"worker {worker.name} returned a {type(answer).__name__}; it must return a dict of its outputs "
            f"({', '.join(worker.outputs) or 'none'}) or None"
        )
    if undeclared := [name for name in answer if name not in worker.outputs]:
        raise ValueError(
            f"worker {worker.name} returned {undeclared[0]!r}, which it does not declare: add it to outputs"
        )
    patch = {name: exact(value) for name, value in answer.items()}
    if any(isinstance(value, str | list | dict) for value in patch.values()):
        size = len(encode(patch))
        if size > MAX_PATCH_BYTES:
            raise ValueError(
                f"worker {worker.name} returned {size:,} bytes; a case keeps at most {MAX_PATCH_BYTES:,} of one step: "
                "store them elsewhere and return where they are"
            )
    return patch


def _business_error(station: Station, token: Claimed, variables: Mapping[str, Any], error: BpmnError) -> Verdict:
    worker = station.worker
    patch = _patch(worker, error.patch) if worker else {}
    if station.element.is_handler:
        return Failed(f"the compensation {station.id} was refused: {error}", final=True)
    way = station.workflow.router.catch_error(station.id, error.code, {**variables, **patch})
    if way is None:
        return Failed(f"nobody catches the business error {error}: draw a boundary event for it", final=True)
    return Done(
        way=way,
        outcome=f"error:{error.code}",
        patch=patch or None,
        detail=encode({"error": error.code, "message": error.message}),
        effect="refused" if worker and worker.external else None,
    )


# -- user tasks


def take_on(station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed]) -> list[Verdict]:
    """Take on what people decided, or that their time ran out."""
    signed: dict[tuple[int, int], list[Signature]] = defaultdict(list)
    for signature in signatures_of(connection, [(token.case_id, token.visit) for token in chunk]):
        signed[signature.case_id, signature.visit].append(signature)
    return [_taken_on(station, token, signed[token.case_id, token.visit]) for token in chunk]


def _taken_on(station: Station, token: Claimed, signatures: Sequence[Signature]) -> Verdict:
    variables = variables_of(token)
    router = station.workflow.router
    if token.fired is not None:
        approves = token.fired in station.approving_timers
        return Done(
            way=router.fire_timer(token.fired, variables),
            outcome=f"timer:{token.fired}",
            approved_by=[f"timeout:{station.workflow.process.digest}:{token.fired}"] if approves else None,
            voids_approval=not approves,
        )
    if not signatures:
        return Failed(f"the case left {station.id} without a decision or a timer", final=True)
    last_round = max(signature.round for signature in signatures)
    valid = [signature for signature in signatures if signature.round == last_round]
    outcome = joint_outcome([signature.outcome for signature in valid], last_round)
    people = [signature.decided_by for signature in valid]
    added = result(
        variables.get(station.id) or {},
        outcome=outcome,
        by=people,
        visit=token.visit,
        last_round=last_round,
        rationale=[signature.rationale for signature in valid],
        reasons=[reason for signature in valid for reason in signature.reasons],
    )
    merged = {**variables, station.id: added}
    approves = outcome is Outcome.APPROVE and station.element.extra.get("approves") == "true"
    return Done(
        way=router.leave(station.id, merged),
        outcome=outcome.value,
        patch={station.id: added},
        approved_by=people if approves else None,
        voids_approval=not approves,
        arms=(station.handler, station.snapshot(merged)) if station.handler else None,
        actor=", ".join(people),
    )
