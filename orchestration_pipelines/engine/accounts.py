"""Accounts of the console: opened and closed by admins, each act one transaction, and recorded."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.people import Person, Staff
from orchestration_pipelines.domain.people import problems as staff_problems
from orchestration_pipelines.engine.access import ABSOLUTE, IDLE, put_out, refuse_easy
from orchestration_pipelines.engine.passwords import Passwords, generated
from orchestration_pipelines.engine.people import refuse_others
from orchestration_pipelines.store import accounts as table
from orchestration_pipelines.store import people
from orchestration_pipelines.store.access import Entry, record
from orchestration_pipelines.store.accounts import Account, admins, has_account
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = [
    "Account",
    "Passwords",
    "Refused",
    "admins",
    "disable",
    "enable",
    "has_account",
    "listed",
    "open_account",
    "set_password",
]


def open_account(
    connection: psycopg.Connection,
    passwords: Passwords,
    person: str,
    *,
    by: str,
    address: str,
    at: datetime,
    password: str | None = None,
    role: str | None = None,
    title: str = "",
    temporary: bool = True,
) -> str:
    """An account of a person; returns its password, made here where none is given.

    Somebody whom nobody knows yet comes in with a ``role``. Until they change a ``temporary`` password they can do
    nothing else.
    """
    if password is not None:
        refuse_easy(password, person, title)
    chosen = password or generated()
    hashed = passwords.hashed(chosen)
    with refusals(), connection.transaction():
        refuse_others(connection, by, "accounts")
        if has_account(connection, person):
            raise Refused(f"{person} has an account already: orchestrate users password {person} makes a new password")
        if people.unknown(connection, [person]):
            _bring_in(connection, person, role, title)
        elif role is not None:
            raise Refused(f"{person} is known already, with roles of their own: leave the role out")
        table.add(connection, person, hashed, temporary=temporary, by=by, now=at)
        record(connection, Entry(at, "account opened", person, by, address, None, ""))
    return chosen


def _bring_in(connection: psycopg.Connection, person: str, role: str | None, title: str) -> None:
    if role is None:
        raise Refused(
            f"there is nobody {person!r}: bring them in first (orchestrate people import, or orchestrate sweep for "
            "those whom a workflow.yaml names), or say what they are (--admin, --auditor)"
        )
    described = Person(person, (role,), title)
    if wrong := staff_problems(Staff({person: described}), people.known(connection)):
        raise Refused("; ".join(wrong))
    people.put(connection, [described])


def set_password(
    connection: psycopg.Connection,
    passwords: Passwords,
    person: str,
    *,
    by: str,
    address: str,
    at: datetime,
) -> str:
    """A new, temporary password for somebody who lost theirs; their sessions are over. Returns it."""
    chosen = generated()
    hashed = passwords.hashed(chosen)
    with refusals(), connection.transaction():
        refuse_others(connection, by, "accounts")
        if not table.set_password(connection, person, hashed, temporary=True, now=at):
            raise Refused(_no_account(person))
        put_out(connection, person, by=by, address=address, at=at)
        record(connection, Entry(at, "password set", person, by, address, None, ""))
    return chosen


def disable(connection: psycopg.Connection, person: str, *, by: str, address: str, at: datetime) -> None:
    """Nobody comes in by this account any more, and whoever is in is out."""
    with refusals(), connection.transaction():
        refuse_others(connection, by, "accounts")
        if by == person:
            raise Refused("nobody disables their own account: another admin does")
        if not table.disable(connection, person, by, at):
            raise Refused(
                _no_account(person) if not has_account(connection, person) else f"{person} is disabled already"
            )
        put_out(connection, person, by=by, address=address, at=at)
        record(connection, Entry(at, "account disabled", person, by, address, None, ""))


def enable(connection: psycopg.Connection, person: str, *, by: str, address: str, at: datetime) -> None:
    """They may come in again."""
    with refusals(), connection.transaction():
        refuse_others(connection, by, "accounts")
        if not table.enable(connection, person):
            raise Refused(_no_account(person) if not has_account(connection, person) else f"{person} is not disabled")
        record(connection, Entry(at, "account enabled", person, by, address, None, ""))


def listed(connection: psycopg.Connection, at: datetime) -> list[Account]:
    """Everybody who has an account, with the sessions that stand."""
    return table.listed(connection, began_after=at - ABSOLUTE, seen_after=at - IDLE)


def _no_account(person: str) -> str:
    return f"{person} has no account: see orchestrate users list"
