"""Setting the policy and bringing people in: by a manager, checked as a whole, recorded; point 6 of the issue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.domain.people import Person, Staff, Team
from orchestration_pipelines.engine import hands, people, policy
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.people import Refused
from orchestration_pipelines.engine.workflow import WorkflowRefused, load_workflow
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow
from orchestration_pipelines_tests.engine.test_routing import SETTINGS, reviewed, task_of

POLICY = """
calendars: {office: {zone: Europe/Berlin, hours: {mon-fri: [09:00-17:00]}, holidays: {2026-12-25: Christmas}}}
skills: [fraud]
regions: [north]
queues: {reviews: {title: Reviews, strategy: least_load, wip_limit: 7, fallback: seniors}}
steps: {review: {wip_limit: 9, sla: {calendar: office, budget: PT8H, ladder: [{after: PT4H, act: remind}]}}}
"""


def put(flow: Flow, document: str = POLICY, by: str = "mara", reason: str = "we try it") -> int | None:
    flow.engine.version  # noqa: B018 - released on first use
    with flow.engine.connect() as connection:
        return policy.put(connection, flow.engine.workflow, document.encode(), by=by, reason=reason, at=flow.clock())


def act(flow: Flow, what: Any, *arguments: Any, **named: Any) -> Any:
    flow.engine.version  # noqa: B018 - released on first use
    with flow.engine.connect() as connection:
        return what(connection, *arguments, at=flow.clock(), **named)


def record(flow: Flow, word: str) -> list[tuple[Any, ...]]:
    return flow.rows(
        "SELECT actor, role, b ->> 'reason' FROM audit_trail WHERE case_id < 0 AND act = %s ORDER BY seq", word
    )


def test_a_policy_is_spread_out_and_recorded_with_who_and_why(draw: Draw) -> None:
    """In one transaction; what the next policy does not say is as if it had never been said."""
    flow = draw(*reviewed(), settings=SETTINGS)
    assert put(flow) == 1
    assert put(flow) is None
    spread = "SELECT strategy, wip_limit, fallback FROM queue WHERE name = 'reviews'"
    assert flow.rows(spread) == [("least_load", 7, "seniors")]
    assert flow.rows("SELECT element, extract(epoch FROM budget)::int FROM sla_policy") == [("review", 28_800)]
    assert flow.one("SELECT wip_limit FROM station_limit") == 9
    assert put(flow, "skills: []") == 2
    assert flow.rows(spread) == [("pull", None, None)]
    assert flow.rows("SELECT * FROM sla_policy") == flow.rows("SELECT * FROM station_limit") == []
    assert record(flow, "set policy") == [("mara", "manager", "we try it")] * 2


def test_only_a_manager_sets_the_policy(draw: Draw) -> None:
    """The rule is asked in one place, and nothing changes."""
    flow = draw(*reviewed(), settings=SETTINGS)
    with pytest.raises(Refused, match="only a manager changes the policy, and ann is none"):
        put(flow, by="ann")
    with pytest.raises(BadDocument, match="a reason is needed"):
        put(flow, reason=" ")
    assert flow.rows("SELECT * FROM work_policy") == []


def test_a_bad_policy_changes_nothing(draw: Draw) -> None:
    """It is looked at as a whole before anything is written."""
    flow = draw(*reviewed(), settings=SETTINGS)
    put(flow)
    with pytest.raises(BadDocument, match=r"steps.review.sla.budget.*negative"):
        put(flow, POLICY.replace("PT8H", "-PT8H"))
    assert flow.one("SELECT count(*) FROM work_policy") == flow.one("SELECT count(*) FROM sla_policy") == 1


def test_what_was_set_stays_as_it_was_set(database: str, draw: Draw) -> None:
    """Policies are only added, even for the owner of the database."""
    put(draw(*reviewed(), settings=SETTINGS))
    with connect(database, role=None) as owner, pytest.raises(psycopg.DatabaseError, match="append-only"):
        owner.execute("UPDATE work_policy SET reason = 'another'")


def shipped(place: Path, document: str) -> Path:
    folder = workflow_folder(place, drawing(*reviewed()), WORKERS, SETTINGS)
    (folder / "policy.yaml").write_text(document)
    return folder


def test_the_shipped_policy_comes_with_the_first_release_and_no_later_one(
    tmp_path: Path, database: str, clock: SetClock
) -> None:
    """From then on the database's holds, and a manager changes that."""
    flow = Flow(Engine(database, load_workflow(shipped(tmp_path / "w", POLICY)), clock=clock), clock)
    assert put(flow, "skills: [fraud, tax]") == 2
    (tmp_path / "w" / "policy.yaml").write_text("skills: []")
    again = Flow(Engine(database, load_workflow(tmp_path / "w"), clock=clock), clock)
    again.engine.version  # noqa: B018 - released again
    assert flow.rows("SELECT name FROM known_skill ORDER BY name") == [("fraud",), ("tax",)]
    assert [role for _, role, _ in record(flow, "set policy")] == ["owner", "manager"]


