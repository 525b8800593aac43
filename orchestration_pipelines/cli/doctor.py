"""``orchestrate doctor``: what is up, what is not, and what to do."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import click
import psycopg
from rich.table import Table
from rich.text import Text

from orchestration_pipelines.cli.dagster_home import enter_dagster_home
from orchestration_pipelines.cli.in_force import definitions_of, not_in_force
from orchestration_pipelines.cli.output import as_json, console, print_json, verbatim
from orchestration_pipelines.cli.up import HEARTBEAT_S, modules_option
from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.engine.standing_sweep import SETTING, wanted
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.condition import Condition, condition, standing_holds
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.store.sweepers import unattended

if TYPE_CHECKING:
    from dagster import DagsterInstance

_ENOUGH_DISK, _SOME_DISK = 5 << 30, 1 << 30
_MANY_CONNECTIONS, _TOO_MANY_CONNECTIONS = 0.7, 0.9
#: a case is claimed within seconds while a daemon runs; a sweep that is busy may take minutes
_LONG_READY = timedelta(minutes=5)


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.BAD: "red"}
_EXIT = {Level.OK: 0, Level.WARN: 1, Level.BAD: 2}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    level: Level
    state: str
    advice: str = ""


@click.command()
@modules_option
@as_json
def doctor(modules: tuple[str, ...], wants_json: bool) -> None:
    """Say what is up, what is not, and what to do. Exit code 0: all is well, 1: look at it, 2: something is broken."""
    home = Home.from_environment()
    findings = list(_examine(home, modules))
    worst = max((finding.level for finding in findings), key=lambda level: _EXIT[level])
    if wants_json:
        shown = [
            {"what": f.what, "level": f.level.value, "state": f.state, "advice": f.advice or None} for f in findings
        ]
        print_json({"level": worst.value, "findings": shown})
    else:
        table = Table(title=f"doctor: {home.root}", title_justify="left", header_style="bold", show_lines=False)
        for column in ("", "what", "how it is", "what to do"):
            table.add_column(column, overflow="fold")
        for f in findings:
            table.add_row(Text(f.level.value, style=_COLOURS[f.level]), f.what, verbatim(f.state), f.advice)
        console().print(table)
    sys.exit(_EXIT[worst])


def _examine(home: Home, modules: tuple[str, ...]) -> Iterator[Finding]:
    if not home.root.is_dir():
        yield Finding("home", Level.BAD, f"{home.root} does not exist", "make up, or orchestrate up, starts everything")
        return
    yield _disk(home)
    server = EmbeddedServer(home)
    deployment = Deployment(home, home.database_url or server.url(), os.environ)
    try:
        with connect(deployment.url, role=None) as connection:
            yield from _database(connection)
    except (psycopg.OperationalError, urls.DatabaseUnreachable) as error:
        advice = "orchestrate up starts it" if home.database_url is None else "see ORCHESTRATION_DATABASE_URL"
        yield Finding("PostgreSQL", Level.BAD, f"does not answer: {urls.said(error)}", advice)
        return
    yield from _dagster(deployment)
    for module in modules:
        yield from _code(module, deployment)


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    level = Level.OK if free > _ENOUGH_DISK else Level.WARN if free > _SOME_DISK else Level.BAD
    advice = "" if level is Level.OK else "make room, or purge old runs: orchestrate purge --keep-days 3"
    return Finding("disk", level, f"{free / (1 << 30):.1f} GB free at {home.root}", advice)


# -- the database


def _database(connection: psycopg.Connection) -> Iterator[Finding]:
    try:
        revision = schema.revision(connection)
        newest = schema.newest()
        if revision != newest:
            yield Finding("migrations", Level.BAD, f"at {revision}, not at {newest}", "orchestrate db migrate")
            return
    except psycopg.errors.UndefinedTable:
        yield Finding("migrations", Level.BAD, "the database is empty", "orchestrate db migrate, or orchestrate up")
        return
    now = condition(connection)
    size = f"{now.bytes / (1 << 20):,.0f} MB"
    yield Finding("PostgreSQL", Level.OK, f"version {now.version // 10_000}, {size}, migrated to {revision}")
    yield _connections(now)
    try:
        schema.refuse_unprotected(connection)
        yield Finding("the record", Level.OK, "nobody can change decisions or the audit")
    except schema.UnprotectedRecord as error:
        yield Finding("the record", Level.BAD, "is not protected", str(error))
    yield from _work(now)
    for hold in standing_holds(connection):
        target = hold.workflow + (f"/{hold.element}" if hold.element else "")
        state = f"{target} is held by {hold.held_by}: {hold.reason}"
        yield Finding("hold", Level.WARN, state, f"orchestrate resume {target} --reason … when it may go on")


def _connections(now: Condition) -> Finding:
    share = now.connections / now.connections_allowed
    level = Level.OK if share < _MANY_CONNECTIONS else Level.WARN if share < _TOO_MANY_CONNECTIONS else Level.BAD
    advice = "" if level is Level.OK else "raise max_connections, or lower max_concurrent_runs in dagster.yaml"
    return Finding("connections", level, f"{now.connections} of {now.connections_allowed} in use", advice)


def _work(now: Condition) -> Iterator[Finding]:
    if now.ready_since is not None and datetime.now(UTC) - now.ready_since > _LONG_READY:
        state = f"{now.ready} wait for a station, the first for {_age(now.ready_since)}"
        yield Finding("ready cases", Level.WARN, state, "is the daemon up, and is a run failing? See Dagster's runs")
    else:
        yield Finding("ready cases", Level.OK, f"{now.ready} wait for a station")
    if now.overdue_since is not None:
        state = f"{now.overdue_timers} deadlines have passed unnoticed, the first {_age(now.overdue_since)} ago"
        yield Finding("deadlines", Level.BAD, state, "start the daemon (orchestrate up), or orchestrate sweep WORKFLOW")
    else:
        yield Finding("deadlines", Level.OK, "none has passed unnoticed")
    counted = (
        ("dead sweepers", now.dead_sweepers, "the next sweep takes over what they held; none comes without a daemon"),
        ("incidents", now.incidents, "orchestrate incidents list"),
        ("dead letters", now.dead_letters, "orchestrate dead-letters list"),
    )
    for what, count, advice in counted:
        yield Finding(
            what, Level.WARN if count else Level.OK, f"{count} open" if count else "none", advice * (count > 0)
        )


def _age(since: datetime) -> str:
    seconds = (datetime.now(UTC) - since).total_seconds()
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"


# -- Dagster


def _dagster(deployment: Deployment) -> Iterator[Finding]:
    from dagster import DagsterInstance
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    enter_dagster_home(deployment)
    try:
        with DagsterInstance.get() as instance:
            daemons = list(_daemons(instance))
            yield from daemons
            yield from _instigators(instance)
        if all(finding.level is not Level.BAD for finding in daemons):
            with connect(deployment.url) as connection:
                yield standing_by(connection, os.environ)
    except (SQLAlchemyError, DagsterPostgresException) as error:
        advice = "orchestrate up makes it" if "does not exist" in str(error) else "see the message"
        yield Finding("Dagster's database", Level.BAD, str(error).strip().splitlines()[0], advice)


def _daemons(instance: DagsterInstance) -> Iterator[Finding]:
    heartbeats = instance.get_daemon_heartbeats()
    now = time.time()
    silent = []
    for kind in sorted(instance.get_required_daemon_types()):
        age = now - heartbeats[kind].timestamp if kind in heartbeats else None
        if age is None or age > HEARTBEAT_S:
            silent.append(f"{kind.lower()} {'never' if age is None else f'{age:.0f} s ago'}")
        elif errors := heartbeats[kind].errors:
            first = errors[0].message.strip().splitlines()[0]
            yield Finding(f"daemon: {kind.lower()}", Level.WARN, f"reports an error: {first}", "see logs/daemon.log")
    if silent:
        state = f"does not run; last heard of: {', '.join(silent)}"
        yield Finding("daemon", Level.BAD, state, "no decision is taken on and no deadline fires: orchestrate up")
    else:
        yield Finding("daemon", Level.OK, "runs")


def standing_by(connection: psycopg.Connection, env: Mapping[str, str]) -> Finding:
    """Whether somebody stands by for each workflow that has open cases: then decisions take effect at once."""
    try:
        on = wanted(env)
    except ValueError as error:
        return Finding("standing sweep", Level.BAD, str(error), "none is started until it says either")
    if not on:
        return Finding("standing sweep", Level.OK, f"off ({SETTING}): decisions have runs of their own")
    if missing := unattended(connection):
        advice = "decisions take seconds meanwhile: is its sensor on, does its run fail? See Dagster's runs"
        return Finding("standing sweep", Level.WARN, f"nobody stands by for {', '.join(missing)}", advice)
    return Finding("standing sweep", Level.OK, "decisions take effect at once")


def _instigators(instance: DagsterInstance) -> Iterator[Finding]:
    states = instance.all_instigator_state()
    stopped = sorted(state.instigator_name for state in states if state.status.value == "STOPPED")
    for name in stopped:
        advice = "somebody switched it off; Dagster's UI switches it on again: Automation"
        yield Finding("sensors, schedules", Level.WARN, f"{name} is off", advice)
    if not stopped:
        yield Finding("sensors, schedules", Level.OK, f"{len(states)} known, none switched off")


def _code(module: str, deployment: Deployment) -> Iterator[Finding]:
    from dagster import Definitions

    try:
        with definitions_of(module) as defs, connect(deployment.url) as connection:
            Definitions.validate_loadable(defs)
            differing = not_in_force(connection, defs)
    except psycopg.Error:
        return  # the database's own line says what is wrong with it
    except Exception as error:  # noqa: BLE001 - it is a user's code, and what it raises is the finding
        told = f"cannot be loaded: {type(error).__name__}: {error}"
        yield Finding(f"code {module}", Level.BAD, told, "mend it, and start orchestrate up again")
        return
    yield Finding(f"code {module}", Level.OK, "loads")
    for told in differing:
        yield Finding("tables", Level.WARN, told, "orchestrate model release FILE, or put the released file back")
