"""The hot statements walk indexes with 200,000 cases in the database: what EXPLAIN says of the very statements.

Each is recorded as the store sends it, then planned twice: for its real parameters, and as the generic plan that
PostgreSQL may keep for a prepared statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg._queries import PostgresQuery  # the placeholders as the driver numbers them
from psycopg.adapt import Transformer

from orchestration_pipelines.store import cases, clocks, load, promises, records, reviews, rungs, timers, tokens
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.store.tokens import Claimed, TokenMove

COUNT = 200_000
CHUNK = 1_000
NOW = datetime(2026, 3, 2, tzinfo=UTC)
BIG = frozenset(
    {"cases", "token", "effect", "timer", "review_task", "review_decision", "activity", "compensation"}
    | {"sla_clock", "sla_rung"}
)

_LOAD = f"""
SET session_replication_role = replica;  -- the rows are made up: no trigger is asked
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'flow', 1, 'case ' || n, 'broker', '\\x00', '{{"amount": 1}}', 2, 3, '\\x00', '2026-03-01'
    FROM generate_series(1, {COUNT}) n;
INSERT INTO token (case_id, no, version_id, element, status, visit, order_key, entered_at, due_at)
    SELECT n, 1, 1, CASE WHEN n <= {CHUNK} THEN 'here' WHEN n % 2 = 0 THEN 'review' ELSE 'there' END,
           CASE WHEN n <= {CHUNK} THEN 'ready' WHEN n % 2 = 0 THEN 'waiting' WHEN n % 100 = 1 THEN 'backoff'
                ELSE 'ready' END,
           2, '2026-03-01'::timestamptz + n * interval '1 ms', '2026-03-01',
           CASE WHEN n > {CHUNK} AND n % 100 = 1 THEN '2026-03-01'::timestamptz + n * interval '1 minute' END
    FROM generate_series(1, {COUNT}) n;
INSERT INTO effect SELECT n, 1, 'reserve', 'bank', 'key ' || n, 'done', '2026-03-01', '2026-03-01'
    FROM generate_series(1, {COUNT}) n;
INSERT INTO compensation SELECT n, 2, 'reserve', 1, 'release', 'armed', '{{}}' FROM generate_series(1, {COUNT}) n;
INSERT INTO timer SELECT n, 2, 'late', 1, '2026-03-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, {COUNT}) n;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, question, editable, digest,
                         opened_at, status, assignee, claimed_at, touched_at, ended_at, lane, order_key, requested_by)
    SELECT n, 'flow', 'review', 2, 1, 1, 'reviews', '?', '{{}}', 'd', '2026-03-01',
           CASE WHEN n % 10 = 0 THEN 'claimed' WHEN n % 2 = 0 THEN 'open' ELSE 'decided' END,
           CASE WHEN n % 10 = 0 THEN 'ann' END, CASE WHEN n % 10 = 0 THEN timestamptz '2026-03-01' END,
           CASE WHEN n % 10 = 0 THEN timestamptz '2026-03-01' + n * interval '1 minute' END,
           CASE WHEN n % 2 = 1 THEN timestamptz '2026-03-01' END, lane.id, '2026-03-01', 'broker'
    FROM generate_series(1, {COUNT}) n,
         (SELECT lane_of('flow', 'reviews', NULL, NULL, 1::smallint) AS id OFFSET 0) lane;
INSERT INTO queue (workflow, name, owner, role, stuck_after) VALUES ('flow', 'reviews', 'tests', 'reviewer', '1 hour');
INSERT INTO sla_clock (workflow, case_id, visit, element, calendar, budget_s, left_s, started_at, running_since, due_at)
    SELECT 'flow', n, 2, 'review', 'always', 60, 60, '2026-03-01', '2026-03-01',
           '2026-03-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, {COUNT}) n;
INSERT INTO sla_rung (clock_id, no, act, after_s, version, due_at)
    SELECT id, 1, 'remind', 60, 1, due_at FROM sla_clock;
