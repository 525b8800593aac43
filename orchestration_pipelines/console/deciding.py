"""Deciding on the page of a case: looked at, sent, refused with the reason, and on to the next case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from orchestration_pipelines.console import form, pages
from orchestration_pipelines.console.cases import task_page
from orchestration_pipelines.console.form import Sent
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import hands, inquiries, reviews
from orchestration_pipelines.engine.options import REQUESTER
from orchestration_pipelines.engine.reviews import STALE, WRONG, Refused

router = APIRouter()
Decider = Annotated[Viewer, needs(Right.WORK)]
_EDIT = "edit."
#: the header of a script that wants the difference alone
_PART = "x-part"


async def _sent(request: Request, _: Decider) -> Sent:
    form = await request.form()
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    # a next step is an outcome for one reason: return:document_wanted
    outcome, colon, reason = texts.get("outcome", "").partition(":")
    return Sent(
        seen=texts.get("seen", ""),
        outcome=outcome,
        rationale=texts.get("rationale", "").replace("\r\n", "\n"),
        reasons=tuple(dict.fromkeys([*map(str, form.getlist("reason")), *([reason] if colon else [])])),
        edits={
            name.removeprefix(_EDIT): text.replace("\r\n", "\n")
            for name, text in texts.items()
            if name.startswith(_EDIT)
        },
        confirmed=texts.get("confirmed", ""),
        takes_suggestion=texts.get("take") == "suggestion",
        goes_on="onward" in texts,
    )


Filled = Annotated[Sent, Depends(_sent)]


@router.post("/tasks/{task}/preview", name="preview")
def preview(request: Request, viewer: Decider, task: pages.Number, sent: Filled) -> Response:
    """The difference that the edits make, and what is wrong with them; nothing is decided."""
    shown = form.form_for(request, viewer, task, sent)
    if shown is None:
        return _over(request, viewer, task, sent)
    if shown.preview is None:
        return _stale(request, viewer, task, sent)
    status = 422 if shown.preview.edits.problems else 200
    if request.headers.get(_PART) == "difference":
        return pages.render(request, "decision_difference.html", status, form=shown)
    return task_page(request, viewer, task, status, form=replace(shown, asks=bool(shown.mark)))


@router.post("/tasks/{task}/decide", name="decide")
def decide(request: Request, viewer: Decider, task: pages.Number, sent: Filled) -> Response:
    """Decide, on what was shown; then go to the next case."""
    shown = form.form_for(request, viewer, task, sent)
    if shown is None:
        return _over(request, viewer, task, sent)
    if shown.preview is None:
        return _stale(request, viewer, task, sent)
    if shown.preview.edits.problems:
        return task_page(request, viewer, task, 422, form=shown)
    if shown.mark != shown.sent.confirmed and shown.mark:
        return task_page(request, viewer, task, form=replace(shown, asks=True))
    desk = desk_of(request)
    try:
        # One transaction, and so one wait for the disk: the decision, and the next case into the same hands.
        with desk.connection() as connection, connection.transaction():
            number = _decide(connection, viewer, shown, desk.clock())
            following = _following(connection, viewer, shown, desk.clock())
    except Refused as refused:
        return _refused(request, viewer, task, shown, refused)
    onward = pages.link(request, "work") if following is None else pages.link(request, "task", task=following)
    return RedirectResponse(f"{onward}?done={number}", 303)


@router.post("/tasks/{task}/ask", name="ask")
def ask(
    request: Request,
    viewer: Decider,
    task: pages.Number,
    of: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    aside: Annotated[str, Form()] = "",
) -> Response:
    """Ask a colleague about a task in hand; it stays there, put aside where that is wanted."""
    _refuse_unseen(request, viewer, task)
    desk, said = desk_of(request), text.replace("\r\n", "\n")
    try:
        with desk.connection() as connection:
            inquiries.ask(connection, task, by=viewer.person, of=of, text=said, at=desk.clock())
            if aside:
                hands.pause(connection, [task], person=viewer.person, at=desk.clock())
    except Refused as refused:
        shown = form.form_for(request, viewer, task)
        status = 422 if refused.state == WRONG else 409
        return task_page(request, viewer, task, status, form=shown, asking=(of, said, _words(refused)))
    return pages.go_to(request, "task", task=task)


@router.post("/inquiries/{inquiry}/reply", name="reply")
def reply(request: Request, viewer: Decider, inquiry: pages.Number, text: Annotated[str, Form()] = "") -> Response:
    """Answer what one was asked."""
    desk, said = desk_of(request), text.replace("\r\n", "\n")
    with desk.connection() as connection:
        asked = inquiries.find(connection, inquiry)
    if asked is None or asked.asked_of != viewer.person:
        raise NotFound
    try:
        with desk.connection() as connection:
            inquiries.answer(connection, inquiry, by=viewer.person, text=said, at=desk.clock())
    except Refused as refused:
        try:
            shown = form.form_for(request, viewer, asked.task)
        except NotFound:  # the task is over, and with it the right to see the case: the words alone
            raise refused from None
        status = 422 if refused.state == WRONG else 409
        return task_page(request, viewer, asked.task, status, form=shown, answering=(inquiry, said, _words(refused)))
    return pages.go_to(request, "work")


def _refuse_unseen(request: Request, viewer: Viewer, task: int) -> None:
    with desk_of(request).connection() as connection:
        seen, _ = reviews.may(connection, viewer.person, "see", task)
    if not seen:
        raise NotFound


def _decide(connection: psycopg.Connection, viewer: Viewer, shown: form.Form, at: datetime) -> int:
    sent, task = shown.sent, shown.considered.task
    edits = shown.preview.edits.values if shown.preview else {}
    rationale = sent.rationale.strip()
    if task.role == REQUESTER and not rationale:
        rationale = f"{'declined' if sent.outcome == Outcome.REJECT else 'answered'} by the requester"
    return reviews.decide(
        connection,
        task.task,
        person=viewer.person,
        seen=sent.seen,
        outcome=sent.outcome,
        rationale=rationale,
        reasons=sent.reasons,
        edits=edits,
        at=at,
    )


def _following(connection: psycopg.Connection, viewer: Viewer, decided: form.Form, at: datetime) -> int | None:
    """What somebody goes on with; None where they want no other now, or there is none."""
    if decided.considered.task.role == REQUESTER or not decided.sent.goes_on:
        return None
    try:
        return hands.onward(connection, viewer.person, at=at)
    except Refused:
        return None


def _refused(request: Request, viewer: Viewer, task: int, shown: form.Form, refused: Refused) -> Response:
    """The page again with the reason; what was typed is kept."""
    if refused.state == WRONG:
        return task_page(request, viewer, task, 422, form=replace(shown, problem=_words(refused)))
    if refused.state == STALE:
        return _stale(request, viewer, task, shown.sent)
    now = form.form_for(request, viewer, task, shown.sent)
    if now is None:
        return _over(request, viewer, task, shown.sent)
    status = 409 if now.considered.barred == "held" else 403
    return task_page(request, viewer, task, status, form=replace(now, problem=_words(refused)))


def _stale(request: Request, viewer: Viewer, task: int, sent: Sent) -> Response:
    """The case has changed since it was shown: the difference, and the form on what it says now."""
    again = form.refreshed(request, viewer, task, sent)
    if again is None:
        return _over(request, viewer, task, sent)
    return task_page(request, viewer, task, 409, form=again)


def _over(request: Request, viewer: Viewer, task: int, sent: Sent) -> Response:
    """The task is open no longer: the page says so, with what was written."""
    with desk_of(request).connection() as connection:
        _, rule = reviews.may(connection, viewer.person, "decide", task)
    return task_page(request, viewer, task, 409, form=None, problem=f"Nothing was sent: {rule}.", unsent=sent.rationale)


def _words(refused: Refused) -> str:
    said = str(refused).removeprefix("refused: ")
    return f"{said[:1].upper()}{said[1:]}."
