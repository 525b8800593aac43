"""Dagster's instance in the product's home."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files
from pathlib import Path

from orchestration_pipelines.engine.deployment import Deployment


def dagster_environment(deployment: Deployment) -> dict[str, str]:
    """The two variables that Dagster needs, and the home's: what a process of ours, or ``dagster dev``, is given."""
    return {
        "ORCHESTRATION_HOME": str(deployment.home.root),
        "DAGSTER_HOME": str(deployment.home.dagster),
        "ORCHESTRATION_DAGSTER_URL": deployment.dagster_url,
    }


def enter_dagster_home(deployment: Deployment) -> dict[str, str]:
    """Put ``dagster.yaml`` into DAGSTER_HOME and set the variables for this process; returns them."""
    beside = Path(__file__).parents[2] / "dagster.yaml"
    target = deployment.home.dagster / "dagster.yaml"
    if beside.is_file():
        shutil.copyfile(beside, target)
    else:  # installed from a wheel, which carries it
        target.write_text((files("orchestration_pipelines") / "dagster.yaml").read_text(encoding="utf-8"), "utf-8")
    environment = dagster_environment(deployment)
    os.environ.update(environment)
    return environment
