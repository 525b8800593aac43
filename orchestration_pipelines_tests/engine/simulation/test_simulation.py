"""Simulations: repeatable, true to the tables that they leave, and of use to whoever tries something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.simulation.conduct import Conduct
from orchestration_pipelines.engine.simulation.setting import with_changes
from orchestration_pipelines.engine.simulation.simulation import contained, simulate
from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused, load_workflow
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS
from orchestration_pipelines_tests.engine.simulation.trials import (
    BUSY,
    DAYS,
    START,
    WORKING_S,
    Kept,
    kept,
    trial,
    workflow,
)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    return workflow(tmp_path_factory.mktemp("simulated") / "flow")


@pytest.fixture(scope="module")
def overloaded(server: EmbeddedServer, migrated: str, flow: Workflow) -> Iterator[Kept]:
    """Two people, for more work than two can do."""
    with kept(server, migrated, trial(flow, "ann", "bob")) as found:
        yield found


def test_the_same_seed_gives_the_same_figures(
    server: EmbeddedServer, migrated: str, flow: Workflow, overloaded: Kept
) -> None:
    """To the last digit, in another database; another seed gives others."""
    with kept(server, migrated, trial(flow, "ann", "bob")) as again:
        assert again.outcome.figures.as_dict() == overloaded.outcome.figures.as_dict()
    with kept(server, migrated, trial(flow, "ann", "bob", seed=8, days=2)) as other:
        assert other.outcome.figures.as_dict() != overloaded.outcome.figures.as_dict()


def test_one_more_reviewer_shortens_the_wait_and_has_time_left(
    server: EmbeddedServer, migrated: str, flow: Workflow, overloaded: Kept
) -> None:
    """In an overloaded queue: a shorter lead time, a lower utilisation, fewer broken promises."""
    two = overloaded.outcome.figures
    with kept(server, migrated, trial(flow, "ann", "bob", "cleo")) as found:
        three = found.outcome.figures
    assert two.utilisation is not None
    assert three.utilisation is not None
    assert two.queues[0].lead_hours.mean is not None
    assert three.queues[0].lead_hours.mean is not None
    assert three.submitted == two.submitted, "the same cases come, whoever is there"
    assert three.queues[0].lead_hours.mean < two.queues[0].lead_hours.mean * 0.8
    assert three.utilisation < two.utilisation - 0.05
    assert three.breaches < two.breaches
    assert three.closed > two.closed


#: the tasks that are in somebody's hands as each assignment is written: it and all before it, the last one of each
_IN_HAND_AT_MOST = """
SELECT max(held) FROM (
    SELECT a.id, count(*) FILTER (WHERE l.person IS NOT NULL AND (t.ended_at IS NULL OR t.ended_at > a.at)) AS held
    FROM assignment a CROSS JOIN LATERAL (
        SELECT DISTINCT ON (b.task_id) b.task_id, b.person FROM assignment b WHERE b.id <= a.id
        ORDER BY b.task_id, b.id DESC) l
    JOIN review_task t ON t.id = l.task_id GROUP BY a.id) counted
"""


@pytest.mark.parametrize("strategy", ["pull", "least_load"])
def test_a_wip_limit_is_never_exceeded(
    server: EmbeddedServer, migrated: str, flow: Workflow, overloaded: Kept, strategy: str
) -> None:
    """Counted by plain SQL at each assignment, and told by the figures; without the limit more are in hand."""
    often = replace(BUSY, set_aside=0.5)
    limited = trial(flow, "ann", "bob", "cleo", strategy=strategy, wip_limit="2", days=5, conduct=often)
    with kept(server, migrated, limited) as found:
        assert found.one(_IN_HAND_AT_MOST) == 2
        assert found.outcome.figures.queues[0].wip_max == 2
        assert found.outcome.figures.closed > 5
    assert overloaded.one(_IN_HAND_AT_MOST) == overloaded.outcome.figures.queues[0].wip_max > 2


def test_the_figures_are_what_plain_sql_finds(overloaded: Kept) -> None:
    """Lead time, promises, reassignments, depth, utilisation: each from the tables, without the engine's reading."""
    figures = overloaded.outcome.figures
    queue = figures.queues[0]
    assert overloaded.rows("SELECT count(*), count(closed_at) FROM cases") == [(figures.submitted, figures.closed)]
    ((mean, p85),) = overloaded.rows(
        "SELECT avg(hours)::float8, percentile_cont(0.85) WITHIN GROUP (ORDER BY hours)::float8 FROM ("
        "SELECT extract(epoch FROM closed_at - submitted_at) / 3600 AS hours FROM cases "
        "WHERE closed_at IS NOT NULL) AS led"
    )
    assert figures.lead_hours.mean == pytest.approx(mean)
    assert figures.lead_hours.p85 == pytest.approx(p85)
    assert overloaded.one("SELECT count(*) FROM sla_clock WHERE breached_at IS NOT NULL") == figures.breaches > 0
    taken = "SELECT count(*) FROM assignment WHERE from_person IS NOT NULL AND person IS DISTINCT FROM from_person"
    assert overloaded.one(taken) == figures.reassignments
    assert overloaded.one("SELECT count(*) FROM sla_rung WHERE status = 'fired'") == sum(figures.rungs.values()) > 0
    end = START + timedelta(days=DAYS)
    worked = overloaded.one(
        "SELECT sum(extract(epoch FROM coalesce(stopped_at, %s) - started_at))::float8 FROM touch", end
    )
    assert figures.utilisation == pytest.approx(worked / (2 * WORKING_S))
    assert 0.8 < worked / (2 * WORKING_S) <= 1.0
    depth = overloaded.one(
        "SELECT sum(extract(epoch FROM coalesce(ended_at, %s) - opened_at))::float8 FROM review_task", end
    )
    assert queue.depth_mean == pytest.approx(depth / (DAYS * 86_400))
    assert (
        queue.decided
        == sum(each.decided for each in figures.people)
        == overloaded.one("SELECT count(*) FROM review_decision")
    )


