"""Which files of a code location's workflows are not in force: edited, and not released."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from orchestration_pipelines.engine.releases import differing
from orchestration_pipelines.engine.workflow import load_workflow

if TYPE_CHECKING:
    from dagster import Definitions


@contextmanager
def definitions_of(module: str) -> Iterator[Definitions]:
    """The definitions of a module, found from the folder that one is in, as Dagster's code server does."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield importlib.import_module(module).defs
    finally:
        sys.path.pop(0)


def not_in_force(connection: psycopg.Connection, defs: Definitions) -> list[str]:
    """What of the workflows behind these definitions differs from what is active, each with what to do."""
    from orchestration_pipelines.defs.jobs import FOLDER

    folders = [str(job.metadata[FOLDER].value) for job in defs.resolve_all_job_defs() if FOLDER in job.metadata]
    workflows = [load_workflow(folder) for folder in folders]
    return [f"{workflow.name}: {each}" for workflow in workflows for each in differing(connection, workflow)]
