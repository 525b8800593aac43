"""Human-in-the-loop orchestration on Dagster. What a workflow's author needs is here."""

from orchestration_pipelines.domain.worker import BpmnError, Case, Retry, Worker, worker

__all__ = ["BpmnError", "Case", "Retry", "Worker", "worker"]
