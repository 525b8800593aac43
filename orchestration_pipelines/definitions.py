"""The Dagster code location of the shipped workflows."""

from pathlib import Path

from orchestration_pipelines.defs.workflow import workflow_definitions

_WORKFLOWS = Path(__file__).parent / "workflows"

defs = workflow_definitions(_WORKFLOWS / "mortgage_underwriting")
