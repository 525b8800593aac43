"""Expectations of a data set are asset checks in the catalog: they tell, and never stop a case."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

import orchestration_pipelines
from orchestration_pipelines.definitions import defs
from orchestration_pipelines.defs.expectations import expectation_checks
from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.engine.workflow import load_workflow

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
