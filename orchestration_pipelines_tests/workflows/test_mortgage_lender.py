"""The lender: keys, balance, limits, and its rule, under any order of calls."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from psycopg import sql
from psycopg.conninfo import make_conninfo

from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.workflows.mortgage_underwriting.lender import ROLE, Lender, balanced, set_up, violations


@pytest.fixture
def lender(lender_url: str) -> Iterator[Lender]:
    tool = Lender(lender_url)
    yield tool
    tool.close()


def _reserved(lender: Lender, key: str = "r", case: str = "C", dollars: int = 1_000) -> str:
    return str(lender.ask("reserve", [(key, case, dollars)])[0]["id"])


def _committed(lender: Lender, key: str = "c", case: str = "C") -> str:
    reservation = _reserved(lender, f"{key}-r", case)
    return str(lender.ask("commit", [(key, case, reservation, "A-1")])[0]["id"])


def test_a_second_call_under_a_key_is_given_the_first_answer(lender: Lender, lender_url: str) -> None:
    """And does nothing; with another content it is refused."""
    first = lender.ask("reserve", [("k", "C", 1_000)])
    assert lender.ask("reserve", [("k", "C", 1_000)]) == first
    with pytest.raises(psycopg.Error, match="the key k was used for"):
        lender.ask("reserve", [("k", "C", 2_000)])
    with pytest.raises(psycopg.Error, match="the key k was used for"):
        lender.ask("lock_rate", [("k", "C", 360)])
    assert _dollars(lender_url) == {"available": -1_000, "reserved": 1_000, "committed": 0, "sold": 0}


def test_a_call_for_many_is_all_or_nothing(lender: Lender, lender_url: str) -> None:
    """One bad case among others: nothing of the call was done, so that it can be repeated in halves."""
    with pytest.raises(psycopg.Error, match="there is no reservation RS-0"):
        lender.ask("release", [("a", "C", _reserved(lender)), ("b", "D", "RS-0")])
    assert violations(lender_url) == ["reservation RS-1 of case C is held"]


def test_no_commitment_without_an_approval(lender: Lender) -> None:
    """Whoever asks."""
    reservation = _reserved(lender)
    for approval in (None, "", "  "):
        with pytest.raises(psycopg.Error, match="no commitment without an approval"):
            lender.ask("commit", [("c", "C", reservation, approval)])


def test_the_database_itself_wants_an_approval(lender: Lender, lender_url: str) -> None:
    """Even its owner cannot add a commitment without one."""
    reservation = _reserved(lender)
    for approval in (None, " "):
        with psycopg.connect(lender_url) as connection, pytest.raises(psycopg.errors.IntegrityError):
            connection.execute(
                "INSERT INTO lender.commitment (key, reservation, approval) VALUES ('r', %s, %s)",
                (reservation, approval),
            )


def test_the_exposure_limit_refuses_as_a_business_answer(lender: Lender, lender_url: str) -> None:
    """Over the limit: refused, remembered under the key, and nothing posted; a reversal makes room again."""
    with psycopg.connect(lender_url) as connection:
        connection.execute("UPDATE lender.exposure_limit SET dollars = 1500")
    first = _committed(lender, "one")
    second = _reserved(lender, "r2")
    refused = lender.ask("commit", [("two", "C", second, "A-2")])
    assert refused[0]["refused"] == "LIMIT_EXCEEDED"
    lender.ask("reverse", [("back", "C", first)])
    assert lender.ask("commit", [("two", "C", second, "A-2")]) == refused
    assert "id" in lender.ask("commit", [("three", "C", second, "A-2")])[0]
    assert balanced(lender_url)


def test_the_investor_refuses_several_units_on_little_of_ones_own(lender: Lender) -> None:
    """Its rule looks at what it is told of the loan, never at how it was decided."""
    asked = [("b1", "C", _committed(lender, "c1"), 2, "0.96"), ("b2", "C", _committed(lender, "c2"), 1, "0.96")]
    asked.append(("b3", "C", _committed(lender, "c3"), 3, "0.95"))
    answers = lender.ask("book", asked)
    assert [answer.get("refused") for answer in answers] == ["REFUSED_BY_INVESTOR", None, None]


def test_after_a_reversal_a_release_finds_nothing_held(lender: Lender, lender_url: str) -> None:
    """reverse_commit, release_funds: the reservation ended as commit and reversal, and as nothing else."""
    commitment = _committed(lender, "c")
    lender.ask("reverse", [("v", "C", commitment)])
    with psycopg.connect(lender_url) as connection:
        row = connection.execute("SELECT reservation FROM lender.commitment").fetchone()
    assert row is not None
    assert lender.ask("release", [("f", "C", row[0])]) == [{"released": False}]
    assert violations(lender_url) == []
    assert _dollars(lender_url)["available"] == 0


def test_a_committed_reservation_is_not_released(lender: Lender, lender_url: str) -> None:
    """Nor reversed while it is booked: what came later is undone first."""
    commitment = _committed(lender, "c")
    booking = lender.ask("book", [("b", "C", commitment, 1, "0.8")])[0]["id"]
    with pytest.raises(psycopg.Error, match="is committed: reverse the commitment first"):
        lender.ask("release", [("f", "C", "RS-1")])
    with pytest.raises(psycopg.Error, match="withdraw the booking first"):
        lender.ask("reverse", [("v", "C", commitment)])
    lender.ask("withdraw", [("w", "C", booking)])
    assert lender.ask("reverse", [("v", "C", commitment)]) == [{"reversed": True}]
    assert balanced(lender_url)


def test_a_voided_key_never_does_anything_again(lender: Lender, lender_url: str) -> None:
    """Void before the call, or after it, or twice: nothing stands, and a late call is refused."""
    assert lender.void("late") == "never done"
    assert lender.void("late") == "never done"
    _reserved(lender, "early")
    assert lender.void("early") == "undone"
    assert lender.void("early") == "undone"
    for key in ("late", "early"):
        with pytest.raises(psycopg.Error, match=f"the key {key} was voided"):
            lender.ask("reserve", [(key, "C", 1_000)])
    commitment = _committed(lender, "c")
    lender.ask("book", [("b", "C", commitment, 1, "0.8")])
    lender.ask("lock_rate", [("l", "C", 360)])
    assert [lender.void(key) for key in ("b", "c", "l")] == ["undone"] * 3
    assert _dollars(lender_url) == {"available": 0, "reserved": 0, "committed": 0, "sold": 0}
    assert violations(lender_url) == []
    with pytest.raises(psycopg.Error, match="undoes something and is not voided"):
        lender.ask("release", [("f", "C", _reserved(lender, "r2"))])
        lender.void("f")


def test_two_callers_under_one_key_get_one_reservation(lender: Lender, lender_url: str) -> None:
    """A zombie and its successor call at once: the second waits, and is given the first's answer."""
    with psycopg.connect(lender_url) as first, psycopg.connect(lender_url, autocommit=True) as second:
        made = first.execute("SELECT lender.reserve('k', 'C', 1000)").fetchone()
        second.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute("SELECT lender.reserve('k', 'C', 1000)")
        first.commit()
        assert second.execute("SELECT lender.reserve('k', 'C', 1000)").fetchone() == made


