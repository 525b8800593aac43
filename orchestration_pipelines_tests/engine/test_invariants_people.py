"""Invariants H9 to H12 and H19 (docs/invariants.md): who may, who has it, and by what name. H16: test_four_eyes.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from orchestration_pipelines.engine import casework, hands, people, reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import hands as table
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow
from orchestration_pipelines_tests.engine.test_four_eyes import FOUR_EYES
from orchestration_pipelines_tests.engine.test_hands import SETTINGS, act, in_hand, limited, task_of

# -- H9


@dataclass(frozen=True)
class World:
    """What is so when somebody, the subject, asks for the second signature of a case."""

    active: bool
    role: str
    skills: tuple[str, ...]
    regions: tuple[str, ...]
    asks: tuple[str | None, int, str | None]  #: the task's skill, level and region
    requester: bool
    signed: str | None  #: who gave the first signature: 'subject', 'bob' or nobody
    stands_in: tuple[str, str] | None  #: who is away, and who stands in for them
    away: bool
    declined: bool
    holder: str | None  #: who has the second task: 'subject' or 'bob'
    status: str
    holds_first: bool
    excludes: tuple[str, ...]


PAIRS = [("bob", "subject"), ("subject", "bob"), ("broker", "subject"), ("subject", "broker")]
WORLDS = st.builds(
    World,
    active=st.sampled_from([True, True, True, False]),
    role=st.sampled_from(["reviewer", "reviewer", "reviewer", "senior", "manager"]),
    skills=st.sampled_from([(), ("tax",), ("law",)]),
    regions=st.sampled_from([(), ("north",)]),
    asks=st.sampled_from([(None, 1, None), (None, 1, None), ("tax", 1, None), (None, 2, None), (None, 1, "south")]),
    requester=st.sampled_from([False, False, False, True]),
    signed=st.sampled_from([None, None, "bob", "subject"]),
    stands_in=st.sampled_from([None, None, *PAIRS]),
    away=st.booleans(),
    declined=st.sampled_from([False, False, False, True]),
    holder=st.sampled_from([None, None, "subject", "bob"]),
    status=st.sampled_from(["assigned", "claimed"]),
    holds_first=st.sampled_from([False, False, True]),
    excludes=st.sampled_from([(), (), ("team_of_requester",), ("decided_before",)]),
)
_NORTH = "INSERT INTO team VALUES ('north', 'North'); INSERT INTO reviewer (person, roles) VALUES ('broker', '{}')"
_NO_TRIGGER = "SET LOCAL session_replication_role = replica"


class Stage:
    """One case with two signatures, on which a world is set up and every path tried; nothing stays."""

    def __init__(self, flow: Flow, subject: str) -> None:
        self.flow, self.subject = flow, subject
        (self.first,), (self.second,) = flow.rows("SELECT id FROM review_task ORDER BY id")
        self.digest = flow.one("SELECT digest FROM review_task LIMIT 1")

    def set_up(self, owner: psycopg.Connection, world: World) -> None:
        """Make the world true, past every trigger."""
        now, name = self.flow.clock(), {"subject": self.subject}

        def run(statement: str, *values: Any) -> None:
            owner.execute(statement.encode(), values)

        run(_NO_TRIGGER)
        run("UPDATE reviewer SET active = %s, roles = %s, regions = %s WHERE person = %s",
            world.active, [world.role], list(world.regions), self.subject)  # fmt: skip
        for skill in world.skills:
            run("INSERT INTO reviewer_skill VALUES (%s, %s, 1)", self.subject, skill)
        asks = world.asks
        run("UPDATE review_task SET skill = %s, level = %s, region = %s, lane = lane_of(workflow, queue, %s, %s, %s)",
            *asks, asks[0], asks[2], asks[1])  # fmt: skip
        if world.requester:
            run("UPDATE review_task SET requested_by = %s", self.subject)
        if world.signed:
            signer = name.get(world.signed, world.signed)
            run("UPDATE review_task SET status = 'decided', assignee = %s, ended_at = %s WHERE id = %s",
                signer, now, self.first)  # fmt: skip
            run("INSERT INTO review_decision (task_id, case_id, visit, round, outcome, decided_by, role, digest, "
                "version_id) SELECT id, case_id, visit, 1, 'approve', %s, 'reviewer', digest, 1 FROM review_task "
                "WHERE id = %s", signer, self.first)  # fmt: skip
        elif world.holds_first:
            run("UPDATE review_task SET status = 'assigned', assignee = %s, assigned_at = %s WHERE id = %s",
                self.subject, now, self.first)  # fmt: skip
        if world.holder:
            run("UPDATE review_task SET status = %s, assignee = %s, assigned_at = %s, claimed_at = %s WHERE id = %s",
                world.status, name.get(world.holder, world.holder), now,
                now if world.status == "claimed" else None, self.second)  # fmt: skip
        if world.stands_in:
            person, delegate = (name.get(one, one) for one in world.stands_in)
            run("INSERT INTO absence (person, starts, ends, delegate, reason, set_by, set_at) VALUES "
                "(%s, '2026-01-01', '2026-03-02 09:00:01+00', %s, 'away', 'max', '2026-01-01')",
                person, delegate)  # fmt: skip
        if world.away:
            run("INSERT INTO absence (person, starts, reason, set_by, set_at) VALUES "
                "(%s, '2026-01-01', 'away', 'max', '2026-01-01')", self.subject)  # fmt: skip
        if world.declined:
            run("INSERT INTO decline VALUES (%s, %s, 'no', %s)", self.second, self.subject, now)
        run("UPDATE queue SET excludes = %s", list(world.excludes))
        run("UPDATE reviewer SET team = 'north' WHERE person IN ('broker', %s)", self.subject)
        run("SET LOCAL session_replication_role = origin")

    def tried(self, owner: psycopg.Connection, path: Callable[[psycopg.Connection], Any], who: str) -> str | None:
        """What a path says to the application, or to the person logged in; None if it was done. Undone again."""
        with owner.transaction(force_rollback=True):
            logged_in = sql.SQL("SET LOCAL SESSION AUTHORIZATION {}").format(sql.Identifier(self.subject))
            owner.execute(logged_in if who == "person" else b"SET LOCAL ROLE orchestration_app")
            try:
                with owner.transaction():
                    path(owner)
            except psycopg.Error as refused:
                return (refused.diag.message_primary or "").removeprefix("refused: ")
            except Refused as refused:
                return str(refused).removeprefix("refused: ")
        return None

    def answer(self, owner: psycopg.Connection, act: str) -> str | None:
        """What ``can`` says: None for yes, or the rule."""
        allowed, rule = reviews.may(owner, self.subject, act, self.second, at=self.flow.clock())
        return None if allowed else rule

    # -- the paths

    def decides(self) -> Iterator[tuple[str, str, Callable[[psycopg.Connection], Any]]]:
        """Every way to a decision: engine, plain SQL of the application, plain SQL of the person."""
        insert = (
            "INSERT INTO review_decision (task_id, outcome, rationale, digest{}) VALUES (%s, 'approve', 'seen', %s{})"
        )
        at = self.flow.clock()
        yield (
            "engine",
            "application",
            lambda c: reviews.decide(c, self.second, person=self.subject, seen=self.digest, outcome="approve", at=at),
        )
        yield (
            "sql",
            "application",
            lambda c: c.execute(
                insert.format(", decided_by, decided_at", ", %s, %s").encode(),
                (self.second, self.digest, self.subject, at),
            ),
        )
        yield "login", "person", lambda c: c.execute(insert.format("", "").encode(), (self.second, self.digest))

    def claims(self) -> Iterator[tuple[str, Callable[[psycopg.Connection], Any]]]:
        """Every way to take a task that one names."""
        at = self.flow.clock()
        yield "engine", lambda c: hands.claim(c, [self.second], person=self.subject, at=at)
        yield (
            "bulk",
            lambda c: _only(
                self.second,
                table.hand(c, [self.second, 4711], [self.subject] * 2, cause="pull", by=self.subject, at=at),
            ),
        )

    def assigns(self) -> Iterator[tuple[str, Callable[[psycopg.Connection], Any]]]:
        """Every way in which it is given: by a manager, by a timer, for an absent colleague, by the routing."""
        at = self.flow.clock()
        yield "manager", lambda c: hands.reassign(c, [self.second], to=self.subject, by="max", reason="because", at=at)
        for cause in ("sla", "stuck", "absence", "least_load"):
            yield cause, partial(self._given, cause)

    def _given(self, cause: str, connection: psycopg.Connection) -> None:
        handed = table.hand(connection, [self.second], [self.subject], cause=cause, by="system", at=self.flow.clock())
        _only(self.second, handed)


def _only(task: int, handed: list[hands.Handed]) -> None:
    (one,) = (each for each in handed if each.task == task)
    if not one.moved:
        raise Refused(one.rule)


@pytest.fixture
def stage(tmp_path: Path, database: str, clock: SetClock) -> Iterator[Stage]:
    """A case that waits for two signatures, and a subject who can log in to the database."""
    subject = f"subject {uuid4().hex[:8]}"
    people_of = SETTINGS.replace("{ann: [reviewer]", f'{{"{subject}": [reviewer], ann: [reviewer]')
    folder = workflow_folder(tmp_path / "flow", drawing(*FOUR_EYES), WORKERS, people_of)
    flow = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    flow.submit("A")
    flow.sweep()
    limited(
        flow, "INSERT INTO team VALUES ('north', 'North'); INSERT INTO reviewer (person, roles) VALUES ('broker', '{}')"
    )
    with psycopg.connect(database, autocommit=True) as owner:
        role = sql.Identifier(subject)
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE orchestration_reviewer").format(role))
        yield Stage(flow, subject)
        owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
        owner.execute(sql.SQL("DROP ROLE {}").format(role))


def test_h09_every_path_to_a_decision_or_an_assignment_gives_the_one_answer(stage: Stage) -> None:
    """Engine, plain SQL, login, bulk, pull, manager, timers, routing: each does what can() says, to the word."""
    with connect(stage.flow.engine.url, role=None, autocommit=False) as owner:

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(WORLDS)
        def walk(world: World) -> None:
            with owner.transaction(force_rollback=True):
                stage.set_up(owner, world)
                may_decide, may_claim, may_assign = (stage.answer(owner, act) for act in ("decide", "claim", "assign"))
                for _, who, path in stage.decides():
                    assert stage.tried(owner, path, who) == may_decide
                for _, path in stage.claims():
                    assert stage.tried(owner, path, "application") == may_claim
                for name, path in stage.assigns():
                    said = stage.tried(owner, path, "application")
                    if name == "least_load" and may_assign is None and world.holder:
                        assert said is not None  # the routing plans without locks, and takes nothing out of a hand
                    else:
                        assert said == may_assign
                assert stage.tried(owner, lambda c: _pulled(c, stage, may_claim), "application") in (None, _NOTHING)
                mine = stage.tried(
                    owner,
                    lambda c: hands.reassign(
                        c, [stage.second], to="cleo", by=stage.subject, reason="mine", at=stage.flow.clock()
                    ),
                    "application",
                )
                assert (mine is None) <= (stage.answer(owner, "reassign") is None)

        walk()


_NOTHING = "nothing may be pulled"


def _pulled(connection: psycopg.Connection, stage: Stage, may_claim: str | None) -> None:
    """What is pulled might have been claimed, and who might claim is not left without."""
    might = {task for task in (stage.first, stage.second) if reviews.may(connection, stage.subject, "claim", task)[0]}
    try:
        pulled = hands.pull(connection, stage.subject, at=stage.flow.clock())
    except Refused:
        assert not might
        assert may_claim is not None
        raise Refused(_NOTHING) from None
    assert pulled in might


def test_h09_the_owner_of_the_database_decides_in_nobodys_name(stage: Stage) -> None:
    """An administrator's INSERT is a decision of the administrator, who is no reviewer."""
    with psycopg.connect(stage.flow.engine.url) as admin, pytest.raises(psycopg.DatabaseError, match="not an active"):
        admin.execute(
            "INSERT INTO review_decision (task_id, outcome, rationale, digest, decided_by) "
            "VALUES (%s, 'approve', 'seen', %s, 'ann')",
            (stage.second, stage.digest),
        )