INSERT INTO review_decision (task_id, case_id, visit, round, outcome, decided_by, role, digest, version_id)
    SELECT id, case_id, visit, 1, 'approve', 'ann', 'reviewer', digest, 1 FROM review_task WHERE ended_at IS NOT NULL;
INSERT INTO activity SELECT n, 1, 'check', 'completed', 1, '2026-03-01', '2026-03-01', '2026-03-01', 1
    FROM generate_series(1, {COUNT}) n;
"""


class Recording(psycopg.Cursor[Any]):
    """A cursor that notes what it was asked."""

    asked: list[tuple[Any, Any]]

    def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
        self.asked.append((query, params))
        return super().execute(query, params, **how)


class Hot(NamedTuple):
    """A statement of the store's: how it is sent, the index it must walk, and how that index is taken away."""

    send: Callable[[psycopg.Connection], object]
    walked: str
    without: str
    which: int = 0  #: of those that one call sends


def _chunk() -> list[Claimed]:
    """The tokens of the first thousand cases, as a claim would hand them out."""
    blank: dict[str, Any] = dict.fromkeys(Claimed._fields)
    one: dict[str, Any] = blank | {
        "no": 1,
        "visit": 2,
        "attempt": 1,
        "claim_no": 0,
        "audit_seq": 3,
        "audit_head": b"\0",
        "visits": 2,
    }
    return [Claimed(**(one | {"case_id": number, "case_key": f"case {number}"})) for number in range(1, CHUNK + 1)]


def _claim(connection: psycopg.Connection) -> list[Claimed]:
    return tokens.claim(
        connection,
        workflow="flow",
        version=1,
        element="here",
        holder=1,
        limit=CHUNK,
        lease_s=300,
        since="-infinity",
        until="infinity",
        alone=False,
    )


def _change(connection: psycopg.Connection) -> None:
    changes = [cases.CaseChange(token.case_id, 3, b'{"ok": true}', 4, b"\0", 3) for token in _chunk()]
    cases.change(connection, changes, NOW)


def _move(connection: psycopg.Connection) -> None:
    tokens.move(connection, [TokenMove(token.case_id, 1, 0, "next", "ready", 3) for token in _chunk()], NOW, 300)


_VISITS = [(number, 2) for number in range(1, CHUNK + 1)]
_NO_TOKEN_KEY = "ALTER TABLE token DROP CONSTRAINT token_pkey"  # noqa: S105 - a token of a process
_NO_CASE_KEY = "ALTER TABLE cases DROP CONSTRAINT cases_pkey CASCADE"
_NO_EFFECT_KEY = "ALTER TABLE effect DROP CONSTRAINT effect_pkey"
_NO_SAGA_KEY = "ALTER TABLE compensation DROP CONSTRAINT compensation_pkey"
_NO_TIMER_KEY = "ALTER TABLE timer DROP CONSTRAINT timer_pkey"
_NO_CLOCK_KEY = "ALTER TABLE sla_clock DROP CONSTRAINT sla_clock_pkey CASCADE"
_NO_CLOCK_ONCE = "DROP INDEX sla_clock_once"
_NO_RUNG_KEY = "ALTER TABLE sla_rung DROP CONSTRAINT sla_rung_pkey"
_NO_TASK_KEY = "ALTER TABLE review_task DROP CONSTRAINT review_task_case_id_visit_signature_key"

