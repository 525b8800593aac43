"""A database that was filled under an early schema works on under the newest: what waits can be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.engine import hands, reviews
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.server import EmbeddedServer

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: two cases wait for people, as the first schema kept them; one of them has been signed by one of two
_FILLED = """
INSERT INTO workflow (name, owner) VALUES ('w', 'tests');
INSERT INTO workflow_version (workflow, version, digest, bpmn, released_at, released_by)
    VALUES ('w', 1, 'd', '<x/>', '2026-03-01', 'tests');
INSERT INTO queue (workflow, name, owner, role) VALUES ('w', 'reviews', 'tests', 'reviewer');
INSERT INTO field VALUES ('w', 'amount', 'number', false);
INSERT INTO reviewer (person, roles) VALUES ('ann', '{reviewer}'), ('bob', '{reviewer}'), ('mara', '{manager}');
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'w', 1, key, 'broker', '\\x00', '{"amount": 5}', 1, 0, '\\x', '2026-03-01'
    FROM unnest(ARRAY['A', 'B']) AS key;
INSERT INTO token (case_id, no, version_id, element, status, visit, order_key, entered_at)
    SELECT id, 0, 1, 'review', 'waiting', 1, '2026-03-01', '2026-03-01' FROM cases;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, question, editable, digest,
                         opened_at)
    SELECT c.id, 'w', 'review', 1, s, 2, 'reviews', 'Is it so?', '{amount}', shown_digest(c.variables), '2026-03-01'
    FROM cases c, generate_series(1, 2) s ORDER BY c.id, s;
SET ROLE orchestration_app;  -- which may say who decides
INSERT INTO review_decision (task_id, outcome, decided_by, decided_at, digest)
    SELECT 1, 'approve', 'ann', '2026-03-01', digest FROM review_task WHERE id = 1;
"""


@pytest.fixture(params=["0001", "0002", "0003", "0006"])
def early(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[str]:
    """A database of an earlier schema."""
    name = f"early_{uuid4().hex[:8]}"
    url = server.url(name)
    urls.ensure_database(url)
    schema.migrate(url, request.param)
    yield url
    with psycopg.connect(server.url("postgres"), autocommit=True) as owner:
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_what_waited_before_the_upgrade_is_done_after_it(early: str) -> None:
    """Each task lies in a lane, knows its requester, and is pulled and decided by whoever may; the signature stands."""
    with psycopg.connect(early, autocommit=True) as owner:
        later = owner.execute("SELECT version_num > '0002' FROM alembic_version").fetchone() == (True,)
        filled = _FILLED
        if later:  # tasks of these were opened with what the schema of human work asks
            filled = filled.replace(
                "digest,\n                         opened_at)", "digest,\n opened_at, lane, order_key, requested_by)"
            ).replace(
                "shown_digest(c.variables), '2026-03-01'\n",
                "shown_digest(c.variables), '2026-03-01', lane_of('w', 'reviews', NULL, NULL, 1::int2), '2026-03-01',\n"
                "'broker'\n",
            )
        owner.execute(sql.SQL(filled))
    schema.migrate(early)
    with connect(early) as connection:
        schema.refuse_unprotected(connection)
        assert [task.requested_by for task in reviews.open_tasks(connection)] == ["broker"] * 3
        for _ in range(2):
            task = hands.pull(connection, "bob", at=_NOW)
            seen = reviews.open_task(connection, task).digest
            reviews.decide(connection, task, person="bob", seen=seen, outcome="approve", at=_NOW)
        with pytest.raises(reviews.Refused, match="two people"):
            reviews.decide(connection, 4, person="bob", seen=seen, outcome="approve", at=_NOW)
        stand = connection.execute("SELECT case_id, status FROM token ORDER BY 1").fetchall()
        assert stand == [(1, "ready"), (2, "waiting")]
