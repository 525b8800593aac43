"""Coming in and being put out: sign-in and its limits, sessions, passwords, accounts, and the record of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import psycopg
import pytest
from argon2 import PasswordHasher

from orchestration_pipelines.engine import access, accounts
from orchestration_pipelines.engine.access import NotSignedIn, Passwords, Refused
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock

GOOD = "quiet lamp over nine bridges"
OTHER = "seven other slow rivers"


class Counting(PasswordHasher):
    """Counts how often it verified: what takes the time of a sign-in."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


@pytest.fixture
def hasher() -> Counting:
    return Counting()


@pytest.fixture
def passwords(hasher: Counting) -> Passwords:
    return Passwords(hasher)


@pytest.fixture
def door(database: str, clock: SetClock, passwords: Passwords) -> Iterator[psycopg.Connection]:
    """A database with an admin, ada, and a reviewer, nora, who have accounts, and omar, who has none."""
    with psycopg.connect(database) as owner:
        owner.execute(
            "INSERT INTO reviewer (person, roles, title) VALUES ('nora', '{underwriter}', 'Nora Dahl'), "
            "('omar', '{underwriter}', ''), ('mara', '{manager}', '')"
        )
    with connect(database) as connection:
        settings = {"address": "here", "at": clock(), "temporary": False}
        accounts.open_account(connection, passwords, "ada", by="root", password=GOOD, role="admin", **settings)  # type: ignore[arg-type]
        accounts.open_account(connection, passwords, "nora", by="ada", password=GOOD, **settings)  # type: ignore[arg-type]
        yield connection


def come(
    door: psycopg.Connection,
    passwords: Passwords,
    clock: SetClock,
    person: str,
    password: str,
    address: str = "10.0.0.1",
) -> str:
    """A token, if they come in."""
    return access.sign_in(door, passwords, person, password, address=address, browser="a browser", at=clock())


def told(door: psycopg.Connection, at_most: int) -> list[tuple[str, str | None, str]]:
    """The newest lines of the record: act, person, detail."""
    return [(each.act, each.person, each.detail) for each in access.recorded(door, person=None, at_most=at_most)]


def test_who_is_refused_is_told_nothing(
    door: psycopg.Connection, passwords: Passwords, hasher: Counting, clock: SetClock
) -> None:
    """Not whether there is an account: the words are the same, and so is the work that is done before they are said."""
    with psycopg.connect(door.info.dsn) as owner:
        owner.execute("INSERT INTO reviewer (person, roles) VALUES ('gone', '{underwriter}')")
    accounts.open_account(door, passwords, "gone", by="ada", address="here", at=clock(), password=GOOD, temporary=False)
    accounts.disable(door, "gone", by="ada", address="here", at=clock())
    said = set()
    for person, password in (("nora", OTHER), ("omar", GOOD), ("nobody", GOOD), ("gone", GOOD), ("", ""), ("nora", "")):
        hasher.verified.clear()
        with pytest.raises(NotSignedIn) as refused:
            come(door, passwords, clock, person, password)
        said.add(str(refused.value))
        assert len(hasher.verified) == 1, "one hash is verified, whoever it is"
        assert hasher.verified[0] == "$argon2id$v=19$m=8,t=1,p=1", "with the parameters of everybody's"
    assert said == {"that name and password do not go together"}
    assert [(act, person) for act, person, _ in told(door, 6)] == [
        ("refused", "nora"),
        ("refused", None),
        ("refused", "gone"),
        ("refused", None),
        ("refused", None),
        ("refused", "nora"),
    ], "a name that nobody has may be a password in the wrong place: it is not kept"


def test_guessing_is_slowed_down(door: psycopg.Connection, passwords: Passwords, clock: SetClock) -> None:
    """Five at once from one address, then one a minute; the right password does not help, nor does another's luck."""
    for _ in range(5):
        with pytest.raises(NotSignedIn, match="do not go together"):
            come(door, passwords, clock, "nora", OTHER)
    with pytest.raises(NotSignedIn, match="try again in 1 min") as refused:
        come(door, passwords, clock, "nora", GOOD)
    assert refused.value.again_after == timedelta(minutes=1)
    assert told(door, 1) == [("limited", "nora", "")]
    for _ in range(3):
        with pytest.raises(NotSignedIn, match="try again in 1 min"):
            come(door, passwords, clock, "nora", GOOD)
    assert [act for act, _, _ in told(door, 2)] == ["limited", "refused"], "said once: the record cannot be filled"
    assert come(door, passwords, clock, "nora", GOOD, address="10.0.0.2"), "nobody is locked out from elsewhere"
    assert come(door, passwords, clock, "ada", GOOD), "nor anybody else from there"
    clock.advance(minutes=1)
    assert come(door, passwords, clock, "nora", GOOD)
    for _ in range(5):
        with pytest.raises(NotSignedIn, match="do not go together"):
            come(door, passwords, clock, "nora", OTHER)
    with pytest.raises(NotSignedIn, match="try again"):
        come(door, passwords, clock, "nora", GOOD)


