"""What pages that are open are told, as it happens: server-sent events (HTML Living Standard, 9.2).

A page says which tasks it shows and under which marks; it is told of those that changed, each with what to say of it
in words, and that its lists may have changed. A stream holds no connection to the database and no thread. It ends by
itself after some minutes: the browser opens another, and is asked for its right again.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import SignInNeeded, Viewer, desk_of, viewer_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import worklist
from orchestration_pipelines.engine.watch import Change, State, Watch

router = APIRouter()

#: the browser waits for so long before it asks again
_RETRY_MS = 2_000
#: a sign of life, so that what lies between closes no silent connection; and the session is asked for again
_HEARTBEAT_S = 15.0
_LASTS_S = 240.0
#: lists are said to have changed no more often than this
_LISTS_EVERY_S = 2.0
#: streams of one person: windows of a few browsers
STREAMS = 20
#: tasks on one page
_TASKS = 300
_SHOWN = re.compile(r"([1-9][0-9]{0,18})\.([0-9a-f]{8})")


@router.get("/live", name="live")
async def live(
    request: Request,
    viewer: Annotated[Viewer, needs(Right.READ, counts=False)],
    tasks: Annotated[str, Query(max_length=20 * _TASKS, description="what is shown: task.mark,task.mark …")] = "",
) -> Response:
    """Tell a page what becomes of what it shows."""
    told = request.app.state.streams
    assert isinstance(told, Streams)  # noqa: S101 - create_router put it there
    if told.of[viewer.person] >= STREAMS:
        return Response("too many pages of yours are open", 429, headers={"retry-after": "30"})
    marks = {int(task): mark for task, mark in _SHOWN.findall(tasks)[:_TASKS]}
    visible = await run_in_threadpool(_visible, request, viewer, marks)

    async def stands() -> bool:
        return await run_in_threadpool(_stands, request)

    return StreamingResponse(
        told.stream(desk_of(request).watch, viewer.person, visible, stands),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _visible(request: Request, viewer: Viewer, marks: Mapping[int, str]) -> dict[int, str]:
    """Without the tasks that they do not see: nothing is told of those."""
    if not marks:
        return {}
    with desk_of(request).connection() as connection:
        may = worklist.may_see(connection, viewer.person, list(marks))
    return {task: mark for task, mark in marks.items() if may[task].allowed}


def _stands(request: Request) -> bool:
    try:
        viewer_of(request, counts=False)
    except SignInNeeded:
        return False
    return True


class Streams:
    """The streams that are open, counted by person."""

    def __init__(self, lasts_s: float = _LASTS_S) -> None:
        self.of: Counter[str] = Counter()
        self._lasts_s = lasts_s

    @contextmanager
    def _one(self, person: str) -> Iterator[None]:
        self.of[person] += 1
        try:
            yield
        finally:
            self.of[person] -= 1

    async def stream(
        self, watch: Watch, person: str, marks: Mapping[int, str], stands: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """The events of one page, until its time is over, the session or the watch is, or the browser has gone."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[Sequence[Change] | None] = asyncio.Queue()

        def tell(changes: Sequence[Change] | None) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, changes)

        # (Not all at one time, however many were opened at one time.)
        until = time.monotonic() + self._lasts_s * random.uniform(0.8, 1.0)  # noqa: S311 - not a secret
        asked_at = time.monotonic()
        lists_at, owed = 0.0, False  # before that, lists are not said again to have changed
        with self._one(person), watch.watching(marks, tell):
            yield f"retry: {_RETRY_MS}\n{_event('begun', True)}"
            while (now := time.monotonic()) < until:
                wait = min(_HEARTBEAT_S, until - now, lists_at - now if owed else _HEARTBEAT_S)
                if now >= asked_at + _HEARTBEAT_S:
                    if not await stands():
                        return
                    asked_at = now
                    yield ": still here\n\n"
                try:
                    changes = await asyncio.wait_for(heard.get(), max(0.0, wait))
                except TimeoutError:
                    pass
                else:
                    if changes is None:
                        return
                    if changes:
                        yield _event("tasks", [_told(change, person) for change in changes])
                    owed = True
                if owed and time.monotonic() >= lists_at:
                    yield _event("lists", True)
                    owed, lists_at = False, time.monotonic() + _LISTS_EVERY_S


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _told(change: Change, person: str) -> dict[str, Any]:
    """What a page says of a task that it shows."""
    state = change.state
    return {
        "task": state.task,
        "mark": state.mark,
        "status": state.status,
        "yours": state.person == person,
        "words": _words(state, person) if change.moved else "the case has changed",
    }


def _words(state: State, person: str) -> str:
    who = "you" if state.person == person else state.title
    return {
        "open": "free to take",
        "assigned": f"assigned to {who}",
        "claimed": f"taken by {who}",
        "signed": f"signed by {who}",
    }.get(state.status, "no longer waits")