def test_a_workflow_with_a_bad_policy_is_not_released(tmp_path: Path, database: str, clock: SetClock) -> None:
    """Told like a slip in the drawing."""
    engine = Engine(database, load_workflow(shipped(tmp_path / "w", POLICY.replace("seniors", "boss"))), clock=clock)
    with pytest.raises(WorkflowRefused, match="there is no queue 'boss'"):
        engine.version  # noqa: B018 - released on first use


def test_people_come_in_all_or_none(draw: Draw) -> None:
    """By a manager; an unknown skill stops the whole file."""
    flow = draw(*reviewed(), settings=SETTINGS)
    put(flow)
    dan, eve = Person("dan", ("reviewer",), team="night", skills={"fraud": 2}), Person("eve", ("reviewer",))
    staff = Staff({"dan": dan, "eve": eve}, {"night": Team("night", lead="dan")})
    with pytest.raises(Refused, match="only a manager"):
        act(flow, people.bring_in, staff, by="ann")
    wrong = Staff({**staff.people, "eve": Person("eve", ("reviewer",), skills={"frod": 1})}, staff.teams)
    with pytest.raises(BadDocument, match="no policy knows the skill 'frod'"):
        act(flow, people.bring_in, wrong, by="mara")
    assert flow.rows("SELECT person FROM reviewer WHERE person IN ('dan', 'eve')") == []
    act(flow, people.bring_in, staff, by="mara")
    assert flow.rows("SELECT person, skill, level FROM reviewer_skill") == [("dan", "fraud", 2)]
    assert [actor for actor, _, _ in record(flow, "brought in")] == ["mara"]


def holding(draw: Draw) -> Flow:
    """ann has case A in hand."""
    flow = draw(*reviewed(), settings=SETTINGS)
    flow.submit("A")
    flow.sweep()
    act(flow, hands.claim, [task_of(flow, "A")], person="ann")
    return flow


def test_nobody_leaves_with_work_in_hand(database: str, draw: Draw) -> None:
    """Refused with what to do, in plain SQL too; or it goes back to its queue."""
    flow = holding(draw)
    with pytest.raises(Refused, match="ann has 1 tasks in hand: orchestrate people deactivate ann --release"):
        act(flow, people.deactivate, "ann", by="mara", reason="left")
    with connect(database, role=None) as owner:
        for statement in ("DELETE FROM reviewer", "UPDATE reviewer SET active = false"):
            with pytest.raises(psycopg.DatabaseError, match="ann has 1 tasks in hand"):
                owner.execute(f"{statement} WHERE person = 'ann'")
    task = task_of(flow, "A")
    assert act(flow, people.deactivate, "ann", by="mara", reason="left", release=True) == [task]
    assert flow.rows("SELECT status, assignee FROM review_task") == [("open", None)]
    assert flow.one("SELECT active FROM reviewer WHERE person = 'ann'") is False


def test_a_role_is_not_taken_from_under_work_in_hand(draw: Draw) -> None:
    """Whoever could no longer decide what they have keeps the role, or gives it back."""
    flow = holding(draw)
    other = Staff({"ann": Person("ann", ("senior",))})
    with pytest.raises(Refused, match=r"work in hand that they could no longer do.*--release gives it back"):
        act(flow, people.bring_in, other, by="mara")
    assert act(flow, people.bring_in, other, by="mara", release=True) == [task_of(flow, "A")]