@pytest.mark.parametrize(
    "written",
    [
        "UPDATE review_task SET assignee = 'bob'",
        "UPDATE review_task SET status = 'claimed'",
        "UPDATE review_task SET status = 'assigned'",
        "INSERT INTO assignment (task_id, person, cause, by, at) VALUES (1, 'bob', 'pull', 'bob', now())",
        "DELETE FROM decline",
        "UPDATE touch SET person = 'bob'",
    ],
)
def test_h09_the_application_cannot_write_who_has_a_task(stage: Stage, written: str) -> None:
    """Grants and checks leave hand() as the one way into somebody's hands."""
    with (
        connect(stage.flow.engine.url) as application,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)),
    ):
        application.execute(written.encode())


# -- H10, H11, H12, H19


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Two cases wait in the queue reviews."""
    flow = draw(*REVIEWED, settings=SETTINGS)
    flow.submit("A", "B")
    flow.sweep()
    return flow


@pytest.mark.parametrize("closed", ["decided", "expired", "cancelled", "claimed"])
def test_h10_a_task_closed_elsewhere_leaves_every_list_and_the_next_is_told(flow: Flow, closed: str) -> None:
    """At once, not with the next sweep; the refusal says by whom, or how, and when."""
    task = task_of(flow, "A")
    ending: dict[str, Callable[[], object]] = {
        "decided": lambda: flow.decide("A", "bob"),
        "expired": lambda: _time_runs_out(flow),
        "cancelled": lambda: act(flow, casework.cancel, "A", by="max", reason="withdrawn"),
        "claimed": lambda: act(flow, hands.claim, [task], person="bob"),
    }
    ending[closed]()
    told = {
        "decided": r"no longer open: it was decided by bob at 2026-03-02",
        "expired": r"no longer open: its time ran out, it was expired at 2026-03-05",
        "cancelled": r"no longer open: it was cancelled at 2026-03-02",
        "claimed": r"is claimed by bob since 2026-03-02 09:00:00\+00: ask them to release it",
    }[closed]
    with pytest.raises(Refused, match=told):
        act(flow, hands.claim, [task], person="ann")
    with flow.engine.connect() as connection:
        listed = [one.task for one in reviews.open_tasks(connection) if one.assignee is None]
    assert task not in listed
    with flow.engine.connect() as connection:
        pulled = connection.execute("SELECT task FROM pull('ann', %s)", (flow.clock(),)).fetchone()
    assert pulled in [(task_of(flow, "B"),), (None,)]


def _time_runs_out(flow: Flow) -> None:
    flow.clock.advance(days=3)
    assert flow.engine.dispatch().fired == 2


def test_h11_declining_is_theirs_alone(flow: Flow) -> None:
    """It is gone for them, keeps its place for everybody else, changes no rotation and loses no task."""
    a, b = task_of(flow, "A"), task_of(flow, "B")
    turn = flow.rows("SELECT name, turn FROM queue ORDER BY 1")
    with pytest.raises(Refused, match="a reason is needed to decline a task"):
        act(flow, hands.decline, [a], person="ann", reason="")
    act(flow, hands.decline, [a], person="ann", reason="I know them")
    with pytest.raises(Refused, match=f"ann has declined task {a}"):
        act(flow, hands.claim, [a], person="ann")
    assert act(flow, hands.pull, "ann") == b
    assert act(flow, hands.pull, "bob") == a, "for bob it is the first, as it was"
    act(flow, hands.decline, [a], person="bob", reason="I know them too")
    assert in_hand(flow) == {"B": ("claimed", "ann")}, "a task in hand goes back to its queue"
    assert act(flow, hands.pull, "cleo") == a
    assert flow.rows("SELECT name, turn FROM queue ORDER BY 1") == turn
    assert flow.rows("SELECT person, reason FROM decline ORDER BY at, person") == [
        ("ann", "I know them"),
        ("bob", "I know them too"),
    ]
    assert flow.incidents() == []


def test_h12_what_the_last_one_declines_is_an_alarm_and_goes_to_the_fallback_queue(flow: Flow) -> None:
    """At once, in the transaction of the last decline; the seniors find it."""
    limited(
        flow,
        "UPDATE queue SET fallback = 'seniors' WHERE name = 'reviews'; "
        "UPDATE reviewer SET roles = '{senior}' WHERE person = 'cleo'",
    )
    a = task_of(flow, "A")
    act(flow, hands.decline, [a], person="ann", reason="no")
    assert flow.incidents() == []
    act(flow, hands.decline, [a], person="bob", reason="no")
    ((key, element, kind, reason),) = flow.incidents()
    assert (key, element, kind) == ("A", "review", "nobody may decide")
    assert (
        reason == f"nobody is left in the queue reviews who may do task {a}, which bob declined; it is in seniors now"
    )
    assert act(flow, hands.pull, "cleo") == a


def test_h19_a_rename_hides_no_work(flow: Flow) -> None:
    """People, teams and queues are referred to by ids that never change; what they are called is a title."""
    a = act(flow, hands.pull, "ann")
    act(flow, people.rename, "ann", "Ann Brown-Smith", by="max")
    limited(flow, "UPDATE queue SET title = 'First line' WHERE name = 'reviews'")
    with pytest.raises(Refused, match=f"ann has task {a} already"):
        act(flow, hands.claim, [a], person="ann")
    assert act(flow, hands.pull, "bob") == task_of(flow, "B")
    with psycopg.connect(flow.engine.url) as owner, pytest.raises(psycopg.DatabaseError):
        owner.execute("UPDATE reviewer SET person = 'anna' WHERE person = 'ann'")
    with psycopg.connect(flow.engine.url) as owner, pytest.raises(psycopg.DatabaseError):
        owner.execute("UPDATE queue SET name = 'first' WHERE name = 'reviews'")
    act(flow, hands.release, [a], person="ann")
    assert act(flow, hands.pull, "ann") == a
