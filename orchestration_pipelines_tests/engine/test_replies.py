"""The same request under the same key is done once, whatever happens between, and answered as the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from threading import Barrier, Event

import psycopg
import pytest

from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine import clients, replies
from orchestration_pipelines.engine.replies import KeyInUse, KeyUsed, Reply
from orchestration_pipelines.store import people
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock

ASKED, OTHER = sha256(b"asked").digest(), sha256(b"other").digest()
_PATIENCE_S = 20


@pytest.fixture
def connection(database: str, clock: SetClock) -> Iterator[psycopg.Connection]:
    """A database with a client, and a table in which acts leave their mark."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("CREATE TABLE mark (told text); GRANT ALL ON mark TO orchestration_app")
    with connect(database) as connected:
        people.put(connected, [Person("ada", ("admin",)), Person("ann", ("reviewer",))])
        for name in ("crm", "erp"):
            clients.create(connected, name, "ann", ["work"], by="ada", address="", at=clock(), lasts=timedelta(days=7))
        yield connected


def act(told: str, status: int = 200) -> Callable[[psycopg.Connection], Reply]:
    """An act that leaves a mark."""

    def acts(connection: psycopg.Connection) -> Reply:
        connection.execute("INSERT INTO mark VALUES (%s)", (told,))
        return Reply(status, {"ETag": '"1"'}, told.encode())

    return acts


def marks(connection: psycopg.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT told FROM mark ORDER BY told")]


def test_a_repetition_is_answered_as_the_first_time(connection: psycopg.Connection, clock: SetClock) -> None:
    """Nothing is done again; status, headers and body are the first one's."""
    first = replies.once(connection, "crm", "k", ASKED, act("done", 201), at=clock())
    again = replies.once(connection, "crm", "k", ASKED, act("again"), at=clock())
    assert first == (Reply(201, {"ETag": '"1"'}, b"done"), False)
    assert again == (Reply(201, {"ETag": '"1"'}, b"done"), True)
    assert marks(connection) == ["done"]


def test_a_key_is_for_one_request(connection: psycopg.Connection, clock: SetClock) -> None:
    """Another request under a used key is refused, and does nothing."""
    replies.once(connection, "crm", "k", ASKED, act("done"), at=clock())
    with pytest.raises(KeyUsed):
        replies.once(connection, "crm", "k", OTHER, act("again"), at=clock())
    assert marks(connection) == ["done"]


def test_keys_are_each_client_s_own(connection: psycopg.Connection, clock: SetClock) -> None:
    """Two clients may choose the same key, and neither reads the other's answer."""
    replies.once(connection, "crm", "k", ASKED, act("crm"), at=clock())
    reply, repeated = replies.once(connection, "erp", "k", OTHER, act("erp"), at=clock())
    assert (reply.body, repeated) == (b"erp", False)


def test_what_failed_leaves_neither_act_nor_key(connection: psycopg.Connection, clock: SetClock) -> None:
    """A fault of ours is no answer: the same request may be tried again under its key."""

    def fails(connection: psycopg.Connection) -> Reply:
        act("half")(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replies.once(connection, "crm", "k", ASKED, fails, at=clock())
    assert marks(connection) == []
    assert replies.once(connection, "crm", "k", ASKED, act("done"), at=clock())[1] is False
    assert marks(connection) == ["done"]


def test_an_answer_that_cannot_be_kept_undoes_its_act(connection: psycopg.Connection, clock: SetClock) -> None:
    """Act and answer are one transaction: none is there without the other."""
    with pytest.raises(psycopg.errors.CheckViolation):
        replies.once(connection, "crm", "k", ASKED, act("done", 500), at=clock())
    assert marks(connection) == []


def test_while_one_is_under_way_the_same_is_told_to_wait(
    connection: psycopg.Connection, database: str, clock: SetClock
) -> None:
    """The second does not wait for the first and does nothing; afterwards it gets the first one's answer."""
    inside, go_on = Event(), Event()

    def slow(connection: psycopg.Connection) -> Reply:
        inside.set()
        assert go_on.wait(_PATIENCE_S)
        return act("done")(connection)

    with connect(database) as other, ThreadPoolExecutor() as pool:
        first = pool.submit(replies.once, other, "crm", "k", ASKED, slow, at=clock())
        assert inside.wait(_PATIENCE_S)
        with pytest.raises(KeyInUse):
            replies.once(connection, "crm", "k", ASKED, act("twice"), at=clock())
        assert replies.once(connection, "erp", "k", ASKED, act("erp"), at=clock())[1] is False
        go_on.set()
        assert first.result()[0].body == b"done"
    assert replies.once(connection, "crm", "k", ASKED, act("twice"), at=clock())[0].body == b"done"
    assert marks(connection) == ["done", "erp"]


def test_of_two_at_the_same_instant_one_acts(connection: psycopg.Connection, database: str, clock: SetClock) -> None:
    """A race of two threads under each of many keys: one act for each key, and nobody gets an answer of their own."""
    keys = [f"k{number}" for number in range(40)]
    start = Barrier(2)

    def run(name: str) -> list[bytes]:
        seen = []
        with connect(database) as own:
            for key in keys:
                start.wait(_PATIENCE_S)
                while True:
                    try:
                        reply, _ = replies.once(own, "crm", key, ASKED, act(f"{key} {name}"), at=clock())
                        break
                    except KeyInUse:
                        continue
                seen.append(reply.body)
        return seen

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(run, ("one", "two"))
    assert one == two
    assert sorted(mark.encode() for mark in marks(connection)) == sorted(one)


def test_answers_are_kept_for_a_day_and_then_forgotten(connection: psycopg.Connection, clock: SetClock) -> None:
    """Until then a repetition is known; afterwards the key is free."""
    replies.once(connection, "crm", "old", ASKED, act("old"), at=clock())
    clock.advance(hours=24)
    assert replies.forget(connection, clock()) == 0
    replies.once(connection, "crm", "new", ASKED, act("new"), at=clock())
    clock.advance(minutes=1)
    assert replies.forget(connection, clock()) == 1
    assert replies.once(connection, "crm", "new", ASKED, act("again"), at=clock())[1] is True
    assert replies.once(connection, "crm", "old", OTHER, act("later"), at=clock())[1] is False
