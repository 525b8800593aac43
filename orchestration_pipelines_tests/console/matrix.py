"""Who may what, written down once more, by hand: every route of the console, with the right that it asks for.

A route that is not here fails test_matrix.py. ``seen`` says that the object in its path is one that only some may see
(a case, a task, a document): whoever may not gets the answer that there is none. ``own`` says that it belongs to one
person alone. Add a line for a route of yours; a path parameter that is new needs two values in objects() of
test_matrix.py.
"""

from __future__ import annotations

from typing import NamedTuple

from orchestration_pipelines.domain.standing import Right

P, OWN, WORK, READ = None, Right.OWN, Right.WORK, Right.READ
OVERSEE, MANAGE, PEOPLE, ACCOUNTS, ACCESS = Right.OVERSEE, Right.MANAGE, Right.PEOPLE, Right.ACCOUNTS, Right.ACCESS


class Entry(NamedTuple):
    """What a route asks for."""

    right: Right | None  #: None: everybody, signed in or not
    of: str = ""  #: whose the object in the path is: "seen" by some, somebody's "own", or "" (nobody's)
    live: bool = False  #: it answers for as long as it is listened to: not asked for where it is allowed


ENTRIES: dict[tuple[str, str], Entry] = {
    ("GET", "/"): Entry(P),
    ("GET", "/static/{name}"): Entry(P),
    ("GET", "/sign-in"): Entry(P),
    ("POST", "/sign-in"): Entry(P),
    ("POST", "/sign-out"): Entry(OWN),
    ("GET", "/account"): Entry(OWN),
    ("POST", "/account/password"): Entry(OWN),
    ("POST", "/account/sessions/{session}/end"): Entry(OWN, "own"),
    ("POST", "/account/sessions/end"): Entry(OWN),
    # ------------------------------------------------------------ cases and documents
    ("GET", "/cases/{case}"): Entry(READ, "seen"),
    ("GET", "/tasks/{task}"): Entry(READ, "seen"),
    ("POST", "/cases/{case}/documents"): Entry(WORK, "seen"),
    ("GET", "/documents/{document}"): Entry(READ, "seen"),
    # ------------------------------------------------------------ work
    ("GET", "/work"): Entry(WORK),
    ("GET", "/parts/work"): Entry(WORK),
    ("POST", "/work/next"): Entry(WORK),
    ("POST", "/tasks/{task}/claim"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/release"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/decline"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/pause"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/resume"): Entry(WORK, "seen"),
    ("GET", "/queues"): Entry(READ),
    ("GET", "/parts/queues"): Entry(READ),
    ("GET", "/queues/{workflow}/{queue:path}"): Entry(READ, "seen"),
    ("GET", "/parts/queues/{workflow}/{queue:path}"): Entry(READ, "seen"),
    ("GET", "/search"): Entry(READ),
    ("GET", "/live"): Entry(READ, live=True),
}
