"""The job of a workflow: its graph, what it takes in, and that one broken station stops no other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from orchestration_pipelines.defs.jobs import workflow_job
from orchestration_pipelines.defs.resources import run_sweep_resource
from orchestration_pipelines.defs.workflow import workflow_definitions
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import BROKEN, WORKERS, flow
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

_NOTHING = {"ops": {"receive": {"config": {"source": ""}}}}


@dataclass
class Driven:
    """The small workflow on a database, driven through its job."""

    engine: Engine
    job: dg.JobDefinition
    instance: dg.DagsterInstance

    def run(self, config: dict[str, Any] | None = None, **receive: str) -> dg.ExecuteInProcessResult:
        asked = {"ops": {"receive": {"config": {"source": "", **receive}}}} if config is None else config
        return self.job.execute_in_process(instance=self.instance, run_config=asked, raise_on_error=False)

    def submit(self, *keys: str) -> None:
        rows = [Row(n, {"case_key": key, "amount": 7}) for n, key in enumerate(keys, 1)]
        assert self.engine.submit(rows, requested_by="broker", source="test").accepted == len(keys)

    def decide(self, outcome: str) -> int:
        """Ann decides on every open task, in SQL; returns on how many."""
        with self.engine.connect() as connection:
            return connection.execute(
                "INSERT INTO review_decision (task_id, outcome, rationale, digest, decided_by) "
                "SELECT id, %s, 'seen', digest, 'ann' FROM review_task WHERE ended_at IS NULL",
                (outcome,),
            ).rowcount

    def ends(self) -> dict[str, str | None]:
        with self.engine.connect() as connection:
            return dict(connection.execute("SELECT case_key, outcome FROM cases").fetchall())


def driven(url: str, folder: Path) -> Driven:
    workflow = load_workflow(folder)
    engine = Engine(url, workflow)
    shipped = workflow.package.SHIPPED
    job = workflow_job(workflow, shipped, resource=run_sweep_resource(engine).definition)
    return Driven(engine, job, dg.DagsterInstance.ephemeral())


@pytest.fixture
def small(database: str, tmp_path: Path) -> Driven:
    return driven(database, flow(tmp_path / "small"))


def _steps(result: dg.ExecuteInProcessResult, kind: str) -> set[str]:
    return {str(event.step_key) for event in result.all_events if event.event_type_value == kind}


def _failure(driven: Driven, result: dg.ExecuteInProcessResult) -> str:
    failed = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failed] == ["report"], "no op raises but report"
    error = failed[0].step_failure_data.error
    return str(failed[0].step_failure_data.user_failure_data or "") + str(error)


def test_the_graph_is_the_drawing(small: Driven) -> None:
    """Ops are named by element ids and described by the drawing's names; a station has one list input."""
    nodes = {node.name: node for node in small.job.graph.nodes}
    assert set(nodes) == {
        "receive", "dispatch", "screen", "review", "commit", "reverse", "cancellation", "earlier_versions", "report",
    }  # fmt: skip
    drawn = small.engine.workflow.process.elements
    for station in ("screen", "review", "commit", "reverse"):
        definition = nodes[station].definition
        assert definition.description == drawn[station].name
        assert list(definition.input_dict) == ["cases"]
        assert all(not output.is_required for output in definition.output_defs)
    feeding = {
        (handle.node_name, handle.output_name)
        for handle in small.job.graph.dependency_structure.all_upstream_outputs_from_node("commit")
    }
    assert feeding == {("dispatch", "commit"), ("review", "commit")}, "those that hand to it, and no others"


def test_a_station_with_nothing_to_do_is_skipped_and_the_run_succeeds(small: Driven) -> None:
    """The run page shows which stations worked."""
    idle = small.run()
    assert idle.success
    assert _steps(idle, "STEP_SKIPPED") == {
        "screen", "review", "commit", "reverse", "cancellation", "earlier_versions",
    }  # fmt: skip
    small.submit("A", "B")
    worked = small.run()
    assert worked.success
    assert "screen" in _steps(worked, "STEP_SUCCESS")
    assert {"commit", "reverse"} <= _steps(worked, "STEP_SKIPPED")


@pytest.mark.parametrize(
    ("console", "shown"),
    [("", "{0}, {1}"), ("http://c:8000/", "[{0}](http://c:8000/cases/{0}), [{1}](http://c:8000/cases/{1})")],
)
def test_a_handoff_leads_to_the_pages_of_its_cases(
    small: Driven, monkeypatch: pytest.MonkeyPatch, console: str, shown: str
) -> None:
    """Where there is a console; their numbers say nothing else of them."""
    monkeypatch.setenv("ORCHESTRATION_CONSOLE_URL", console)
    small.submit("A", "B")
    result = small.run()
    with small.engine.connect() as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM cases ORDER BY id")]
    outputs = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    told = [
        each.step_output_data.metadata["cases"].value for each in outputs if "cases" in each.step_output_data.metadata
    ]
    assert told == [shown.format(*ids)]


def test_a_broken_station_stops_no_other(database: str, tmp_path: Path) -> None:
    """Screen broken: an approved case still commits in that run, and the run is a failure with a summary."""
    sound = driven(database, flow(tmp_path / "sound" / "small"))
    sound.submit("approved")
    sound.run()
    assert sound.decide("approve") == 1
    broken = driven(database, flow(tmp_path / "broken" / "small", BROKEN))
    broken.submit("arrived")
    result = broken.run()
    assert broken.ends() == {"approved": "done", "arrived": None}
    assert not result.success
    assert "nothing went through at screen: 1 failed" in _failure(broken, result)