def test_h19_a_rename_hides_no_work(database: str, draw: Draw) -> None:
    """The title changes, the id never; queues are the same."""
    flow = holding(draw)
    act(flow, people.rename, "ann", "Ann-Marie", by="mara")
    put(flow, "queues: {reviews: {title: First look}}")
    assert flow.rows("SELECT assignee, queue FROM review_task") == [("ann", "reviews")]
    assert flow.rows("SELECT title FROM reviewer WHERE person = 'ann'") == [("Ann-Marie",)]
    with connect(database, role=None) as owner, pytest.raises(psycopg.DatabaseError, match="an id and never changes"):
        owner.execute("UPDATE reviewer SET person = 'anne' WHERE person = 'ann'")


def test_the_first_manager_comes_in_without_one(draw: Draw) -> None:
    """Whoever holds the machine brings in the first; from then on only managers do."""
    flow = draw(*reviewed(), settings=SETTINGS.replace("mara: [manager]", "mara: [reviewer]"))
    act(flow, people.bring_in, Staff({"max": Person("max", ("manager",))}), by="root")
    with pytest.raises(Refused, match="only a manager changes the people, and root is none"):
        act(flow, people.bring_in, Staff({"eve": Person("eve", ("reviewer",))}), by="root")


def test_a_limit_is_amended_in_the_policy_that_was_seen(draw: Draw) -> None:
    """The rest of the document stays, comments too; recorded like any policy; who has seen an older one is refused."""
    flow = draw(*reviewed(), settings=SETTINGS)
    put(flow, POLICY + "# as agreed\n")
    limits = {("queues", "reviews", "wip_limit"): 3, ("steps", "review", "wip_limit"): None}
    assert act(flow, policy.amend, flow.engine.workflow, limits, seen=1, by="mara", reason="fewer at once") == 2
    assert flow.rows("SELECT wip_limit, fallback FROM queue WHERE name = 'reviews'") == [(3, "seniors")]
    assert flow.rows("SELECT * FROM station_limit") == []
    assert flow.one("SELECT document FROM work_policy WHERE id = 2").endswith("# as agreed\n")
    assert record(flow, "set policy")[-1] == ("mara", "manager", "fewer at once")
    with pytest.raises(Refused, match=r"mara has set the policy meanwhile \(fewer at once\): look at it again"):
        act(flow, policy.amend, flow.engine.workflow, limits, seen=1, by="mara", reason="fewer")
    with pytest.raises(Refused, match="only a manager changes the policy"):
        act(
            flow,
            policy.amend,
            flow.engine.workflow,
            {("queues", "reviews", "wip_limit"): 9},
            seen=2,
            by="ann",
            reason="x",
        )
    with pytest.raises(BadDocument, match="no such user task"):
        act(
            flow,
            policy.amend,
            flow.engine.workflow,
            {("steps", "check", "wip_limit"): 9},
            seen=2,
            by="mara",
            reason="x",
        )


def test_one_setting_of_a_person_is_changed_and_the_rest_stays(draw: Draw) -> None:
    """With who and why; a reason is needed, and somebody who is known."""
    flow = draw(*reviewed(), settings=SETTINGS)
    before = act(flow, _seen, "ann")
    act(flow, people.change, "ann", {"capacity": 4}, by="mara", reason="she is new")
    assert act(flow, _seen, "ann") == before._replace(capacity=4)
    assert record(flow, "brought in")[-1] == ("mara", "manager", "she is new")
    with pytest.raises(Refused, match="a reason is needed"):
        act(flow, people.change, "ann", {"capacity": 4}, by="mara", reason=" ")
    with pytest.raises(Refused, match="there is nobody 'nobody'"):
        act(flow, people.change, "nobody", {"capacity": 4}, by="mara", reason="why")


def _seen(connection: psycopg.Connection, person: str, at: Any) -> people.Seen:
    return people.listed(connection, at, person)[0]
