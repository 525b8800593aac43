"""Clients of the interface: an admin makes and ends them; each acts in the name of one person, who bounds it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.domain.client import LONGEST, TOKEN_PREFIX, Scope, is_name, speaks_for, token_hash
from orchestration_pipelines.engine.access import NotSignedIn
from orchestration_pipelines.store import access
from orchestration_pipelines.store import clients as table
from orchestration_pipelines.store.access import Entry, Pace
from orchestration_pipelines.store.clients import Client, listed
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = ["Client", "NotSignedIn", "Refused", "client_of", "create", "listed", "refused", "revoke"]


def create(
    connection: psycopg.Connection,
    name: str,
    person: str,
    scopes: Iterable[str],
    *,
    by: str,
    address: str,
    at: datetime,
    lasts: timedelta,
    asserted_by: str | None = None,
) -> str:
    """Make a client that acts in the name of ``person``; returns its token, which is kept nowhere."""
    wanted = sorted(set(scopes))
    if not is_name(name):
        raise Refused(f"{name!r} is no name for a client: use small letters, digits, dots and dashes (max. 63)")
    if unknown := [scope for scope in wanted if scope not in set(Scope)]:
        raise Refused(f"there is no scope {', '.join(unknown)}: use some of {', '.join(Scope)}")
    if not wanted:
        raise Refused(f"say what the client is for: some of {', '.join(Scope)}")
    if not timedelta(0) < lasts <= LONGEST:
        raise Refused(f"a token lasts from one to {LONGEST.days} days: make a new one in time")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with refusals(), connection.transaction():
        if not table.add(connection, name, person, wanted, token_hash(token), by=by, at=at, expires=at + lasts):
            raise Refused(f"there is or was a client {name}: decisions name it for ever, so choose another name")
        told = f"{speaks_for(name)}, for {', '.join(wanted)}{_asserted(asserted_by)}"
        access.record(connection, Entry(at, "client made", person, by, address, None, told))
    return token


def revoke(
    connection: psycopg.Connection,
    name: str,
    *,
    by: str,
    address: str,
    reason: str,
    at: datetime,
    asserted_by: str | None = None,
) -> None:
    """End a client: its token is worth nothing from its next request on."""
    if not reason.strip():
        raise Refused("a reason is needed: whoever comes next must know why")
    with refusals(), connection.transaction():
        person = table.revoke(connection, name, by=by, reason=reason, at=at)
        if person is None:
            raise Refused(f"there is no client {name!r}: see orchestrate clients list")
        told = f"{speaks_for(name)}: {reason}{_asserted(asserted_by)}"
        access.record(connection, Entry(at, "client revoked", person, by, address, None, told))


def client_of(connection: psycopg.Connection, token: str, *, address: str, at: datetime) -> Client:
    """The client with this token. Raises :class:`NotSignedIn`, which is recorded, as often as an address may try.

    Who shows a good token is let in whatever others tried from the same address: a token is not to be guessed.
    """
    found = table.by_token(connection, token_hash(token))
    if found is not None and found.revoked_at is None and found.expires_at > at and found.person_active:
        return found
    if (wait := access.try_once(connection, [_pace(address)], at)) is not None:
        raise NotSignedIn("too many wrong tokens from this address: wait, and send the right one", wait)
    if found is None:
        person, told = None, "no such token"
    else:
        over = "revoked" if found.revoked_at else "expired" if found.expires_at <= at else "of somebody who left"
        person, told = found.person, f"{speaks_for(found.name)}: {over}"
    access.record(connection, Entry(at, "refused", person, None, address, None, told))
    raise NotSignedIn(
        "this token is not, or no longer, that of a client: an admin makes one (orchestrate clients create)"
    )


def refused(
    connection: psycopg.Connection, act: str, client: Client, *, address: str, at: datetime, detail: str
) -> None:
    """Record that a client was refused: ``forbidden`` or ``not found``."""
    told = f"{speaks_for(client.name)}: {detail}"
    access.record(connection, Entry(at, act, client.person, None, address, None, told))


def _pace(address: str) -> Pace:
    return Pace(f"token from {address}", 30, timedelta(seconds=10))


def _asserted(asserted_by: str | None) -> str:
    return f" (asserted by {asserted_by})" if asserted_by else ""
