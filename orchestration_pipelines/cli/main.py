"""The command line: ``orchestrate VERB``."""

from __future__ import annotations

import sys

import click
import psycopg

from orchestration_pipelines.cli.backup import backup, restore
from orchestration_pipelines.cli.bench import bench
from orchestration_pipelines.cli.cases import case, cases
from orchestration_pipelines.cli.clients import clients
from orchestration_pipelines.cli.console import console
from orchestration_pipelines.cli.dagster_home import env
from orchestration_pipelines.cli.database import db
from orchestration_pipelines.cli.deltas import deltas
from orchestration_pipelines.cli.doctor import doctor
from orchestration_pipelines.cli.documents import documents
from orchestration_pipelines.cli.holding import hold, resume
from orchestration_pipelines.cli.log import log
from orchestration_pipelines.cli.mending import dead_letters, incidents, quarantine
from orchestration_pipelines.cli.model import model
from orchestration_pipelines.cli.new import new
from orchestration_pipelines.cli.notices import notices
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.people import people
from orchestration_pipelines.cli.pilot import pilot
from orchestration_pipelines.cli.policy import policy
from orchestration_pipelines.cli.purge import purge
from orchestration_pipelines.cli.quality import quality
from orchestration_pipelines.cli.report import report
from orchestration_pipelines.cli.reviews import answer, reviews
from orchestration_pipelines.cli.simulate import simulate
from orchestration_pipelines.cli.submit import submit, sweep
from orchestration_pipelines.cli.up import down, up
from orchestration_pipelines.cli.users import users
from orchestration_pipelines.domain.intake import BadColumns
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.reading import UnreadableFile
from orchestration_pipelines.engine.workflow import WorkflowRefused
from orchestration_pipelines.model.bpmn import ModelRefused
from orchestration_pipelines.model.dmn import DmnRefused
from orchestration_pipelines.store.account import ServerFailed
from orchestration_pipelines.store.archive import BackupRefused
from orchestration_pipelines.store.home import HomeUnusable
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.schema import UnprotectedRecord
from orchestration_pipelines.store.urls import DatabaseUnreachable

#: errors whose message tells a user what to do; anything else is a fault of ours and shows its traceback
TOLD = (
    Problem,
    BadDocument,
    WorkflowRefused,
    ModelRefused,
    DmnRefused,
    DatabaseUnreachable,
    UnprotectedRecord,
    ServerFailed,
    BackupRefused,
    HomeUnusable,
    UnreadableFile,
    BadColumns,
    Refused,
    psycopg.OperationalError,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="orchestration-pipelines")
def orchestrate() -> None:
    """Human-in-the-loop orchestration on Dagster."""


for verb in (
    answer,
    backup,
    bench,
    case,
    cases,
    console,
    clients,
    db,
    dead_letters,
    deltas,
    doctor,
    documents,
    down,
    env,
    hold,
    incidents,
    log,
    model,
    new,
    notices,
    people,
    pilot,
    policy,
    purge,
    quality,
    quarantine,
    report,
    restore,
    resume,
    reviews,
    simulate,
    submit,
    sweep,
    up,
    users,
):
    orchestrate.add_command(verb)


def main() -> None:
    """Run the command line; an error that a user can mend is one message and exit code 1."""
    try:
        orchestrate(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except psycopg.errors.UndefinedTable:
        click.echo("orchestrate: the database has no schema yet: run `make run`, or `orchestrate db migrate`", err=True)
        sys.exit(1)
    except TOLD as error:
        click.echo(f"orchestrate: {error}", err=True)
        sys.exit(1)