def test_a_failing_intake_stops_no_station(small: Driven) -> None:
    """Nothing can be taken in, and what waits is served all the same; the report says why the run failed."""
    small.submit("A")
    small.run()
    small.decide("approve")
    result = small.run(source="nowhere.csv", requested_by="broker")
    assert not result.success
    assert small.ends() == {"A": "done"}
    assert "nowhere.csv" in _failure(small, result)


def test_a_returned_case_is_the_next_sweeps(small: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph has no loops: a way that leads back is served by the next run, unless this one looks up meanwhile."""
    monkeypatch.setattr(small.engine, "open_sweep", partial(small.engine.open_sweep, look_every_s=3_600))
    small.submit("A")
    small.run()
    small.decide("return")
    back = small.run()
    assert "review" in _steps(back, "STEP_SUCCESS")
    assert "screen" in _steps(back, "STEP_SKIPPED"), "the way back is not an edge of the graph"
    again = small.run()
    assert "screen" in _steps(again, "STEP_SUCCESS")
    assert small.decide("reject") == 1, "the second visit has a task of its own"
    small.run()
    assert small.ends() == {"A": "declined"}


def test_an_urgent_sweep_leaves_arrivals_alone(small: Driven) -> None:
    """What people decided is served, and bulk waits for a whole sweep."""
    small.submit("decided")
    small.run()
    small.decide("approve")
    small.submit("arrived")
    result = small.run({"ops": {**_NOTHING["ops"], "dispatch": {"config": {"urgent_only": True}}}})
    assert result.success
    assert small.ends() == {"decided": "done", "arrived": None}
    assert "screen" in _steps(result, "STEP_SKIPPED")


def test_metadata_has_counts_and_opaque_ids_only(small: Driven) -> None:
    """Dagster's UI has no sign-in: no case key, no field of a case, no name of a person goes there."""
    small.submit("KEY-OF-A-CASE", "KEY-OF-ANOTHER")
    results = [small.run()]
    small.decide("approve")
    results.append(small.run())
    seen = ""
    for result in results:
        assert result.success
        outputs = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        seen += str([event.step_output_data.metadata for event in outputs])
        seen += "".join(record.user_message for record in small.instance.all_logs(result.run_id))
    assert re.search(r"'handed': IntMetadataValue\(value=2\)", seen), seen[:2000]
    for secret in ("KEY-OF", "ann", "broker", "receipt"):
        assert secret not in seen


# -- what receive takes in


def test_the_launchpad_offers_the_shipped_data_set(small: Driven) -> None:
    """A person can just launch: the default takes the shipped data set in, and a second launch finds duplicates."""
    first = small.run(config=dict(small.job.run_config or {}))
    assert first.success
    assert first.output_for_node("receive", "submitted")["accepted"] == 3
    second = small.run(config=dict(small.job.run_config or {}))
    assert second.output_for_node("receive", "submitted")["duplicates"] == 3


def test_a_file_of_the_inbox_is_taken_in(small: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named alone, in somebody's name."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    inbox = tmp_path / "home" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "march.csv").write_text("case_key,amount\nM-1,5\nM-2,x\n")
    result = small.run(source="march.csv", requested_by="broker")
    assert result.success
    submitted = result.output_for_node("receive", "submitted")
    assert (submitted["accepted"], submitted["quarantined"]) == (1, 1)
    nameless = small.run(source="march.csv")
    assert "in whose name" in _failure(small, nameless)


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "folder/../../secret.csv", "link.csv", ".."])
def test_a_path_outside_the_inbox_is_refused(
    small: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Nothing else on the server is read, whatever the path looks like."""
    home = tmp_path / "home"
    monkeypatch.setenv("ORCHESTRATION_HOME", str(home))
    (home / "inbox").mkdir(parents=True)
    (home / "secret.csv").write_text("case_key,amount\nX,1\n")
    (home / "inbox" / "link.csv").symlink_to(home / "secret.csv")
    result = small.run(source=path, requested_by="broker")
    assert not result.success
    assert "is not in the inbox" in _failure(small, result)
    assert small.ends() == {}


# -- the code location


def test_importing_the_definitions_needs_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code location loads where nothing runs; sensors and schedules are declared running."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    definitions = workflow_definitions(flow(tmp_path / "small"))
    dg.Definitions.validate_loadable(definitions)
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    names = ("reviewer_table", "ready_work", "dead_run", "sla_timer", "standing")
    assert set(sensors) == {f"small_{name}_sensor" for name in names} | {"event_logs_sensor"}
    assert {sensor.default_status for sensor in sensors.values()} == {dg.DefaultSensorStatus.RUNNING}
    assert {schedule.name for schedule in definitions.schedules or ()} == {
        "small_sla_sweep_schedule",
        "small_backlog_ageing_schedule",
        "purge_old_runs_nightly",
        "deliver_notices_every_minute",
        "small_flow_metrics_schedule",
        "small_integrity_schedule",
        "small_executive_report_schedule",
        "small_flow_facts_schedule",
        "small_rationales_schedule",
    }


def test_one_code_location_may_hold_several_workflows(tmp_path: Path) -> None:
    """Stations of the same name in two workflows do not meet."""
    bpmn = drawing("service screen", "end done", "received -> screen -> done", name="other")
    other = workflow_folder(tmp_path / "other", bpmn, WORKERS)
    definitions = workflow_definitions(flow(tmp_path / "small"), other)
    dg.Definitions.validate_loadable(definitions)
    names = {job.name for job in definitions.resolve_all_job_defs()}
    assert {"small", "other"} <= names


def test_a_run_whose_database_is_gone_fails_at_once(small: Driven, database: str) -> None:
    """The resource says what is wrong; nothing hangs."""
    with psycopg.connect(database, dbname="postgres", autocommit=True) as connection:
        name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            assert not small.run().success
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