HOT = {
    "claim": Hot(_claim, "token_ready", "DROP INDEX token_ready"),
    "claim, the cases": Hot(_claim, "cases_pkey", _NO_CASE_KEY),
    "look again": Hot(lambda c: tokens.look_again(c, _chunk()), "token_pkey", _NO_TOKEN_KEY),
    "look again, the cases": Hot(lambda c: tokens.look_again(c, _chunk()), "cases_pkey", _NO_CASE_KEY),
    "change": Hot(_change, "cases_pkey", _NO_CASE_KEY),
    "move": Hot(_move, "token_pkey", _NO_TOKEN_KEY),
    "end": Hot(lambda c: tokens.end(c, _chunk()), "token_pkey", _NO_TOKEN_KEY),
    "back off": Hot(lambda c: tokens.back_off(c, _chunk(), [NOW] * CHUNK), "token_pkey", _NO_TOKEN_KEY),
    "set aside": Hot(lambda c: tokens.set_aside(c, _chunk(), "stuck"), "token_pkey", _NO_TOKEN_KEY),
    "give back": Hot(lambda c: tokens.give_back(c, _chunk()), "token_pkey", _NO_TOKEN_KEY),
    "first claimable": Hot(
        lambda c: tokens.claimable(c, "flow", 1, ["here", "there", "nowhere"]), "token_ready", "DROP INDEX token_ready"
    ),
    "wake": Hot(lambda c: tokens.wake_due(c, NOW), "token_backoff", "DROP INDEX token_backoff"),
    "settle": Hot(
        lambda c: records.settle_effects(c, [(n, 1, "done") for n, _ in _VISITS], NOW), "effect_pkey", _NO_EFFECT_KEY
    ),
    "unsettled": Hot(lambda c: records.unsettled_effects(c, [n for n, _ in _VISITS]), "effect_pkey", _NO_EFFECT_KEY),
    "armed": Hot(lambda c: records.armed_compensations(c, [n for n, _ in _VISITS]), "compensation_pkey", _NO_SAGA_KEY),
    "consume": Hot(
        lambda c: records.mark_compensations(c, _VISITS, "consumed", NOW), "compensation_pkey", _NO_SAGA_KEY
    ),
    "due timers": Hot(lambda c: timers.fire_due(c, NOW, 1_000), "timer_due", "DROP INDEX timer_due"),
    "due timers, their cases": Hot(lambda c: timers.fire_due(c, NOW, 1_000), "cases_pkey", _NO_CASE_KEY),
    "fire": Hot(lambda c: timers.fire_due(c, NOW, 1_000), "timer_pkey", _NO_TIMER_KEY, which=1),
    "fire, the tokens": Hot(lambda c: timers.fire_due(c, NOW, 1_000), "token_pkey", _NO_TOKEN_KEY, which=1),
    "fire, the others": Hot(lambda c: timers.fire_due(c, NOW, 1_000), "timer_pkey", _NO_TIMER_KEY, which=1),
    "due rungs": Hot(lambda c: rungs.fire_due(c, "remind", NOW, 1_000), "sla_rung_due", "DROP INDEX sla_rung_due"),
    "due rungs, their clocks": Hot(lambda c: rungs.fire_due(c, "remind", NOW, 1_000), "sla_clock_pkey", _NO_CLOCK_KEY),
    "fire rungs": Hot(lambda c: rungs.fire_due(c, "remind", NOW, 1_000), "sla_rung_pkey", _NO_RUNG_KEY, which=1),
    "their tasks": Hot(
        lambda c: rungs.tasks_of(
            c, [rungs.FiredRung(n, 1, "remind", False, "flow", n, 2, "review") for n, _ in _VISITS]
        ),
        "review_task_case_id_visit_signature_key",
        _NO_TASK_KEY,
    ),
    "breaches": Hot(lambda c: rungs.mark_breaches(c, NOW, 1_000), "sla_clock_due", "DROP INDEX sla_clock_due"),
    "stuck": Hot(lambda c: rungs.stuck(c, NOW, 1_000), "review_task_stuck", "DROP INDEX review_task_stuck"),
    "running clocks": Hot(lambda c: clocks.running(c, [n for n, _ in _VISITS], NOW), "sla_clock_once", _NO_CLOCK_ONCE),
    "signatures": Hot(
        lambda c: reviews.signatures_of(c, _VISITS), "review_decision_case", "DROP INDEX review_decision_case"
    ),
    "end tasks": Hot(
        lambda c: reviews.end_tasks(c, _VISITS, "expired", NOW),
        "review_task_case_id_visit_signature_key",
        _NO_TASK_KEY,
    ),
}


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, migrated: str) -> Iterator[str]:
    """A database with 200,000 cases at several stations, analysed."""
    name = sql.Identifier(f"plans_{uuid4().hex[:8]}")
    with psycopg.connect(server.url("postgres"), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(migrated)))
        url = server.url(name.as_string().strip('"'))
        with psycopg.connect(url, autocommit=True) as loading:
            loading.execute(_LOAD)
            loading.execute("VACUUM ANALYZE")
        yield url
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def sweeper(loaded: str) -> Iterator[psycopg.Connection]:
    """A sweeper's session as the owner, who may drop an index; whatever a test does is rolled back."""
    with connect(loaded, role=None, sweeper=True, autocommit=False) as connection:
        yield connection
        connection.rollback()


