"""Clients of the interface: made and ended by an admin, known by their token, bounded by their person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from orchestration_pipelines.domain.client import LONGEST, token_hash
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine import clients
from orchestration_pipelines.engine.clients import Client, NotSignedIn, Refused
from orchestration_pipelines.store import access, people
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock

WEEK = timedelta(days=7)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A database with an admin, a manager and a reviewer."""
    with connect(database) as connected:
        people.put(
            connected,
            [Person("ada", ("admin",)), Person("mo", ("manager",)), Person("ann", ("reviewer",))],
        )
        yield connected


FROM = "203.0.113.7"


def known(connection: psycopg.Connection, token: str, clock: SetClock, address: str = FROM) -> Client:
    return clients.client_of(connection, token, address=address, at=clock())


def made(connection: psycopg.Connection, clock: SetClock, name: str = "crm") -> str:
    return clients.create(connection, name, "ann", ["work", "read"], by="ada", address="here", at=clock(), lasts=WEEK)


def test_a_client_is_known_by_its_token(connection: psycopg.Connection, clock: SetClock) -> None:
    """Whoever shows the token is the client, in the name of its person and with its scopes."""
    found = known(connection, made(connection, clock), clock)
    assert (found.name, found.person, found.scopes, found.person_roles) == (
        "crm",
        "ann",
        ["read", "work"],
        ["reviewer"],
    )


def test_only_the_hash_of_a_token_is_kept(connection: psycopg.Connection, clock: SetClock) -> None:
    """Whoever reads the database cannot act as a client."""
    token = made(connection, clock)
    kept = connection.execute("SELECT c::text, token_hash FROM client c").fetchone()
    assert kept is not None
    assert token not in kept[0]
    assert kept[1] == token_hash(token)


def test_a_token_is_worth_nothing_once_it_is_over(connection: psycopg.Connection, clock: SetClock) -> None:
    """Not after its time, not of a wrong token, and not of a token that is almost right."""
    token = made(connection, clock)
    with pytest.raises(NotSignedIn, match="this token is not, or no longer"):
        known(connection, token[:-1], clock)
    with pytest.raises(NotSignedIn, match="this token is not, or no longer"):
        known(connection, token + "é\ud800", clock)
    clock.advance(days=7)
    with pytest.raises(NotSignedIn, match="this token is not, or no longer"):
        known(connection, token, clock)


def test_a_revoked_client_is_refused_at_once(connection: psycopg.Connection, clock: SetClock) -> None:
    """Who ended it, and why, is in its row; it is not ended twice."""
    token = made(connection, clock)
    clients.revoke(connection, "crm", by="ada", address="here", reason="leaked", at=clock())
    with pytest.raises(NotSignedIn, match="this token is not, or no longer"):
        known(connection, token, clock)
    [listed] = clients.listed(connection)
    assert (listed.revoked_by, listed.revoke_reason) == ("ada", "leaked")
    with pytest.raises(Refused, match="was revoked by ada already"):
        clients.revoke(connection, "crm", by="ada", address="here", reason="again", at=clock())


def test_a_client_ends_with_its_person(connection: psycopg.Connection, clock: SetClock) -> None:
    """Nobody acts in the name of somebody who is no reviewer any more."""
    token = made(connection, clock)
    people.retire(connection, "ann")
    with pytest.raises(NotSignedIn, match="this token is not, or no longer"):
        known(connection, token, clock)


@pytest.mark.parametrize("by", ["mo", "ann", "nobody"])
def test_only_an_admin_makes_and_ends_clients(connection: psycopg.Connection, clock: SetClock, by: str) -> None:
    """Neither a manager nor the person in whose name it is to act: the database refuses it."""
    with pytest.raises(Refused, match=f"only an admin manages accounts, and {by} is none"):
        clients.create(connection, "crm", "ann", ["read"], by=by, address="here", at=clock(), lasts=WEEK)
    made(connection, clock)
    with pytest.raises(Refused, match=f"only an admin manages accounts, and {by} is none"):
        clients.revoke(connection, "crm", by=by, address="here", reason="mine", at=clock())


def test_a_client_is_refused_with_what_to_do(connection: psycopg.Connection, clock: SetClock) -> None:
    """A name twice, a person that there is not, a scope that there is not, no scope, a token for ever."""
    made(connection, clock)
    for name, person, scopes, lasts, told in (
        ("crm", "ann", ["read"], WEEK, "there is or was a client crm"),
        ("Crm", "ann", ["read"], WEEK, "is no name for a client"),
        ("new", "zoe", ["read"], WEEK, "zoe is not an active reviewer"),
        ("new", "ann", ["all"], WEEK, "there is no scope all"),
        ("new", "ann", [], WEEK, "say what the client is for"),
        ("new", "ann", ["read"], LONGEST + WEEK, "from one to 366 days"),
        ("new", "ann", ["read"], timedelta(0), "from one to 366 days"),
    ):
        with pytest.raises(Refused, match=told):
            clients.create(connection, name, person, scopes, by="ada", address="here", at=clock(), lasts=lasts)
    with pytest.raises(Refused, match="a reason is needed"):
        clients.revoke(connection, "crm", by="ada", address="here", reason=" ", at=clock())
    with pytest.raises(Refused, match="there is no client 'other'"):
        clients.revoke(connection, "other", by="ada", address="here", reason="leaked", at=clock())


def recorded(connection: psycopg.Connection) -> list[access.Entry]:
    return access.recorded(connection, person=None, at_most=100)


def test_what_is_done_with_clients_is_on_the_record(connection: psycopg.Connection, clock: SetClock) -> None:
    """Who made one, who came with a token that was over, and who ended it; a wrong token itself is not kept."""
    token = made(connection, clock)
    clients.revoke(connection, "crm", by="ada", address="here", reason="leaked", at=clock(), asserted_by="root")
    for shown in (token, "nonsense"):
        with pytest.raises(NotSignedIn):
            known(connection, shown, clock)
    assert [(entry.act, entry.person, entry.by, entry.address, entry.detail) for entry in recorded(connection)] == [
        ("refused", None, None, FROM, "no such token"),
        ("refused", "ann", None, FROM, "client:crm: revoked"),
        ("client revoked", "ann", "ada", "here", "client:crm: leaked (asserted by root)"),
        ("client made", "ann", "ada", "here", "client:crm, for read, work"),
    ]


def test_wrong_tokens_are_slowed_down_by_address(connection: psycopg.Connection, clock: SetClock) -> None:
    """After thirty they are not even recorded; a good token comes in all the same, and so do other addresses."""
    token = made(connection, clock)
    for _ in range(30):
        with pytest.raises(NotSignedIn, match="this token is not"):
            known(connection, "wrong", clock)
    with pytest.raises(NotSignedIn, match="too many wrong tokens") as slowed:
        known(connection, "wrong", clock)
    assert slowed.value.again_after == timedelta(seconds=10)
    assert known(connection, token, clock).name == "crm"
    with pytest.raises(NotSignedIn, match="this token is not"):
        known(connection, "wrong", clock, "203.0.113.8")
    assert len([entry for entry in recorded(connection) if entry.act == "refused"]) == 31


@pytest.mark.parametrize(
    "wrong", ["UPDATE client SET scopes = '{manage}'", "UPDATE client SET person = 'mo'", "DELETE FROM client"]
)
def test_the_application_cannot_change_what_a_client_is(
    connection: psycopg.Connection, clock: SetClock, wrong: str
) -> None:
    """A client that acted in one name never acted in another, and never had another scope."""
    made(connection, clock)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(wrong.encode())
