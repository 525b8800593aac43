"""Expectations of a data set are asset checks in the catalog: they tell, and never stop a case."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

import orchestration_pipelines
from orchestration_pipelines.definitions import defs
from orchestration_pipelines.defs.expectations import expectation_checks, sound_facts_check
from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import flow

THROUGHPUT = Path(orchestration_pipelines.__file__).parent / "workflows" / "throughput"


def test_the_shipped_data_set_has_a_check_in_the_catalog() -> None:
    """The mortgage applications are an asset with a check that a person can run."""
    checks = {check.to_user_string() for check in defs.resolve_asset_graph().asset_check_keys}
    assert "mortgage_underwriting/loanapp:as_expected" in checks


def test_what_is_not_met_is_counted_and_names_nobody() -> None:
    """A warning with the number of rows; case keys stay out of Dagster's pages, which have no sign-in."""
    found = [
        Expected("values_to_be_unique", "case_key", passed=True, unexpected=0, examples=()),
        Expected("values_to_not_be_null", "price", passed=False, unexpected=7, examples=("LA-0001",)),
    ]
    specs, checks = expectation_checks(load_workflow(THROUGHPUT), {"rows": lambda: found})
    every = dg.define_asset_job("every_check", selection=dg.AssetSelection.all_asset_checks())
    catalog = dg.Definitions(assets=specs, asset_checks=checks, jobs=[every])
    result = catalog.resolve_job_def("every_check").execute_in_process()
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert evaluation.metadata["not met"].value == 1
    shown = str(evaluation.metadata["which"].value)
    assert "|values_to_not_be_null|price|7|" in shown
    assert "LA-0001" not in shown


@pytest.mark.xdist_group("great expectations")
def test_what_the_figures_are_made_of_is_checked_every_night(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a workflow that has run: passed, with the number of expectations."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    workflow = load_workflow(flow(tmp_path / "small"))
    engine = deploy().engine(workflow)
    engine.submit([Row(1, {"case_key": "a", "amount": -1})], requested_by="broker", source="test")
    engine.sweep()
    spec, check, schedule = sound_facts_check(workflow)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    every = dg.define_asset_job("every_check", selection=dg.AssetSelection.all_asset_checks())
    catalog = dg.Definitions(assets=[spec], asset_checks=[check], jobs=[every])
    (found,) = catalog.resolve_job_def("every_check").execute_in_process().get_asset_check_evaluations()
    assert found.passed and int(str(found.metadata["expectations"].value)) >= 10
