"""Intake: rows become cases once, bad ones are kept with the reason, good ones go on."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine.intake import Row, Submitted
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT, Flow

SETTINGS = """
owner: tests
intake:
  key: case_key
  fields: {amount: number, name: 'text?'}
  withheld: {outcome: [repaid], protected: [sex]}
"""


def offer(flow: Flow, *rows: dict[str, Any], source: str = "file") -> Submitted:
    numbered = [Row(number, columns) for number, columns in enumerate(rows, 1)]
    return flow.engine.submit(numbered, requested_by="broker", source=source)


def counts(submitted: Submitted) -> tuple[int, int, int, int]:
    return submitted.accepted, submitted.duplicates, submitted.conflicts, submitted.quarantined


def test_the_same_payload_again_is_a_duplicate_and_another_a_conflict(draw: Draw) -> None:
    """Nothing changes either way; a conflict names the row, the key and what to do."""
    flow = draw(*STRAIGHT)
    assert counts(flow.submit("A", "B")) == (2, 0, 0, 0)
    before = flow.rows("SELECT * FROM cases ORDER BY id")
    assert counts(flow.submit("A", "B")) == (0, 2, 0, 0)
    again = flow.submit("B", "C", amount=51)
    assert counts(again) == (1, 0, 1, 0)
    ((problem),) = again.problems
    assert (problem.row, problem.key) == (1, "B")
    assert "submitted before with another payload" in problem.reason
    assert flow.rows("SELECT * FROM cases WHERE case_key <> 'C' ORDER BY id") == before


def test_a_key_repeated_in_one_batch_is_one_case(draw: Draw) -> None:
    """The first row makes it; the same again is a duplicate, another payload a conflict."""
    flow = draw(*STRAIGHT)
    assert counts(offer(flow, *({"case_key": "A", "amount": amount} for amount in (1, 1, 2)))) == (1, 1, 1, 0)
    assert flow.one("SELECT variables ->> 'amount' FROM cases") == "1"


def test_a_repeated_key_is_measured_by_the_case_that_stands(draw: Draw) -> None:
    """Two equal rows that both differ from the case are two conflicts."""
    flow = draw(*STRAIGHT)
    offer(flow, {"case_key": "A", "amount": 1})
    assert counts(offer(flow, *({"case_key": "A", "amount": amount} for amount in (2, 2)))) == (0, 0, 2, 0)


def test_two_submitters_of_the_same_keys_make_each_case_once(draw: Draw) -> None:
    """Racing in opposite order: between them every key is accepted once and a duplicate once."""
    flow = draw(*STRAIGHT)
    assert flow.engine.version
    keys = [f"K{number}" for number in range(3_000)]
    came: list[Submitted] = []
    start = threading.Barrier(2)

    def submit(offered: list[str]) -> None:
        start.wait()
        came.append(flow.submit(*offered))

    racing = [threading.Thread(target=submit, args=(order,)) for order in (keys, keys[::-1])]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    assert sum(one.accepted for one in came) == sum(one.duplicates for one in came) == 3_000
    assert (
        flow.one("SELECT count(*) FROM cases")
        == flow.one("SELECT count(DISTINCT case_key) FROM token JOIN cases ON id = case_id")
        == 3_000
    )


def test_a_bad_row_is_kept_with_its_reason_and_its_key_stays_free(draw: Draw) -> None:
    """The good rest goes on; mended, the row is a case; offered again, the bad one is kept once."""
    flow = draw(*STRAIGHT)
    rows: list[dict[str, Any]] = [{"case_key": "A", "amount": "much"}, {"case_key": "B", "amount": 5}]
    came = offer(flow, *rows)
    assert counts(came) == (1, 0, 0, 1)
    assert [(p.row, p.key, p.reason) for p in came.problems] == [(1, "A", "field 'amount' is 'much', not a number")]
    assert counts(offer(flow, *rows)) == (0, 1, 0, 1)
    assert flow.rows("SELECT row_no, case_key FROM quarantine") == [(1, "A")]
    assert counts(offer(flow, {"case_key": "A", "amount": 7})) == (1, 0, 0, 0)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "wrong type": ({"amount": "x"}, "field 'amount' is 'x', not a number"),
    "empty": ({"amount": " "}, "field 'amount' is empty"),
    "true for a number": ({"amount": True}, "not a number"),
    "not a number": ({"amount": float("nan")}, "not a number"),
    "infinite": ({"amount": "Infinity"}, "not a number"),
    "minus infinity": ({"amount": float("-inf")}, "not a number"),
    "too many digits": ({"amount": "9" * 40}, "more than 34 digits"),
    "ten megabytes": ({"name": "x" * 10_000_000}, "field 'name' has 10,000,000 characters"),
    "a NUL byte": ({"name": "a\x00b"}, "field 'name' has a NUL byte"),
    "half a character": ({"name": "\ud800"}, "field 'name' is not valid Unicode"),
    "a list": ({"name": [1]}, "not text"),
    "a colon in the key": ({"case_key": "a:b"}, "the case key 'a:b' has a colon"),
    "a newline in the key": ({"case_key": "a\nb"}, "a line break"),
    "a NUL in the key": ({"case_key": "a\x00"}, "another character"),
    "half a character in the key": ({"case_key": "\ud800"}, "another character"),
    "a long key": ({"case_key": "k" * 201}, "has 201 characters"),
    "no key": ({"case_key": None}, "the case key is empty"),
}


def test_every_bad_value_is_named_and_the_good_rest_goes_on(draw: Draw) -> None:
    """Each of them in one batch: the reason names the field, the quarantine can be read, every good row is a case."""
    flow = draw(*STRAIGHT, settings=SETTINGS)
    rows: list[dict[str, Any]] = []
    for number, (wrong, _) in enumerate(BAD.values()):
        rows.append({"case_key": f"bad {number}", "amount": 1, "name": "n", **wrong})
        rows.append({"case_key": f"good {number}", "amount": 1, "name": "n"})
    came = offer(flow, *rows)
    assert counts(came) == (len(BAD), 0, 0, len(BAD))
    for (what, (_, reason)), problem in zip(BAD.items(), came.problems, strict=True):
        assert reason in problem.reason, what
        assert len(problem.reason) < 300, what
    assert flow.one("SELECT count(*) FROM quarantine") == len(BAD)
    flow.sweep()
    assert set(flow.ends().values()) == {"done"}


def test_an_unreadable_name_of_a_column_does_not_stop_the_rest(draw: Draw) -> None:
    """What a row calls its columns may be as broken as their values."""
    flow = draw(*STRAIGHT)
    rows = [Row(1, {"case_key": "A", "\ud800": 1}, "unknown column '\ud800'"), Row(2, {"case_key": "B", "amount": 1})]
    assert counts(flow.engine.submit(rows, requested_by="broker", source="file")) == (1, 0, 0, 1)


def test_a_row_in_nobodys_name_is_quarantined(draw: Draw) -> None:
    """Somebody answers for every case."""
    flow = draw(*STRAIGHT)
    rows = [Row(1, {"case_key": "A", "amount": 1, "by": ""}), Row(2, {"case_key": "B", "amount": 1, "by": "bea"})]
    came = flow.engine.submit(rows, requested_by=lambda columns: columns["by"], source="file")
    assert counts(came) == (1, 0, 0, 1)
    assert "in whose name" in came.problems[0].reason
    assert flow.rows("SELECT requested_by FROM cases") == [("bea",)]


def test_what_is_withheld_is_split_off_and_out_of_reach(draw: Draw) -> None:
    """A case never holds it, the application cannot read it, and the quarantine does not show it."""
    flow = draw(*STRAIGHT, settings=SETTINGS)
    row = {"case_key": "A", "amount": 1, "name": "n", "repaid": "yes", "sex": "f"}
    offer(flow, row, {**row, "case_key": "B", "amount": "x"})
    assert flow.rows("SELECT DISTINCT jsonb_object_keys(variables) FROM cases ORDER BY 1") == [("amount",), ("name",)]
    for table in ("withheld_outcome", "withheld_protected"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            flow.rows(f"SELECT * FROM {table}")
    assert "yes" not in flow.one("SELECT row FROM quarantine")
    with psycopg.connect(flow.engine.url) as owner:
        assert owner.execute("SELECT columns FROM withheld_outcome").fetchall() == [({"repaid": "yes"},)]
