"""Human-in-the-loop orchestration on Dagster. What a workflow's author needs is here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchestration_pipelines.domain.worker import BpmnError, Case, Retry, Worker, worker

if TYPE_CHECKING:
    from orchestration_pipelines.defs.workflow import workflow_definitions

__all__ = ["BpmnError", "Case", "Retry", "Worker", "worker", "workflow_definitions"]


def __getattr__(name: str) -> Any:
    """``workflow_definitions`` when it is asked for: workers are imported without Dagster."""
    if name == "workflow_definitions":
        return import_module("orchestration_pipelines.defs.workflow").workflow_definitions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