def test_nobody_works_outside_their_hours_or_on_two_things_at_once(overloaded: Kept) -> None:
    """What a shift's end breaks off goes on with the next one; each stretch of work has its own time."""
    assert (
        overloaded.one(
            "SELECT count(*) FROM touch WHERE extract(isodow FROM started_at) > 5 OR started_at::time < '09:00' "
            "OR coalesce(stopped_at, started_at)::time > '17:00' OR stopped_at::date <> started_at::date"
        )
        == 0
    )
    assert (
        overloaded.one(
            "SELECT count(*) FROM touch a JOIN touch b ON b.person = a.person AND b.started_at > a.started_at "
            "AND b.started_at < coalesce(a.stopped_at, 'infinity')"
        )
        == 0
    )
    assert overloaded.one("SELECT count(*) FROM touch WHERE stopped_at::time = '17:00'") > 0


def test_a_rung_fires_once_though_the_clock_jumps_over_a_weekend(overloaded: Kept) -> None:
    """Those armed before the weekend and due behind it: at their instants, not late, told once each."""
    monday = START + timedelta(days=4)
    over = overloaded.rows(
        "SELECT r.clock_id, r.no, r.fired_at, r.due_at, r.late FROM sla_rung r JOIN sla_clock k ON k.id = r.clock_id "
        "WHERE k.started_at < %s AND r.due_at > %s AND r.status = 'fired'",
        monday,
        monday,
    )
    assert over, "there are some"
    assert all(fired_at == due_at and not late for _, _, fired_at, due_at, late in over)
    assert all(due_at - monday >= timedelta(hours=9) for _, _, _, due_at, _ in over), "nothing is due at night"
    told = overloaded.one("SELECT count(*) FROM notification WHERE kind = 'reminded'")
    assert told == overloaded.one("SELECT count(*) FROM sla_rung WHERE status = 'fired'")
    assert overloaded.one("SELECT count(*) FROM sla_rung WHERE status = 'armed' AND due_at <= %s", monday) == 0


def test_littles_law_holds(server: EmbeddedServer, migrated: str, flow: Workflow) -> None:
    """L = λW over the middle of a run in which as many go as come; what is left is the two edges (Little 1961)."""
    steady = trial(flow, "ann", "bob", "cleo", days=12, conduct=Conduct(service=timedelta(minutes=90)))
    begin, end = START + timedelta(days=1), START + timedelta(days=11)
    with kept(server, migrated, steady) as found:
        under_way = found.one(
            "SELECT avg(n)::float8 FROM (SELECT count(c.id) AS n FROM generate_series(%s::timestamptz, %s, '30 min') "
            "AS g (at) LEFT JOIN cases c ON c.submitted_at <= g.at AND (c.closed_at IS NULL OR c.closed_at > g.at) "
            "GROUP BY g.at) AS counted",
            begin,
            end,
        )
        came, waited = found.rows(
            "SELECT count(*)::float8, avg(extract(epoch FROM closed_at - submitted_at))::float8 FROM cases "
            "WHERE submitted_at >= %s AND submitted_at < %s",
            begin,
            end,
        )[0]
    assert came > 50
    rate = came / (end - begin).total_seconds()
    assert under_way == pytest.approx(rate * waited, rel=0.1)


def test_what_cannot_be_tried_is_told_before_anything_is(database: str, flow: Workflow, tmp_path: Path) -> None:
    """A policy that is refused, a queue without people, a change of no setting, an effect on the world outside."""
    with pytest.raises(BadDocument, match=r"queues\.reviews\.wip_limit"):
        simulate(trial(flow, "ann", wip_limit="-1"), database)
    with pytest.raises(WorkflowRefused, match="queue reviews wants the role reviewer, and nobody has it"):
        simulate(trial(flow), database)
    with pytest.raises(BadDocument, match="strategy is no group of settings"):
        with_changes(trial(flow, "ann").setting, {"queues.reviews.strategy.x": "1"})
    place = workflow_folder(tmp_path / "outside", drawing(*REVIEWED), WORKERS, DEFAULT_SETTINGS)
    with pytest.raises(WorkflowRefused, match="the tool 'bank' reaches a system outside"):
        contained(load_workflow(place))