def recorded(connection: psycopg.Connection, hot: Hot) -> tuple[Any, Any]:
    """The statement and its parameters, as the store sends them; what it did is undone."""
    Recording.asked = []
    connection.cursor_factory = Recording
    try:
        hot.send(connection)
    finally:
        connection.cursor_factory = psycopg.Cursor
        connection.rollback()
    return Recording.asked[hot.which]


def custom(connection: psycopg.Connection, statement: Any, parameters: Any, how: str = "FORMAT JSON") -> dict[str, Any]:
    """The plan for these parameters."""
    row = connection.execute(f"EXPLAIN ({how}) {statement}", parameters).fetchone()
    assert row is not None
    return _decoded(row[0])


def generic(connection: psycopg.Connection, statement: Any, parameters: Any) -> dict[str, Any]:
    """The plan that is kept for whatever parameters come."""
    numbered = PostgresQuery(Transformer(connection))
    numbered.convert(statement, parameters)
    types = [_type(connection, oid) for oid in numbered.types or ()]
    prepared = f"PREPARE hot ({', '.join(types)}) AS ".encode() + numbered.query
    connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    assert connection.pgconn.exec_(prepared).error_message == b""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE hot ({', '.join(['NULL'] * len(types))})").fetchone()
    connection.execute("DEALLOCATE hot")
    assert row is not None
    return _decoded(row[0])


def _type(connection: psycopg.Connection, oid: int) -> str:
    row = connection.execute("SELECT format_type(%s, NULL)", (oid,)).fetchone()
    return row[0] if oid and row else "unknown"


def _decoded(plan: Any) -> dict[str, Any]:
    found: dict[str, Any] = plan[0]["Plan"]
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, all the way down."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def wrong_with(plan: dict[str, Any], index: str) -> str | None:
    """Why a plan would grow with the tables, or None."""
    used: set[str] = set()
    for node in nodes(plan):
        if node["Node Type"] in ("Hash Join", "Merge Join"):
            return f"a {node['Node Type']} reads whole tables"
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
            return f"the whole table {node['Relation Name']} is read"
        if "Index Name" in node and ("Index Cond" in node or index == "timer_due"):
            used.add(node["Index Name"])
    return None if index in used else f"{index} is not walked, only {used or 'no index'}"


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_walks_its_index_and_the_test_bites(sweeper: psycopg.Connection, name: str) -> None:
    """Both plans are index walks; without the index, this very assertion fails."""
    hot = HOT[name]
    statement, parameters = recorded(sweeper, hot)
    assert wrong_with(custom(sweeper, statement, parameters), hot.walked) is None
    assert wrong_with(generic(sweeper, statement, parameters), hot.walked) is None
    sweeper.execute(hot.without)
    assert wrong_with(custom(sweeper, statement, parameters), hot.walked) is not None


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_claim_costs_what_it_takes_whatever_waits_elsewhere(sweeper: psycopg.Connection) -> None:
    """A thousand among 200,000 touch a few pages each; finding nothing touches a handful."""
    statement, parameters = recorded(sweeper, HOT["claim"])
    analysed = "ANALYZE, BUFFERS, FORMAT JSON"
    full = custom(sweeper, statement, parameters, analysed)
    assert full["Actual Rows"] == CHUNK
    assert _buffers(full) < 20 * CHUNK
    empty = custom(sweeper, statement, parameters | {"element": "nowhere"}, analysed)
    assert _buffers(empty) < 30


