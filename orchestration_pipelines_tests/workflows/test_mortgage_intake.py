"""What of an application a case may see: all 59 columns are declared, and what is withheld stays where it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest
import yaml

from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.workflows.mortgage_underwriting import applications
from orchestration_pipelines.workflows.mortgage_underwriting.screening import NEEDED, asked_for
from orchestration_pipelines_tests.workflows.mortgage import DOUBTFUL, FOLDER, GOOD, Underwriting, application

PROTECTED = {"black", "hispan", "white", "male", "married", "old", "dep", "min30"}
HIDDEN = PROTECTED | {"action", "approve", "reject", "typur", "review", "inson", "gdlin"}


def test_every_column_of_the_record_is_declared_once() -> None:
    """59 columns: a field, withheld, or ignored; nothing is taken in by accident."""
    intake = yaml.safe_load((FOLDER / "workflow.yaml").read_text())["intake"]
    declared = [*intake["fields"], *(name for names in intake["withheld"].values() for name in names)]
    declared += intake["ignored"]
    columns = set(applications.record()[0]) - {"case_key"}
    assert sorted(declared) == sorted(columns)
    assert len(columns) == 59
    assert set(intake["withheld"]["protected"]) == PROTECTED


def test_withheld_columns_never_reach_a_case(underwriting: Underwriting) -> None:
    """Not its variables, not a task's facts, not the audit, not the decision's explanation; not even a name."""
    underwriting.arrive(application("A", DOUBTFUL, action=1, black=1, gdlin=0, dep=7))
    assert not HIDDEN & set(underwriting.variables("A"))
    [task, _] = underwriting.tasks("A")
    assert not HIDDEN & set(task.facts)
    with underwriting.engine.connect() as connection:
        written = connection.execute("SELECT b::text FROM audit_trail").fetchall()
        written += connection.execute("SELECT detail::text FROM activity WHERE detail IS NOT NULL").fetchall()
    assert written
    for (text,) in written:
        assert not [name for name in HIDDEN - {"review", "approve", "reject", "action"} if f'"{name}"' in str(text)]


_DECIDING = ("orchestration_app", "orchestration_reviewer", "orchestration_auditor", "orchestration_worker")


def test_no_role_that_decides_reads_what_is_withheld(underwriting: Underwriting) -> None:
    """Permission denied, by the database, to each of them."""
    underwriting.submit(application("A"))
    for role in _DECIDING:
        with connect(underwriting.url, role=role) as connection:
            for table in (b"withheld_outcome", b"withheld_protected"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(b"SELECT * FROM " + table)


def test_the_evaluation_reads_what_was_withheld(underwriting: Underwriting) -> None:
    """It was kept, by kind."""
    underwriting.submit(application("A", action=3, gdlin=666, black=1))
    with connect(underwriting.url, role="orchestration_evaluation") as connection:
        kept = connection.execute(
            "SELECT o.columns ->> 'action', o.columns ->> 'gdlin', p.columns ->> 'black' "
            "FROM withheld_outcome o JOIN withheld_protected p USING (case_id)"
        ).fetchone()
    assert kept == ("3", "666", "1")


def test_a_case_is_submitted_by_its_broker(underwriting: Underwriting) -> None:
    """A function of its key: the same at every submission, which is then a duplicate."""
    assert applications.submit(underwriting.engine, limit=20).accepted == 20
    assert applications.submit(underwriting.engine, limit=20).duplicates == 20
    with underwriting.engine.connect() as connection:
        rows = connection.execute("SELECT case_key, requested_by FROM cases").fetchall()
    by: dict[str, str] = dict(rows)
    assert by == {row["case_key"]: applications.broker(row) for row in applications.applications()[:20]}
    assert len(set(by.values())) > 1


def _application(**changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(NEEDED), **{name: value for name, value in GOOD.items() if name in NEEDED}, **changes}


def test_a_good_application_asks_for_nothing() -> None:
    """Nothing missing, nothing that cannot be."""
    assert asked_for(_application()) == {}


@pytest.mark.parametrize("field", NEEDED)
def test_each_empty_field_is_asked_for_by_name(field: str) -> None:
    """And nothing else is."""
    assert asked_for(_application(**{field: None})) == {field: "is empty"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"loanamt": 2}, "loanamt"),
        ({"liq": 1_000_000}, "liq"),
        ({"term": Decimal("999999.4")}, "term"),
        ({"price": 1329, "apr": 131}, "price"),
        ({"loanamt": 110, "price": 50, "apr": 50}, "loanamt"),
        ({"obrat": 0, "hrat": 29}, "obrat"),
        ({"atotinc": 0, "cototinc": 0}, "atotinc"),
        ({"unit": 0}, "unit"),
    ],
)
def test_each_implausible_value_is_asked_for(changes: dict[str, Any], field: str) -> None:
    """The dirt that the record really holds, and its like."""
    assert list(asked_for(_application(**changes))) == [field]


def test_rounding_is_no_contradiction() -> None:
    """44.8 beside 44.83 is the same figure, rounded twice."""
    assert asked_for(_application(obrat=Decimal("44.8"), hrat=Decimal("44.83"))) == {}