def test_an_entry_that_does_not_balance_is_refused_by_the_database(lender_url: str) -> None:
    """At commit, whoever wrote it: one leg, none, or two that do not sum to zero."""
    entry = "INSERT INTO lender.entry (key) VALUES ('e') RETURNING id"
    for legs in ([], [("available", 5)], [("available", 5), ("reserved", -4)]):
        with psycopg.connect(lender_url) as connection, pytest.raises(psycopg.Error, match="does not balance"):
            made = connection.execute(entry).fetchone()
            assert made is not None
            for account, amount in legs:
                connection.execute("INSERT INTO lender.posting VALUES (%s, %s, %s)", (made[0], account, amount))
            connection.commit()


_KEPT = (b"operation", b"answer", b"entry", b"posting", b"reservation", b"commitment", b"exposure")


def test_nothing_is_changed_or_removed(lender: Lender, lender_url: str) -> None:
    """Append-only, even for the owner."""
    _committed(lender)
    with psycopg.connect(lender_url, autocommit=True) as connection:
        for table in _KEPT:
            for statement in (b"DELETE FROM lender." + table, b"TRUNCATE lender." + table + b" CASCADE"):
                with pytest.raises(psycopg.Error, match="is append-only"):
                    connection.execute(statement)


def test_the_tool_can_only_call_the_operations(lender_url: str) -> None:
    """Its role reads no table, writes none, and cannot raise the limit."""
    with psycopg.connect(lender_url, autocommit=True) as connection:
        connection.execute("SET ROLE orchestration_lender")
        for statement in (
            b"SELECT * FROM lender.reservation",
            b"INSERT INTO lender.release VALUES ('RS-1', 'k')",
            b"UPDATE lender.exposure_limit SET dollars = 0",
            b"SELECT lender.post('k', 'available', 'reserved', 1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_setting_up_again_changes_nothing(lender: Lender, lender_url: str) -> None:
    """Each start of the engine sets up."""
    made = _reserved(lender)
    set_up(lender_url)
    assert violations(lender_url) == [f"reservation {made} of case C is held"]


def test_an_owner_who_is_no_superuser_sets_it_up(server: EmbeddedServer, lender_url: str) -> None:
    """On a server of one's own: may make roles and databases, and works as the lender's role."""
    owner, name = f"owner_{uuid4().hex[:8]}", f"lender_{uuid4().hex[:8]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(owner)))
        connection.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(*map(sql.Identifier, (ROLE, owner))))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*map(sql.Identifier, (name, owner))))
    url = make_conninfo(server.url(name), user=owner)
    try:
        set_up(url)
        tool = Lender(url)
        _committed(tool)
        tool.close()
        assert balanced(url)
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner)))


