"""``orchestrate up``: PostgreSQL, all of Dagster and the console, kept running until Ctrl-C; ``down`` ends the rest."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import socket
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psycopg

from orchestration_pipelines.cli.dagster_home import enter_dagster_home, write_workspace
from orchestration_pipelines.cli.in_force import definitions_of, not_in_force
from orchestration_pipelines.cli.output import Problem, tell
from orchestration_pipelines.cli.parts import Part, end_leftovers, marks, stop_all
from orchestration_pipelines.cli.ports import refuse_busy
from orchestration_pipelines.cli.screen import Ports, Screen
from orchestration_pipelines.engine.deployment import CONSOLE_URL, Deployment, deploy
from orchestration_pipelines.store import urls
from orchestration_pipelines.store.accounts import has_account
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

if TYPE_CHECKING:
    from dagster import DagsterInstance

SHIPPED = "orchestration_pipelines.definitions"
#: how long Dagster's processes get to end by themselves; they would take much longer
_PATIENCE_S = 5.0
#: a daemon says every 30 s that it lives
HEARTBEAT_S = 90.0
_LONGEST_SOCKET_PATH = 100
_DATABASE_EVERY_S = 5.0

modules_option = click.option(
    "--module",
    "-m",
    "modules",
    multiple=True,
    default=(SHIPPED,),
    show_default=True,
    help="A module with Dagster definitions, a code location of its own; may be repeated.",
)


@click.command()
@click.option("--port", default=3000, show_default=True, help="Where Dagster's UI listens, on this machine alone.")
@click.option("--console-port", type=int, help="Where the reviewer console listens; the port after Dagster's UI's.")
@click.option(
    "--console/--no-console",
    "with_console",
    default=True,
    envvar="ORCHESTRATION_CONSOLE",
    help="Whether to start the reviewer console (or ORCHESTRATION_CONSOLE=off).",
)
@modules_option
def up(port: int, console_port: int | None, with_console: bool, modules: tuple[str, ...]) -> None:
    """Start PostgreSQL, Dagster and the reviewer console, and keep them running until Ctrl-C."""
    ports = Ports(port, (console_port or port + 1) if with_console else None)
    stopping = _until_told_to_stop()
    home = Home.from_environment().ensure()
    marks(home).mkdir(mode=0o700, exist_ok=True)
    with _alone(home):
        leftovers = end_leftovers(home)
        for name in leftovers:
            tell(f"ended {name}, which an earlier start had left running")
        refuse_busy(ports.dagster, "--port", 5.0 if leftovers else 0.0)
        if ports.console is not None:
            refuse_busy(ports.console, "--console-port", 5.0 if leftovers else 0.0)
        server = EmbeddedServer(home) if home.database_url is None else None
        ours = marks(home) / "postgresql"  # kept over a hard kill: who starts it, stops it
        if server is not None and not server.answers():
            ours.touch()
        try:
            deployment = deploy(tell=tell)
            deployment.prepare()
            with _sockets(home, modules) as sockets:
                _keep_running(deployment, server, ports, sockets, stopping)
        finally:
            if server is not None and ours.exists():
                tell("stopping PostgreSQL")
                server.stop()
                ours.unlink()


@click.command()
@click.option("--remove", is_flag=True, help="Also delete the embedded PostgreSQL with every case in it.")
@click.option("--yes", is_flag=True, help="With --remove: do not ask.")
def down(remove: bool, yes: bool) -> None:
    """End what `up` left behind when it was killed, and stop the embedded PostgreSQL."""
    home = Home.from_environment()
    if not home.root.is_dir():
        tell(f"there is nothing in {home.root}")
        return
    with _alone(home):
        for name in end_leftovers(home):
            tell(f"ended {name}")
        if home.database_url is not None:
            tell("the database is not ours to stop: ORCHESTRATION_DATABASE_URL names it")
            return
        server = EmbeddedServer(home)
        if remove:
            if server.data.exists() and not yes:
                click.confirm(f"Delete {home.root} with every case and its record?", abort=True, err=True)
            server.remove()
            shutil.rmtree(home.root)
            tell(f"removed the embedded PostgreSQL and {home.root}")
        else:
            server.stop()
            tell("PostgreSQL is stopped; its data is kept")


def location_of(module: str) -> str:
    """The name of a module's code location. Dagster keeps its sensors' state under it: see workspace.yaml."""
    return "orchestration_pipelines" if module == SHIPPED else module


def _until_told_to_stop() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One ``up`` for a home: two daemons would launch everything twice."""
    with (home.root / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Problem(
                f"orchestrate up runs already in {home.root} (process {lock.read().strip() or 'unknown'}): "
                "end that one with Ctrl-C first, or set ORCHESTRATION_HOME to another directory"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _sockets(home: Home, modules: tuple[str, ...]) -> Iterator[dict[str, Path]]:
    """A socket for each module's code server, where only we can reach it. A socket's path may have 107 bytes."""
    paths = [marks(home) / f"{index}.sock" for index, _ in enumerate(modules)]
    if max(len(str(path)) for path in paths) <= _LONGEST_SOCKET_PATH:
        yield dict(zip(modules, paths, strict=True))
        return
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as folder:
        yield dict(zip(modules, (Path(folder) / path.name for path in paths), strict=True))


def _keep_running(
    deployment: Deployment,
    server: EmbeddedServer | None,
    ports: Ports,
    sockets: dict[str, Path],
    stopping: threading.Event,
) -> None:
    from dagster import DagsterInstance  # most of a second, which no other verb should pay

    logging.getLogger().setLevel(logging.ERROR)  # Dagster's own complaints about a lost database: the screen tells it
    env = {**os.environ, **enter_dagster_home(deployment)}
    if ports.console is not None:  # a run leads to the pages of its cases; behind a proxy their address is another
        env.setdefault(CONSOLE_URL, f"http://127.0.0.1:{ports.console}")
    workspace = write_workspace(deployment, {location_of(module): path for module, path in sockets.items()})
    screen = Screen(deployment, ports, embedded=server is not None)
    database = _Database(deployment, server)
    with DagsterInstance.get() as instance:  # makes Dagster's tables before three processes want to
        parts = _parts(deployment.home, env, ports, sockets, workspace, instance)
        try:
            for part in parts:
                part.start()
            database.look()
            screen.show(database.state, parts, _differing(deployment, list(sockets)), database.has_account)
            while not stopping.wait(0.5):
                told = [database.look(), *(part.look() for part in parts)]
                screen.show(database.state, parts, [message for message in told if message], database.has_account)
        finally:
            screen.close()
            tell("stopping Dagster and the console" if ports.console else "stopping Dagster")
            for name in stop_all(parts, _PATIENCE_S):
                tell(f"{name} did not end by itself in {_PATIENCE_S:.0f} s and was ended")


def _differing(deployment: Deployment, modules: list[str]) -> list[str]:
    """Files of the workflows that are not in force. A module that does not load is told by its code server."""
    told: list[str] = []
    for module in modules:
        try:
            with definitions_of(module) as defs, connect(deployment.url) as connection:
                told += not_in_force(connection, defs)
        except Exception:
            logging.getLogger(__name__).info("%s does not load", module, exc_info=True)
    return told


class _Database:
    """PostgreSQL as the other parts see it; the embedded one is started again if it dies."""

    def __init__(self, deployment: Deployment, server: EmbeddedServer | None) -> None:
        self._url, self._server = deployment.url, server
        self.state = "up"
        self.has_account = True  #: whether anybody can sign in to the console
        self._looked = -_DATABASE_EVERY_S

    def look(self) -> str | None:
        """See whether it answers; what a person should be told, if anything."""
        if time.monotonic() - self._looked < _DATABASE_EVERY_S:
            return None
        self._looked, before = time.monotonic(), self.state
        try:
            with psycopg.connect(self._url, connect_timeout=5) as connection:
                self.has_account = has_account(connection)
                self.state = "up"
        except psycopg.OperationalError as error:
            self.state = "does not answer"
            if self._server is not None:
                self._server.start(tell)
                self.state = "up"
                return "PostgreSQL had died and was started again"
            return f"PostgreSQL does not answer: {urls.said(error)}" if before == "up" else None
        return "PostgreSQL answers again" if before != "up" else None


def _parts(
    home: Home,
    env: dict[str, str],
    ports: Ports,
    sockets: dict[str, Path],
    workspace: Path,
    instance: DagsterInstance,
) -> list[Part]:
    """A code server for each module, shared by the webserver and the daemon; and the console."""
    programs = Path(sysconfig.get_path("scripts"))

    def part(name: str, command: list[str], answers: Callable[[float], bool]) -> Part:
        return Part(name, command, home, env, answers)

    parts = []
    for module, path in sockets.items():
        path.unlink(missing_ok=True)
        name = "code" if len(sockets) == 1 else f"code {location_of(module)}"
        command = [str(programs / "dagster"), "api", "grpc", "--socket", str(path), "--module-name", module]
        command += ["--location-name", location_of(module), "--log-level", "warning"]
        command += ["--lazy-load-user-code", "--use-python-environment-entry-point"]
        parts.append(part(name, command, partial(_accepts, socket.AF_UNIX, str(path))))
    shared = ["--workspace", str(workspace)]
    webserver = [str(programs / "dagster-webserver"), "--host", "127.0.0.1", "--port", str(ports.dagster), *shared]
    parts.append(part("webserver", webserver, partial(_accepts, socket.AF_INET, ("127.0.0.1", ports.dagster))))
    daemon = [str(programs / "dagster-daemon"), "run", *shared]
    parts.append(part("daemon", daemon, partial(_beats, instance)))
    if ports.console is not None:
        console = [str(programs / "orchestrate"), "console", "--port", str(ports.console)]
        console += ["--dagster", f"http://127.0.0.1:{ports.dagster}"]
        parts.append(part("console", console, partial(_accepts, socket.AF_INET, ("127.0.0.1", ports.console))))
    return parts


def _accepts(family: socket.AddressFamily, address: str | tuple[str, int], _started: float) -> bool:
    with socket.socket(family) as probe:
        probe.settimeout(2)
        return probe.connect_ex(address) == 0


def _beats(instance: DagsterInstance, started: float) -> bool:
    """Whether each of the daemons has said that it lives, since it was started and not long ago."""
    from dagster_postgres.utils import DagsterPostgresException
    from sqlalchemy.exc import SQLAlchemyError

    since = max(started, time.time() - HEARTBEAT_S)
    try:
        heartbeats = instance.get_daemon_heartbeats()
    except (SQLAlchemyError, DagsterPostgresException):
        return False  # the database is away, and its own line says so
    return all(
        kind in heartbeats and heartbeats[kind].timestamp >= since for kind in instance.get_required_daemon_types()
    )