def test_an_unpinned_session_would_read_the_tables_whole(loaded: str) -> None:
    """Why a sweeper pins its plans: left alone, the planner prefers a hash join, which grows with the table."""
    with connect(loaded, role=None, autocommit=False) as connection:
        statement, parameters = recorded(connection, HOT["move"])
        connection.execute("SET LOCAL random_page_cost = 10")  # a slow disk, where the trap shuts early
        assert wrong_with(custom(connection, statement, parameters), "token_pkey") is not None
        connection.rollback()


def test_timers_that_are_not_due_are_not_read(sweeper: psycopg.Connection) -> None:
    """The walk stops at now."""
    statement, parameters = recorded(sweeper, HOT["due timers"])
    early = parameters | {"now": NOW - timedelta(days=365)}
    assert _buffers(custom(sweeper, statement, early, "ANALYZE, BUFFERS, FORMAT JSON")) < 10


_FIVE = (
    "SELECT count(*) FROM hand((SELECT array_agg(id) FROM (SELECT id FROM review_task WHERE status = 'open' "
    "ORDER BY lane, order_key, id LIMIT 5) t), array_fill('bob'::text, ARRAY[5]), 'least_load', 'system', '2026-03-02')"
)
_NO_TASK_ID = "ALTER TABLE review_task DROP CONSTRAINT review_task_pkey CASCADE"


class Function(NamedTuple):
    """A function of the database that must touch few pages, and the index that it cannot do without."""

    asked: str
    pages: int
    without: str


FUNCTIONS = {
    "pull": Function("SELECT * FROM pull('bob', '2026-03-02')", 300, "DROP INDEX review_task_pull"),
    "can": Function("SELECT * FROM can('bob', 'claim', 2)", 25, _NO_TASK_ID),
    "hand": Function(_FIVE, 100 * 5, _NO_TASK_ID),
    "a limit": Function("SELECT * FROM pull('bob', '2026-03-02')", 300, "DROP INDEX review_task_in_hand"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_hands_touches_few_pages_and_the_test_bites(sweeper: psycopg.Connection, name: str) -> None:
    """Whatever is planned inside: pages, counted; without its index there are many times as many."""
    function = FUNCTIONS[name]
    sweeper.execute("INSERT INTO reviewer (person, roles, capacity) VALUES ('bob', '{reviewer}', 5000)")

    def pages() -> int:
        with sweeper.transaction(force_rollback=True):
            return _buffers(custom(sweeper, function.asked, None, "ANALYZE, BUFFERS, FORMAT JSON"))

    pages()  # the first call also reads the catalogue, to plan
    assert pages() < function.pages
    sweeper.execute(function.without.encode())
    pages()
    assert pages() > 2 * function.pages


_WANTED = load.Wanted(queue="reviews")
#: what a manager's lists ask, in a session that pins nothing
LISTS = {
    "tasks of queues": Hot(
        lambda c: load.tasks(c, NOW, _WANTED, (NOW, 1), 50), "review_task_open", "DROP INDEX review_task_open"
    ),
    "tasks of a person": Hot(
        lambda c: load.tasks(c, NOW, load.Wanted(person="bob"), None, 50),
        "review_task_in_hand",
        "DROP INDEX review_task_in_hand",
    ),
    "clocks": Hot(
        lambda c: promises.clocks(c, "flow", "review", (NOW, 1), 50), "sla_clock_open", "DROP INDEX sla_clock_open"
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_of_a_managers_list_walks_its_index_and_the_test_bites(loaded: str, name: str) -> None:
    """Wherever a page begins, it reads no table; without the index it would."""
    with connect(loaded, role=None, autocommit=False) as connection:
        statement, parameters = recorded(connection, LISTS[name])
        assert wrong_with(custom(connection, statement, parameters), LISTS[name].walked) is None
        connection.execute(LISTS[name].without.encode())
        assert wrong_with(custom(connection, statement, parameters), LISTS[name].walked) is not None
        connection.rollback()
