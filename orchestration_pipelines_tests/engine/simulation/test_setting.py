"""What is tried is what a deployment has: its people, who is away, its policy; read, and never written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestration_pipelines.domain.people import Person, Staff
from orchestration_pipelines.engine import people, policy
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.simulation.setting import of_database, of_folder, with_changes, with_more
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.engine.simulation.trials import POLICY, START, kept, staff, trial, workflow


def test_a_deployment_is_tried_as_it_is(server: EmbeddedServer, migrated: str, database: str, tmp_path: Path) -> None:
    """Its people with what they can do, its policy as it was set; who is away there does nothing in the simulation."""
    flow = workflow(tmp_path / "flow")
    begin, end = START, START + timedelta(days=4)
    back = START + timedelta(days=1)
    document = (POLICY % ("pull", "3")).encode()
    assert Engine(database, flow).version
    with connect(database) as connection:
        assert of_database(connection, flow, begin, end) == of_folder(flow), "of nobody there is nothing to say"
        team = Staff({**staff("ann").people, "max": Person("max", roles=("manager", "reviewer"), capacity=2)})
        people.bring_in(connection, team, by="max", at=begin)
        policy.put(connection, flow, document, by="max", reason="so it is", at=begin)
        people.set_absent(
            connection, "ann", starts=begin, ends=back, delegate=None, reason="away", by="ann", at=begin
        )  # fmt: skip
    with connect(database, role=None) as connection:
        connection.execute("SET default_transaction_read_only = on")
        found = of_database(connection, flow, begin, end)
    assert (found.staff.people, found.policy) == (team.people, document)
    assert [(away.person, away.starts, away.ends) for away in found.absences] == [("ann", begin, back)]
    tried = trial(flow, days=4)
    with kept(server, migrated, type(tried)(flow, found, tried.supply, days=4, start=begin)) as ran:
        assert ran.one("SELECT count(*) FROM touch WHERE person = 'ann' AND started_at < %s", back) == 0
        assert ran.one("SELECT count(*) FROM touch WHERE person = 'ann'") > 0
        assert ran.one("SELECT wip_limit FROM queue") == 3


def test_a_setting_of_the_policy_and_one_more_person_are_put_in_place(tmp_path: Path) -> None:
    """By the place in the document; whoever is added is like the first who has the role."""
    setting = trial(workflow(tmp_path / "flow"), "ann").setting
    changed = with_changes(setting, {"queues.reviews.wip_limit": "4", "steps.review.wip_limit": "5"})
    assert changed.policy is not None
    assert b"wip_limit: 4" in changed.policy
    assert b"wip_limit: 5" in changed.policy
    assert with_changes(setting, {}) is setting
    more = with_more(setting, "reviewer", 2).staff.people
    assert list(more) == ["ann", "more_reviewer_1", "more_reviewer_2"]
    with pytest.raises(BadDocument, match="nobody has the role 'king'"):
        with_more(setting, "king", 1)
