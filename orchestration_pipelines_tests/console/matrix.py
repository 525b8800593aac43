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
    query: str = ""  #: what the address must say besides
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
    ("POST", "/tasks/{task}/preview"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/decide"): Entry(WORK, "seen"),
    ("POST", "/tasks/{task}/ask"): Entry(WORK, "seen"),
    ("POST", "/inquiries/{inquiry}/reply"): Entry(WORK, "own"),
    ("GET", "/queues"): Entry(READ),
    ("GET", "/parts/queues"): Entry(READ),
    ("GET", "/queues/{workflow}/{queue:path}"): Entry(READ, "seen"),
    ("GET", "/parts/queues/{workflow}/{queue:path}"): Entry(READ, "seen"),
    ("GET", "/search"): Entry(READ, query="?q=THEIR"),
    ("GET", "/live"): Entry(READ, live=True),
    # ------------------------------------------------------------ the manager's pages
    ("GET", "/manage"): Entry(OVERSEE),
    ("GET", "/manage/work"): Entry(OVERSEE),
    ("POST", "/manage/work"): Entry(MANAGE),
    ("GET", "/manage/people"): Entry(OVERSEE),
    ("GET", "/manage/people/one"): Entry(OVERSEE, query="?person=bob"),
    ("POST", "/manage/people/one/absent"): Entry(MANAGE, query="?person=bob"),
    ("POST", "/manage/people/one/back"): Entry(MANAGE, query="?person=bob"),
    ("POST", "/manage/people/one/capacity"): Entry(MANAGE, query="?person=bob"),
    ("GET", "/manage/sla"): Entry(OVERSEE),
    ("GET", "/manage/sla/clocks"): Entry(OVERSEE),
    ("GET", "/manage/limits"): Entry(OVERSEE),
    ("POST", "/manage/limits"): Entry(MANAGE),
    ("GET", "/manage/holds"): Entry(OVERSEE),
    ("POST", "/manage/holds/hold"): Entry(MANAGE),
    ("POST", "/manage/holds/resume"): Entry(MANAGE),
    ("GET", "/manage/incidents"): Entry(OVERSEE),
    ("POST", "/manage/incidents"): Entry(MANAGE),
    ("GET", "/manage/dead-letters"): Entry(OVERSEE),
    ("POST", "/manage/dead-letters/replay"): Entry(MANAGE),
    ("POST", "/manage/dead-letters/abandon"): Entry(MANAGE),
    ("GET", "/manage/quarantine"): Entry(OVERSEE),
    ("GET", "/manage/quarantine/{row}"): Entry(OVERSEE),
    ("POST", "/manage/quarantine/{row}"): Entry(MANAGE),
    ("GET", "/manage/notices"): Entry(OVERSEE),
    ("GET", "/manage/quality"): Entry(OVERSEE),
    ("POST", "/manage/quality/lift"): Entry(MANAGE),
    ("GET", "/manage/releases"): Entry(OVERSEE),
    ("GET", "/manage/releases/{number}"): Entry(OVERSEE),
    ("POST", "/manage/releases/{number}/approve"): Entry(MANAGE),
    ("POST", "/manage/releases/{number}/reject"): Entry(MANAGE),
    # ------------------------------------------------------------ the admin's
    ("GET", "/admin/people"): Entry(ACCOUNTS),
    ("POST", "/admin/people"): Entry(ACCOUNTS),
    ("GET", "/admin/people/one"): Entry(ACCOUNTS, query="?person=bob"),
    ("POST", "/admin/people/one/roles"): Entry(ACCOUNTS, query="?person=bob"),
    ("POST", "/admin/people/one/deactivate"): Entry(ACCOUNTS, query="?person=bob"),
    ("GET", "/admin/accounts"): Entry(ACCOUNTS),
    ("POST", "/admin/accounts/open"): Entry(ACCOUNTS),
    ("POST", "/admin/accounts/password"): Entry(ACCOUNTS),
    ("POST", "/admin/accounts/disable"): Entry(ACCOUNTS),
    ("POST", "/admin/accounts/enable"): Entry(ACCOUNTS),
    ("POST", "/admin/accounts/sessions/end"): Entry(ACCOUNTS),
    ("GET", "/admin/access"): Entry(ACCESS),
}
