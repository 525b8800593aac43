"""Two real processes race: for a claim, the last place under a limit, the last signatures, and against a timer.

    python -m orchestration_pipelines_tests.trials --only races [--small]

Both meet at a barrier and act at once, each in a transaction of its own; whether they truly overlapped is measured
inside both by the database's clock. Each race has one winner. Then the same with a mutant of the database that takes no
row lock, made in the trial's own scratch database: there, both win now and then, or the trial would see nothing.
"""

from __future__ import annotations

import multiprocessing
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from orchestration_pipelines.engine import hands, reviews
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines.store import reviews as reviews_table
from orchestration_pipelines.store import schema, timers, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.trials.mutations import replace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_OVERLAPPING = 0.3
_PATIENCE_S = 60.0

#: A race is two numbered tasks of one case, 2n - 1 and 2n; its people are ann n and bob n, its queue is queue n.
_GROUND = """
SET session_replication_role = replica;
INSERT INTO workflow (name, owner) VALUES ('flow', 'trial');
INSERT INTO queue (workflow, name, owner, role, wip_limit)
    SELECT 'flow', 'queue ' || n, 'trial', 'reviewer', CASE WHEN n %% 2 = 0 THEN 1 END FROM generate_series(1, %(n)s) n;
INSERT INTO work_lane (workflow, queue) SELECT 'flow', 'queue ' || n FROM generate_series(1, %(n)s) n;
INSERT INTO reviewer (person, roles, capacity)
    SELECT who || ' ' || n, '{reviewer}', CASE WHEN n %% 2 = 1 THEN 1 END
    FROM generate_series(1, %(n)s) n, unnest(ARRAY['ann', 'bob']) who;
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'flow', 1, 'case ' || n || '.' || half, 'broker', '\\x00', '{"amount": 1}', 1, 0, '\\x', '2026-03-01'
    FROM generate_series(1, %(n)s) n, generate_series(1, 2) half ORDER BY n, half;
INSERT INTO token (case_id, no, version_id, element, status, visit, order_key, entered_at)
    SELECT id, 1, 1, 'review', 'waiting', 1, '2026-03-01', '2026-03-01' FROM cases;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, lane, question, editable,
                         digest, opened_at, order_key, requested_by)
    -- of signatures both tasks are of the race's first case, else each is of its own
    SELECT CASE WHEN %(joint)s THEN 2 * n - 1 ELSE 2 * n - 2 + half END, 'flow', 'review', 1,
           CASE WHEN %(joint)s THEN half ELSE 1 END, CASE WHEN %(joint)s THEN 2 ELSE 1 END, 'queue ' || n, n, '?', '{}',
           shown_digest('{"amount": 1}'), '2026-03-01', '2026-03-01', 'broker'
    FROM generate_series(1, %(n)s) n, generate_series(1, 2) half ORDER BY n, half;
INSERT INTO timer (case_id, visit, boundary, token_no, due_at)
    SELECT 2 * n - 1, 1, 'late', 1, timestamptz '2026-03-02 09:00+00' + n * interval '1 s'
    FROM generate_series(1, %(n)s) n;
"""

#: what one of the two does in a race; True: it won
Act = Callable[[psycopg.Connection, int, int], bool]


def _claim(connection: psycopg.Connection, race: int, side: int) -> bool:
    """Both claim the same task."""
    return _done(lambda: hands.claim(connection, [2 * race - 1], person=_person(race, side), at=NOW))


def _last_place(connection: psycopg.Connection, race: int, side: int) -> bool:
    """One person, twice at work, under a limit of one task; in even races it is the queue's, and two people's."""
    person = _person(race, side if race % 2 == 0 else 0)
    return _done(lambda: hands.claim(connection, [2 * race - 1 + side], person=person, at=NOW))


def _sign(connection: psycopg.Connection, race: int, side: int, person: str) -> bool:
    task = reviews.open_tasks(connection, task=2 * race - 1 + side)
    return bool(task) and _done(
        lambda: reviews.decide(
            connection, task[0].task, person=person, seen=task[0].digest, outcome="approve", rationale="seen", at=NOW
        )
    )


def _signatures(connection: psycopg.Connection, race: int, side: int) -> bool:
    """In odd races one person signs both; in even ones two people do, and whoever ends the wait wins."""
    if race % 2:
        return _sign(connection, race, side, _person(race, 0))
    return _sign(connection, race, side, _person(race, side)) and _is_ready(connection, race)


def _against_timer(connection: psycopg.Connection, race: int, side: int) -> bool:
    """One decides, the other fires what is due."""
    if side:
        return bool(timers.fire_due(connection, NOW + timedelta(seconds=race), 1))
    return _sign(connection, race, 0, _person(race, 0))


def _person(race: int, side: int) -> str:
    return f"{('ann', 'bob')[side]} {race}"


def _done(act: Callable[[], object]) -> bool:
    try:
        act()
    except Refused:
        return False
    return True


def _is_ready(connection: psycopg.Connection, race: int) -> bool:
    row = connection.execute("SELECT status = 'ready' FROM token WHERE case_id = %s", (2 * race - 1,)).fetchone()
    return row is not None and bool(row[0])


RACES: dict[str, Act] = {
    "claim": _claim,
    "last place": _last_place,
    "last signatures": _signatures,
    "complete or timer": _against_timer,
}
#: the functions that lock, and without which lock they are mutants
_LOCKING = ("hand", "review_decision_guard")
_LOCK = re.compile(r"\bFOR (NO KEY )?UPDATE\b")


