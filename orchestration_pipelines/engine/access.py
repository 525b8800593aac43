"""Coming in and being put out: sign-in, sessions, one's own password. Refusals are recorded like what is done."""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.domain.password import problems
from orchestration_pipelines.domain.standing import Standing, standing_of
from orchestration_pipelines.engine.passwords import Passwords
from orchestration_pipelines.engine.people import refuse_others
from orchestration_pipelines.store import access as table
from orchestration_pipelines.store import accounts
from orchestration_pipelines.store.access import Entry, Pace, Session, recorded, seen_by
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = [
    "ABSOLUTE",
    "IDLE",
    "Entry",
    "Knock",
    "NotSignedIn",
    "Passwords",
    "Proof",
    "Refused",
    "Session",
    "SignedIn",
    "change_password",
    "end_sessions",
    "forget",
    "knock",
    "let_in",
    "proved",
    "put_out",
    "recorded",
    "refuse_easy",
    "refused",
    "seen_by",
    "session_of",
    "sessions",
    "sign_in",
    "sign_out",
]

#: nobody was there for so long: the session is over
IDLE = timedelta(hours=1)
#: a day's work, and whoever goes on signs in again
ABSOLUTE = timedelta(hours=12)
_TOUCH_EVERY = timedelta(minutes=1)
_LIMITED_ONCE_IN = timedelta(minutes=1)
#: a session that is over says where somebody was; the record says it too, and longer
_SESSIONS_KEPT = timedelta(days=30)
_TOKEN_BYTES = 32
_LONGEST_BROWSER = 200


