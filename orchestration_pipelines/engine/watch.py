"""One ear for all pages that are open: when tasks move, what they show is looked at again, and they are told.

A notice says only that something moved; how it stands is asked of the rows, for all pages in one statement. So nothing
is lost with a notice that was missed, what moves without one (a deadline, a cancellation, the first of two signatures)
is seen half a second later, and a hundred pages cost one connection and two short statements a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store import watch as table
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.watch import State

__all__ = ["Change", "State", "Watch"]

#: how often is looked without a notice, and how often at most with any number of them
_EVERY_S, _AT_MOST_S = 0.5, 0.1
_AGAIN_S = 1.0  #: after a connection was lost
_log = logging.getLogger(__name__)


class Change(NamedTuple):
    """What became of one task that a page shows."""

    state: State
    moved: bool  #: False: it is in the same hands, and the case in it has changed


#: what a page is told: its own tasks that changed (maybe none: then lists may have); None: the watch is over
Tell = Callable[[Sequence[Change] | None], None]


class _Page:
    """One page that is open somewhere: what it shows, by the marks under which it showed it."""

    def __init__(self, marks: Mapping[int, str], tell: Tell) -> None:
        self.marks, self.tell = dict(marks), tell


class Watch:
    """The ear of one process. It begins to listen when the first page is opened."""

    def __init__(self, url: str, every_s: float = _EVERY_S) -> None:
        self._url, self._every_s = url, every_s
        self._pages: set[_Page] = set()
        self._known: dict[int, State] = {}
        self._newest = -1
        self._changing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, marks: Mapping[int, str], tell: Tell) -> Iterator[None]:
        """Tell of these tasks (each with the mark under which it is shown) as long as the block takes.

        ``tell`` is called in the watch's own thread, and must not wait.
        """
        page = _Page(marks, tell)
        with self._changing:
            if self._over.is_set():
                tell(None)
            self._pages.add(page)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changing:
                self._pages.discard(page)

    def close(self) -> None:
        """Tell every page that it is over, and stop listening."""
        with self._changing:
            self._over.set()
            for page in self._pages:
                page.tell(None)
        if self._thread is not None:
            self._thread.join(2 * self._every_s + _AGAIN_S)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                with connect(self._url) as connection:
                    table.listen(connection)
                    self._look_on(connection)
            except psycopg.Error as error:
                _log.warning("the watch lost its connection and takes another: %s", error)
                self._over.wait(_AGAIN_S)

    def _look_on(self, connection: psycopg.Connection) -> None:
        looked = 0.0
        while not self._over.is_set():
            notices = list(table.heard(connection, self._every_s))
            self._over.wait(max(0.0, looked + _AT_MOST_S - time.monotonic()))
            looked = time.monotonic()
            self._look(connection, bool(notices))

    def _look(self, connection: psycopg.Connection, noticed: bool) -> None:
        with self._changing:
            pages = list(self._pages)
        if not pages:
            self._known = {}
            return
        newest = table.newest(connection)
        noticed = noticed or newest > self._newest >= 0
        self._newest = newest
        shown = sorted({task for page in pages for task in page.marks})
        states = {state.task: state for state in table.states(connection, shown)}
        changes = {task: Change(state, _moved(self._known.get(task), state)) for task, state in states.items()}
        self._known = states
        for page in pages:
            changed = [
                changes[task] for task, mark in page.marks.items() if task in states and states[task].mark != mark
            ]
            if changed or noticed:
                page.marks |= {change.state.task: change.state.mark for change in changed}
                page.tell(changed)


def _moved(before: State | None, now: State) -> bool:
    return before is None or (before.status, before.person) != (now.status, now.person)