def test_an_address_that_tries_many_names_is_slowed_down(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """Thirty, then one in ten seconds; those who come in do not count, and clear nothing for the others."""
    for number in range(30):
        assert come(door, passwords, clock, "nora", GOOD)
        with pytest.raises(NotSignedIn, match="do not go together"):
            come(door, passwords, clock, f"name {number}", OTHER)
    with pytest.raises(NotSignedIn, match="try again"):
        come(door, passwords, clock, "nora", GOOD)
    clock.advance(seconds=10)
    assert come(door, passwords, clock, "nora", GOOD)


def test_a_person_whom_many_addresses_try_is_slowed_down(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """A hundred at once from everywhere, then one in half a minute."""
    for number in range(100):
        with pytest.raises(NotSignedIn, match="do not go together"):
            come(door, passwords, clock, "nora", OTHER, address=f"10.1.{number}.1")
    with pytest.raises(NotSignedIn, match="try again"):
        come(door, passwords, clock, "nora", OTHER, address="10.2.0.1")
    clock.advance(hours=2)
    come(door, passwords, clock, "nora", GOOD)
    assert door.execute("SELECT count(*) FROM sign_in_pace").fetchone() == (0,), "what has recovered is not kept"


def test_a_session_ends_by_itself(door: psycopg.Connection, passwords: Passwords, clock: SetClock) -> None:
    """An hour without anybody, or twelve with; a visit is written down at the most once a minute."""
    token = come(door, passwords, clock, "nora", GOOD)
    begun = clock()
    clock.advance(seconds=30)
    assert access.session_of(door, token, clock()) is not None
    assert access.sessions(door, "nora", clock())[0].seen_at == begun
    clock.advance(minutes=59)
    found = access.session_of(door, token, clock())
    assert found is not None
    assert (found.person, found.title, found.temporary) == ("nora", "Nora Dahl", False)
    assert access.sessions(door, "nora", clock())[0].seen_at == clock()
    clock.advance(hours=1)
    assert access.session_of(door, token, clock()) is None
    assert access.sessions(door, "nora", clock()) == []


def test_sessions_that_are_over_are_not_kept(door: psycopg.Connection, passwords: Passwords, clock: SetClock) -> None:
    """After a month; the record of access says for longer who was there."""
    come(door, passwords, clock, "nora", GOOD)
    clock.advance(days=29)
    come(door, passwords, clock, "ada", GOOD)
    assert access.forget(door, clock()) == 0
    clock.advance(days=2)
    assert access.forget(door, clock()) == 1
    assert [act for act, _, _ in told(door, 2)] == ["signed in", "signed in"]


def test_an_admin_ends_anybodys_sessions_and_nobody_else_does(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """One's own each may end: one of them, or all but the one they sit at."""
    tokens = [come(door, passwords, clock, "nora", GOOD) for _ in range(3)]
    first = access.session_of(door, tokens[0], clock())
    assert first is not None
    for by in ("omar", "mara", "nobody"):
        with pytest.raises(Refused, match="only an admin"):
            access.end_sessions(door, "nora", by=by, address="x", at=clock())
    assert access.end_sessions(door, "nora", by="nora", address="x", at=clock(), but=first.session) == 2
    assert access.session_of(door, tokens[0], clock()) is not None
    assert access.session_of(door, tokens[1], clock()) is None
    assert access.end_sessions(door, "nora", by="nora", address="x", at=clock(), only=first.session + 1) == 0
    assert access.end_sessions(door, "nora", by="ada", address="x", at=clock()) == 1
    entry = access.recorded(door, person="nora", at_most=1)[0]
    assert (entry.act, entry.by, entry.session, entry.address) == ("session ended", "ada", first.session, "x")


def test_a_password_is_changed_by_who_knows_it(door: psycopg.Connection, passwords: Passwords, clock: SetClock) -> None:
    """The other sessions are over, this one stays; the old one opens nothing any more."""
    here, elsewhere = (come(door, passwords, clock, "nora", GOOD) for _ in range(2))
    who = access.session_of(door, here, clock())
    assert who is not None

    def change(old: str, new: str) -> None:
        access.change_password(door, passwords, who, old=old, new=new, address="10.0.0.1", at=clock())

    for old, new, why in (
        (OTHER, OTHER, "not your password"),
        (GOOD, GOOD, "the password you have"),
        (GOOD, "Nora Dahl was here", "a name of yours"),
        (GOOD, "short", "5 characters"),
    ):
        with pytest.raises(Refused, match=why):
            change(old, new)
    change(GOOD, OTHER)
    assert access.session_of(door, here, clock()) is not None
    assert access.session_of(door, elsewhere, clock()) is None
    with pytest.raises(NotSignedIn):
        come(door, passwords, clock, "nora", GOOD)
    assert come(door, passwords, clock, "nora", OTHER)
    acts = [act for act, person, _ in told(door, 9) if person == "nora"]
    assert acts[:4] == ["signed in", "refused", "password changed", "session ended"]


def test_the_old_password_cannot_be_guessed_from_a_session(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """Whoever sits down at a browser that was left open gets as many tries as at the door."""
    who = access.session_of(door, come(door, passwords, clock, "nora", GOOD), clock())
    assert who is not None
    for why in [*["not your password"] * 5, "too many attempts"]:
        with pytest.raises(Refused, match=why):
            access.change_password(door, passwords, who, old=OTHER, new=OTHER, address="10.0.0.1", at=clock())


def test_who_opens_accounts(database: str, passwords: Passwords, clock: SetClock) -> None:
    """The first admin whoever holds the machine; from then on admins alone, and never twice."""
    with connect(database) as connection:

        def open_account(person: str, by: str, role: str | None = None) -> str:
            return accounts.open_account(
                connection, passwords, person, by=by, address="here", at=clock(), role=role, password=None
            )

        with pytest.raises(Refused, match="there is nobody 'ada'"):
            open_account("ada", "root")
        open_account("ada", "root", "admin")
        with pytest.raises(Refused, match="only an admin manages accounts, and root is none"):
            open_account("abel", "root", "auditor")
        made = open_account("abel", "ada", "auditor")
        with pytest.raises(Refused, match="has an account already"):
            open_account("abel", "ada")
        with pytest.raises(Refused, match="no name for a person"):
            open_account(" x ", "ada", "auditor")
        who = access.session_of(connection, come(connection, passwords, clock, "abel", made), clock())
        assert who is not None
        assert who.temporary, "a password that somebody else has seen opens nothing but its own change"
        access.change_password(connection, passwords, who, old=made, new=OTHER, address="x", at=clock())
        assert [(each.person, each.temporary, each.sessions) for each in accounts.listed(connection, clock())] == [
            ("abel", False, 1),
            ("ada", True, 0),
        ]


def test_an_account_is_closed_and_opened_by_another_admin(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """At once, whoever is in; nobody does it to themselves."""
    token = come(door, passwords, clock, "nora", GOOD)
    settings = {"by": "ada", "address": "here", "at": clock()}
    with pytest.raises(Refused, match="nobody disables their own"):
        accounts.disable(door, "ada", **settings)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="omar has no account"):
        accounts.disable(door, "omar", **settings)  # type: ignore[arg-type]
    accounts.disable(door, "nora", **settings)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="disabled already"):
        accounts.disable(door, "nora", **settings)  # type: ignore[arg-type]
    assert access.session_of(door, token, clock()) is None
    accounts.enable(door, "nora", **settings)  # type: ignore[arg-type]
    assert access.session_of(door, token, clock()) is None, "what was ended stays so"
    made = accounts.set_password(door, passwords, "nora", **settings)  # type: ignore[arg-type]
    who = access.session_of(door, come(door, passwords, clock, "nora", made), clock())
    assert who is not None
    assert who.temporary


def test_a_hash_of_earlier_days_is_renewed_when_somebody_comes_in(
    door: psycopg.Connection, passwords: Passwords, clock: SetClock
) -> None:
    """The parameters grow with the machines, and nobody has to choose a new password for it."""
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert come(door, stronger, clock, "nora", GOOD)
    kept = door.execute("SELECT password FROM account WHERE person = 'nora'").fetchone()
    assert kept is not None
    assert kept[0].startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert come(door, stronger, clock, "nora", GOOD)


def test_the_record_of_access_only_grows(door: psycopg.Connection) -> None:
    """Neither the application nor the owner of the database changes it."""
    for url_role in ("orchestration_app", None):
        with connect(door.info.dsn, role=url_role) as connection:
            for statement in ("UPDATE access_entry SET act = 'refused'", "DELETE FROM access_entry"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.DatabaseError)):
                    connection.execute(statement)
    with connect(door.info.dsn, role="orchestration_auditor") as auditor:
        assert auditor.execute("SELECT count(*) FROM access_entry").fetchone() == (2,)
        for table in ("account", "session"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                auditor.execute(f"SELECT * FROM {table}")