class NotSignedIn(Exception):
    """Nobody came in. The message tells the person, and does not tell whether there is an account."""

    def __init__(self, message: str, again_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.again_after = again_after  #: of too many attempts: how long to wait


@dataclass(frozen=True)
class SignedIn:
    """Somebody with a session that stands."""

    session: int
    person: str
    title: str
    roles: frozenset[str]
    standing: Standing
    zone: str
    temporary: bool  #: their password is one that somebody else knows: they may do nothing but change it


def _paces(person: str, address: str) -> list[Pace]:
    """By both, so that nobody locks another out from elsewhere; by the address; and, wider, by the person."""
    return [
        Pace(f"person {person} from {address}", 5, timedelta(minutes=1)),
        Pace(f"address {address}", 30, timedelta(seconds=10)),
        Pace(f"person {person}", 100, timedelta(seconds=30)),
    ]


@dataclass(frozen=True)
class Knock:
    """Somebody at the door, who has not been too often."""

    person: str
    kept: accounts.Secret | None  #: what proves that it is them; None: nobody of that name has an account
    address: str
    at: datetime


@dataclass(frozen=True)
class Proof:
    """What came of a password."""

    is_right: bool
    renewed: str | None  #: its hash with today's parameters, where it was made with others


def knock(connection: psycopg.Connection, person: str, *, address: str, at: datetime) -> Knock:
    """Somebody wants in. Raises :class:`NotSignedIn` where there were too many attempts, which is recorded."""
    kept = accounts.secret(connection, person)
    if (wait := table.try_once(connection, _paces(person, address), at)) is not None:
        known = person if kept is not None else None  # what was typed may be a password in the wrong place
        table.record_limited(connection, Entry(at, "limited", known, None, address, None, ""), _LIMITED_ONCE_IN)
        minutes = math.ceil(wait / timedelta(minutes=1))
        raise NotSignedIn(f"too many attempts: try again in {minutes} min", wait)
    return Knock(person, kept, address, at)


def proved(passwords: Passwords, knock: Knock, password: str) -> Proof:
    """Whether it is their password. That takes long, and no connection: nobody is to wait for one meanwhile."""
    kept = knock.kept
    is_right = passwords.verifies(kept.password if kept else None, password)
    aged = is_right and kept is not None and passwords.aged(kept.password)
    return Proof(is_right, passwords.hashed(password) if aged else None)


def let_in(connection: psycopg.Connection, knock: Knock, proof: Proof, *, browser: str) -> str:
    """The token of a new session; only its hash is kept. Raises :class:`NotSignedIn`, which is recorded."""
    person, kept, address, at = knock.person, knock.kept, knock.address, knock.at
    if kept is None or not proof.is_right or not kept.usable:
        detail = "no such account" if kept is None else "disabled" if proof.is_right else "wrong password"
        known = person if kept is not None else None
        table.record(connection, Entry(at, "refused", known, None, address, None, detail))
        raise NotSignedIn("that name and password do not go together")
    token, paces = secrets.token_urlsafe(_TOKEN_BYTES), _paces(person, address)
    with connection.transaction():
        if proof.renewed is not None:
            accounts.rehash(connection, person, proof.renewed)
        session = table.begin(
            connection, person, _digest(token), address=address, browser=browser[:_LONGEST_BROWSER], now=at
        )
        # Whoever has an account cannot clear an address for guessing at others': their own slips alone are forgotten.
        table.give_back(connection, paces[1:], at)
        table.forget(connection, paces[0].key)
        table.record(connection, Entry(at, "signed in", person, None, address, session, ""))
    return token


def sign_in(
    connection: psycopg.Connection,
    passwords: Passwords,
    person: str,
    password: str,
    *,
    address: str,
    browser: str,
    at: datetime,
) -> str:
    """The three together, where nobody else waits for the connection."""
    at_the_door = knock(connection, person, address=address, at=at)
    return let_in(connection, at_the_door, proved(passwords, at_the_door, password), browser=browser)


def session_of(connection: psycopg.Connection, token: str, at: datetime, *, counts: bool = True) -> SignedIn | None:
    """Whose session a token is, if it stands; ``counts`` says that a person is there, and not a page by itself."""
    found = table.find(connection, _digest(token), began_after=at - ABSOLUTE, seen_after=at - IDLE)
    if found is None:
        return None
    if counts and found.seen_at < at - _TOUCH_EVERY:
        table.touch(connection, found.session, at)
    return SignedIn(
        found.session,
        found.person,
        found.title,
        frozenset(found.roles),
        standing_of(found.roles),
        found.zone,
        found.temporary,
    )


def sign_out(connection: psycopg.Connection, who: SignedIn, *, address: str, at: datetime) -> None:
    """Somebody leaves: the session is over, whoever still holds its token."""
    with connection.transaction():
        table.end(connection, who.person, at, only=who.session)
        table.record(connection, Entry(at, "signed out", who.person, None, address, who.session, ""))


def forget(connection: psycopg.Connection, at: datetime) -> int:
    """Delete sessions that were over long ago; how many."""
    return table.forget_sessions(connection, at - _SESSIONS_KEPT)


def sessions(connection: psycopg.Connection, person: str | None, at: datetime) -> list[Session]:
    """The sessions of somebody, or of everybody, that stand."""
    return table.standing(connection, person, began_after=at - ABSOLUTE, seen_after=at - IDLE)


def end_sessions(
    connection: psycopg.Connection,
    person: str,
    *,
    by: str,
    address: str,
    at: datetime,
    only: int | None = None,
    but: int | None = None,
) -> int:
    """End one's own sessions, or as an admin anybody's: all, ``only`` one, or all ``but`` one. Returns how many."""
    with refusals(), connection.transaction():
        if by != person:
            refuse_others(connection, by, "accounts")
        return put_out(connection, person, by=by, address=address, at=at, only=only, but=but)


def put_out(
    connection: psycopg.Connection,
    person: str,
    *,
    by: str,
    address: str,
    at: datetime,
    only: int | None = None,
    but: int | None = None,
) -> int:
    """End somebody's sessions, in the transaction of what ends them, and record each; how many."""
    ended = table.end(connection, person, at, only=only, but=but)
    for session in ended:
        table.record(connection, Entry(at, "session ended", person, by, address, session, ""))
    return len(ended)


def change_password(
    connection: psycopg.Connection,
    passwords: Passwords,
    who: SignedIn,
    *,
    old: str,
    new: str,
    address: str,
    at: datetime,
) -> None:
    """Another password of one's own; one's other sessions are over. The old one is asked, at the pace of a sign-in."""
    paces = _paces(who.person, address)
    if (wait := table.try_once(connection, paces, at)) is not None:
        raise Refused(f"too many attempts: try again in {math.ceil(wait / timedelta(minutes=1))} min")
    kept = accounts.secret(connection, who.person)
    if kept is None or not passwords.verifies(kept.password, old):
        table.record(connection, Entry(at, "refused", who.person, None, address, who.session, "wrong old password"))
        raise Refused("that is not your password as it is now")
    table.give_back(connection, paces, at)
    if old == new:
        raise Refused("that is the password you have: choose another")
    refuse_easy(new, who.person, who.title)
    hashed = passwords.hashed(new)
    with connection.transaction():
        accounts.set_password(connection, who.person, hashed, temporary=False, now=at)
        put_out(connection, who.person, by=who.person, address=address, at=at, but=who.session)
        table.record(connection, Entry(at, "password changed", who.person, None, address, who.session, ""))


def refused(
    connection: psycopg.Connection, act: str, who: SignedIn, *, address: str, at: datetime, detail: str
) -> None:
    """Record that somebody who is in was refused: ``forbidden``, ``forged`` or ``not found``."""
    table.record(connection, Entry(at, act, who.person, None, address, who.session, detail))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def refuse_easy(password: str, *names: str) -> None:
    """:class:`Refused` if a password is too easy to guess for somebody of these names."""
    if wrong := problems(password, names):
        raise Refused(f"that password will not do: {'; '.join(wrong)}")
