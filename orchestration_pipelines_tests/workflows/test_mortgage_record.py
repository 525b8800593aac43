"""The shipped half from arrival to the end, the people's part played from the record."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.store import urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.workflows.mortgage_underwriting import lender, record
from orchestration_pipelines.workflows.mortgage_underwriting.applications import BROKERS
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.workflows.conftest import lender_beside
from orchestration_pipelines_tests.workflows.mortgage import Underwriting

pytestmark = pytest.mark.xdist_group("mortgage pilot")


@dataclass
class Pilot:
    """What is left when the record has been played."""

    underwriting: Underwriting
    decided: Counter[str]
    refused: list[str]
    home: Home

    def count(self, statement: str) -> int:
        with psycopg.connect(self.underwriting.url) as connection:
            row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def pilot(
    server: EmbeddedServer, migrated: str, artefacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pilot]:
    """All thousand applications, played to the end once for the tests of this file."""
    url = server.url(f"pilot_{uuid4().hex[:8]}")
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(make.format(sql.Identifier(urls.database_of(url)), sql.Identifier(migrated)))
    home = Home(tmp_path_factory.mktemp("pilot")).ensure()
    shutil.copytree(artefacts, home.artefacts, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, lender_beside(url) as lender_url:
        patch.setenv("ORCHESTRATION_HOME", str(home.root))
        underwriting = Underwriting(url, lender_url, SetClock())
        done = Pilot(underwriting, Counter(), [], home)
        assert underwriting.workflow.package.SHIPPED["loanapp"](underwriting.engine).accepted == 1_000
        underwriting.sweep()
        while (played := record.play(underwriting.engine)).tasks:
            done.decided += played.decided
            done.refused += played.refused
            underwriting.sweep()
        yield done
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(urls.database_of(url))))


def test_every_case_is_closed_and_the_counts_add_up(pilot: Pilot) -> None:
    """Each is approved or declined; nothing is dead, stuck, waiting or in doubt."""
    approved = pilot.count("SELECT count(*) FROM cases WHERE state = 'closed' AND outcome = 'approved'")
    declined = pilot.count("SELECT count(*) FROM cases WHERE state = 'closed' AND outcome = 'declined'")
    assert approved + declined == 1_000
    assert 800 < approved < 900
    for left in ("token", "dead_letter", "incident", "quarantine"):
        assert pilot.count(f"SELECT count(*) FROM {left}") == 0
    assert pilot.count("SELECT count(*) FROM effect WHERE status NOT IN ('done', 'refused')") == 0
    assert pilot.count("SELECT count(*) FROM review_task WHERE ended_at IS NULL") == 0


def test_the_lenders_rule_holds(pilot: Pilot) -> None:
    """Counted at the lender: each reservation ended in one way, and as many commitments stand as cases approved."""
    assert lender.violations(pilot.underwriting.lender_url) == []
    assert lender.balanced(pilot.underwriting.lender_url)
    with psycopg.connect(pilot.underwriting.lender_url) as connection:
        rows = connection.execute("SELECT ended, count(*) FROM lender.reservation_rule GROUP BY 1").fetchall()
    ended = {str(end): int(count) for end, count in rows}
    assert ended["commit"] == pilot.count("SELECT count(*) FROM cases WHERE outcome = 'approved'")
    assert ended["release"] > 0
    assert ended["commit and reversal"] > 0


def test_some_meet_the_limit_and_some_the_investor(pilot: Pilot) -> None:
    """The last loans of the pilot do not all fit; and every decline has a reason."""
    with psycopg.connect(pilot.underwriting.url) as connection:
        rows = connection.execute(
            "SELECT variables #>> '{decision,reason}', count(*) FROM cases WHERE outcome = 'declined' GROUP BY 1"
        ).fetchall()
    reasons = {str(reason): int(count) for reason, count in rows}
    assert set(reasons) == {"rejected", "blocked", "incomplete", "limit_exceeded", "refused_by_investor"}
    assert reasons["limit_exceeded"] < 30


def test_everybody_was_told(pilot: Pilot) -> None:
    """A notice for each end; of a blocked applicant who then got people, two."""
    sent = pilot.count("SELECT count(*) FROM effect WHERE tool = 'outbox' AND status = 'done'")
    assert len(list(pilot.home.outbox.iterdir())) == sent >= 1_000


def test_people_decided_as_the_record_says(pilot: Pilot) -> None:
    """Each by a reviewer with the queue's role, two distinct where two sign; and the reason says where it is from."""
    assert {what.split()[0] for what in pilot.decided} == {"request_documents", "human_review", "offer_person"}
    assert (
        pilot.count(
            "SELECT count(*) FROM (SELECT d.case_id, d.visit, max(t.signatures) AS wanted, "
            "count(DISTINCT d.decided_by) AS got FROM review_decision d JOIN review_task t ON t.id = d.task_id "
            "GROUP BY 1, 2) AS signed WHERE wanted <> got"
        )
        == 0
    )
    assert (
        pilot.count(
            "SELECT count(*) FROM review_decision WHERE role <> 'requester' "
            "AND rationale NOT LIKE 'as recorded in 1990: %'"
        )
        == 0
    )
    with psycopg.connect(pilot.underwriting.url) as connection:
        wrong = connection.execute(
            "SELECT count(*) FROM review_decision d JOIN withheld_outcome w USING (case_id) WHERE role <> 'requester' "
            "AND (d.outcome = 'approve') <> (w.columns -> 'action' IN ('1', '2'))"
        ).fetchone()
    assert wrong == (0,)


def test_a_broker_tried_their_own_case_and_was_refused(pilot: Pilot) -> None:
    """Once each time the record is played, and nothing was written."""
    assert pilot.refused
    assert all("nobody decides their own" in message for message in pilot.refused)
    brokers = ", ".join(f"'{broker}'" for broker in BROKERS)
    assert (
        pilot.count(f"SELECT count(*) FROM review_decision WHERE decided_by IN ({brokers}) AND role <> 'requester'")
        == 0
    )


def test_automation_agrees_with_the_humans(pilot: Pilot) -> None:
    """Over all, and counted for each group; the groups of an attribute are the whole."""
    compared = record.agreement(pilot.underwriting.engine)
    overall = compared.overall
    assert overall.cases == 1_000
    assert overall.humans_approved == 882
    assert overall.automated > 600
    assert overall.agreed / overall.automated > 0.95
    for attribute in ("black", "hispan", "male", "married", "old", "min30"):
        groups = [group for group in compared.groups if group.attribute == attribute]
        assert sum(group.cases for group in groups) == 1_000
        assert sum(group.agreed for group in groups) == overall.agreed


def test_a_second_submission_is_all_duplicates(pilot: Pilot) -> None:
    """Nothing moves."""
    engine = pilot.underwriting.engine
    submitted = pilot.underwriting.workflow.package.SHIPPED["loanapp"](engine)
    assert (submitted.accepted, submitted.duplicates) == (0, 1_000)
    assert record.play(engine).tasks == 0