def _dollars(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return {account: int(dollars) for account, dollars in connection.execute("SELECT * FROM lender.balance")}


class Lending(RuleBasedStateMachine):
    """Any order of calls, repeated and voided as a crashing engine would: the ledger balances, the rule holds."""

    url = ""
    keys = count()
    reservations: Bundle[tuple[str, str]] = Bundle("reservations")
    commitments: Bundle[tuple[str, str]] = Bundle("commitments")

    def __init__(self) -> None:
        super().__init__()
        self.lender = Lender(self.url)

    def _twice(self, operation: str, *asked: Any) -> Any:
        key = f"key-{next(self.keys)}"
        first = self.lender.ask(operation, [(key, "C", *asked)])
        assert self.lender.ask(operation, [(key, "C", *asked)]) == first
        return key, first[0]

    @rule(target=reservations, dollars=st.integers(1, 900_000))
    def reserve(self, dollars: int) -> tuple[str, str]:
        key, answer = self._twice("reserve", dollars)
        return key, answer["id"]

    @rule(target=commitments, reservation=consumes(reservations))
    def commit(self, reservation: tuple[str, str]) -> Any:
        key, answer = self._twice("commit", reservation[1], "A-1")
        if "refused" in answer:
            self._twice("release", reservation[1])
            return multiple()
        return key, answer["id"]

    @rule(reservation=consumes(reservations))
    def release(self, reservation: tuple[str, str]) -> None:
        assert self._twice("release", reservation[1])[1] == {"released": True}

    @rule(reservation=consumes(reservations))
    def void_a_reservation(self, reservation: tuple[str, str]) -> None:
        assert [self.lender.void(reservation[0]) for _ in range(2)] == ["undone"] * 2

    @rule(commitment=consumes(commitments))
    def void_a_commitment(self, commitment: tuple[str, str]) -> None:
        assert [self.lender.void(commitment[0]) for _ in range(2)] == ["undone"] * 2

    @rule(commitment=consumes(commitments), units=st.integers(1, 2), booked=st.booleans())
    def reverse(self, commitment: tuple[str, str], units: int, booked: bool) -> None:
        if booked:
            _, answer = self._twice("book", commitment[1], units, "0.97")
            if "id" in answer:
                self._twice("withdraw", answer["id"])
        assert self._twice("reverse", commitment[1])[1] == {"reversed": True}

    @invariant()
    def the_ledger_balances(self) -> None:
        assert balanced(self.url)
        assert not [broken for broken in violations(self.url) if not broken.endswith("is held")]

    def teardown(self) -> None:
        self.lender.close()


def test_under_any_order_of_calls_the_rule_holds(lender_url: str) -> None:
    """A state machine over the lender's operations, each called twice."""
    with psycopg.connect(lender_url) as connection:
        connection.execute("UPDATE lender.exposure_limit SET dollars = 2000000")
    machine = type("LendingHere", (Lending,), {"url": lender_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
