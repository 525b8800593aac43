"""Dagster's instance in the product's home."""

from __future__ import annotations

import os
import shlex
import shutil
from importlib.resources import files
from pathlib import Path

import click
import yaml

from orchestration_pipelines.cli.output import tell
from orchestration_pipelines.engine.deployment import Deployment, deploy


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


def write_workspace(deployment: Deployment, sockets: dict[str, Path]) -> Path:
    """The workspace that webserver and daemon share: each code location, and the socket of its code server."""
    servers = [
        {"grpc_server": {"socket": str(socket), "location_name": location}} for location, socket in sockets.items()
    ]
    path = deployment.home.dagster / "workspace.yaml"
    path.write_text(yaml.safe_dump({"load_from": servers}), encoding="utf-8")
    return path


@click.command()
def env() -> None:
    """Print what `dagster dev` and `dg dev` need: eval "$(orchestrate env)". Starts PostgreSQL, migrates."""
    deployment = deploy(tell=tell)
    deployment.prepare()
    for name, value in enter_dagster_home(deployment).items():
        click.echo(f"export {name}={shlex.quote(value)}")