def without_locks(url: str) -> None:
    """Make the mutant: the same functions, but none locks a row before it asks."""
    with psycopg.connect(url, autocommit=True) as owner:
        for name in _LOCKING:
            row = owner.execute("SELECT pg_get_functiondef(%s::regproc)", (name,)).fetchone()
            assert row is not None
            mutated, locks = _LOCK.subn("", row[0])
            assert locks, f"{name} takes no lock any more: mutate what took its place"
            owner.execute(mutated.encode())


def _fire_without_locks() -> None:
    """The timers' side of the mutant; and it leaves the tasks' end to the sweep, or their rows would be the lock."""
    lock = "FOR NO KEY UPDATE OF c SKIP LOCKED"
    assert lock in timers._DUE, "timers take no lock any more: mutate what took its place"
    timers._DUE = timers._DUE.replace(lock, "")
    replace(reviews_table, "end_tasks", lambda *_: None)


@dataclass(frozen=True)
class Run:
    """What one of the two saw: of each race, when it was inside its transaction, and whether it won."""

    spans: list[tuple[datetime, datetime]]
    won: list[bool]


def _racer(url: str, name: str, races: int, side: int, barrier: Barrier, tell: Connection, mutant: bool) -> None:
    """One of the two processes."""
    if mutant:
        _fire_without_locks()
    act, run = RACES[name], Run([], [])
    with connect(url) as connection:
        for race in range(1, races + 1):
            barrier.wait(_PATIENCE_S)
            try:
                with connection.transaction():
                    begun = _clock(connection)
                    won = act(connection, race, side)
                    span = begun, _clock(connection)
            except psycopg.DatabaseError:  # the mutant runs into a deadlock or into the record's own key now and then
                if not mutant:
                    barrier.abort()
                    raise
                span, won = (NOW, NOW), False
            run.spans.append(span)
            run.won.append(won)
    tell.send(run)


def _clock(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Outcome:
    """Of so many races: how many overlapped, and how many had two winners or none."""

    races: int
    overlapping: int
    doubles: int
    none: int


def run(url: str, name: str, races: int, *, mutant: bool = False) -> Outcome:
    """Two processes run these races on a prepared database."""
    fresh = multiprocessing.get_context("spawn")
    barrier = fresh.Barrier(2)
    pipes = [fresh.Pipe(duplex=False) for _ in range(2)]
    racers = [
        fresh.Process(target=_racer, args=(url, name, races, side, barrier, tell, mutant))
        for side, (_, tell) in enumerate(pipes)
    ]
    for racer in racers:
        racer.start()
    try:
        seen = [_heard(racer, hear) for racer, (hear, _) in zip(racers, pipes, strict=True)]
    finally:
        for racer in racers:
            racer.kill()
            racer.join()
    ours, theirs = seen
    both = list(zip(ours.won, theirs.won, strict=True))
    spans = zip(ours.spans, theirs.spans, strict=True)
    return Outcome(
        races,
        sum(max(one[0], other[0]) < min(one[1], other[1]) for one, other in spans),
        sum(one and other for one, other in both),
        sum(not one and not other for one, other in both),
    )


def _heard(racer: Any, hear: Connection) -> Run:
    while not hear.poll(1.0):
        assert racer.is_alive(), "a racer died: its traceback is above"
    found: Run = hear.recv()
    return found


def _prepared(server: EmbeddedServer, name: str, races: int, *, mutant: bool) -> str:
    url = server.url(f"races_{name.replace(' ', '_')}{'_mutant' if mutant else ''}")
    with psycopg.connect(server.url("postgres"), autocommit=True) as owner:
        template = sql.Identifier(urls.DATABASE)
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(urls.database_of(url)), template))
    with psycopg.connect(url, autocommit=True) as owner:
        ground = (
            _GROUND.replace("%(n)s", str(races)).replace("%(joint)s", str(name == "last signatures")).replace("%%", "%")
        )
        if name == "claim":  # no limit but the one task
            ground += "UPDATE reviewer SET capacity = NULL; UPDATE queue SET wip_limit = NULL;"
        owner.execute(ground.encode())
        owner.execute("VACUUM ANALYZE")
    if mutant:
        without_locks(url)
    return url


def measure(races: int, mutant_races: int) -> tuple[dict[str, Any], list[str]]:
    """Run every kind of race on a server of its own, durability on; the figures, and what was missed."""
    figures: dict[str, Any] = {}
    short: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place) / "home").ensure())
        try:
            server.start()
            urls.ensure_database(server.url(urls.DATABASE))
            schema.migrate(server.url(urls.DATABASE))
            for name in RACES:
                outcome = run(_prepared(server, name, races, mutant=False), name, races)
                mutated = run(_prepared(server, name, mutant_races, mutant=True), name, mutant_races, mutant=True)
                figures |= _told(name, outcome, mutated)
                short += _missed(name, outcome, mutated)
                print(name, outcome, "mutant:", mutated, flush=True)
        finally:
            server.remove()
    return figures, short


def _told(name: str, outcome: Outcome, mutated: Outcome) -> dict[str, Any]:
    shown = (
        f"{outcome.races:,}, {outcome.overlapping / outcome.races:.0%} overlapping: {outcome.doubles + outcome.none}"
    )
    return {
        f"{name}: races without exactly one winner": shown,
        f"{name}: a mutant without row locks": f"{mutated.doubles} doubles of {mutated.races:,}",
    }


def _missed(name: str, outcome: Outcome, mutated: Outcome) -> Sequence[str]:
    short = []
    if outcome.doubles or outcome.none:
        short.append(f"{name}: {outcome.doubles} with two winners, {outcome.none} with none, of {outcome.races}")
    if outcome.overlapping < outcome.races * _OVERLAPPING:
        short.append(f"{name}: {outcome.overlapping} of {outcome.races} overlapped, not {_OVERLAPPING:.0%}")
    if not mutated.doubles:
        short.append(f"{name}: the mutant was not caught in {mutated.races} races")
    return short
