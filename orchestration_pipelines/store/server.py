"""The embedded PostgreSQL: the wheel's binaries, our own start (docs/adr/0002-embedded-postgresql.md)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from orchestration_pipelines.store import account, binaries
from orchestration_pipelines.store.account import ServerFailed
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.sizing import settings_for
from orchestration_pipelines.store.urls import DATABASE

#: crash recovery of a large log takes minutes; a start, or a stop, is given up only after this
PATIENCE_S = 600.0
#: how long the last processes of a dead server may need to notice
AFTERLIFE_S = 60.0
#: a log that has grown beyond this is put aside at the next start
_LOG_BYTES = 20_000_000
_PORT = 5432


class EmbeddedServer:
    """The PostgreSQL of one home. Any number of processes may start it; it is one server."""

    def __init__(self, home: Home, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._settings = dict(settings or {})
        self._name = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where its files lie: in the home; as root elsewhere, and the home has a link to it that moves with it."""
        place = self.home.root / "postgres"
        if not account.is_root():
            return place
        return place.readlink() if place.is_symlink() else account.SERVICE_ROOT / self._name

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, of mode 0700. A socket's path may have 107 bytes, and no comma."""
        beside = self.folder / "socket"
        if len(os.fsencode(beside)) <= 80 and "," not in str(beside):
            return beside
        return Path(f"/tmp/orchestration-{os.getuid()}") / self._name  # noqa: S108 - both made 0700 and checked to be ours

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.home.logs / "postgresql.log"

    def url(self, database: str = DATABASE) -> str:
        """How to connect as the owner."""
        place = f"host={quote(os.fsencode(self.socket))}&port={_PORT}"
        return f"postgresql://{quote(account.owner(), safe='')}@/{quote(database, safe='')}?{place}"

    # -- starting

    def start(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Start the server unless it runs; wait until it answers, through a crash recovery too."""
        if self.answers():
            return
        self.home.ensure()
        with self._alone():
            if self.answers():
                return
            try:
                self._prepare(tell)
                process = self._launched(tell)
            except OSError as error:
                raise ServerFailed(
                    f"the embedded PostgreSQL could not be started: {error}. Free that place, set ORCHESTRATION_HOME "
                    "to another, or set ORCHESTRATION_DATABASE_URL."
                ) from error
            self._wait(process, tell)

    def answers(self) -> bool:
        """Believed only after a query was answered."""
        if not (self.socket / f".s.PGSQL.{_PORT}").exists():
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
        """The folders and, the first time, the data folder."""
        binaries.wheel_package()
        account.ensure_account(tell)
        link = self.home.root / "postgres"
        if account.is_root() and link.is_symlink() and not (self.data / "PG_VERSION").exists():
            raise ServerFailed(
                f"this home's database lay in {self.folder} and is gone (a new container?). Keep that folder, "
                f"as a volume for example; to begin anew, remove {link} and `orchestrate restore` a backup."
            )
        account.give(self.folder)
        if self.socket.parent != self.folder:
            account.give(self.socket.parent)
        account.give(self.socket)
        if not (self.data / "PG_VERSION").exists():
            tell(f"making the embedded PostgreSQL's data folder, {self.data}")
            self._initialise()
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.MAJOR):
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {made_by}, and this version of the product brings "
                f"{binaries.MAJOR}. Install the version of the product that made it, `orchestrate backup`, then this "
                "one again with a new ORCHESTRATION_HOME, and `orchestrate restore`."
            )
        if account.is_root() and not link.is_symlink():
            link.symlink_to(self.folder)

    def _initialise(self) -> None:
        # Elsewhere first: a data folder is there whole or not at all, though this process be killed.
        fresh = Path(tempfile.mkdtemp(prefix="making-", dir=self.folder))
        try:
            account.give(fresh)
            command = [
                str(binaries.embedded() / "initdb"),
                f"--pgdata={fresh}",
                f"--username={account.owner()}",
                "--auth-local=trust",  # the socket's folder is the guard: mode 0700
                "--auth-host=reject",
                "--encoding=UTF8",
                "--no-locale",
                "--data-checksums",
            ]
            made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **account.run_as())
            if made.returncode != 0:
                raise ServerFailed(
                    f"the embedded PostgreSQL could not make its data folder: {made.stderr.strip()[-800:]}"
                )
            fresh.rename(self.data)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _launched(self, tell: Callable[[str], None]) -> subprocess.Popen[bytes] | None:
        """The process that was started, or None if a server of this home runs already."""
        if self._lost_its_socket():
            tell("the server's socket was deleted: starting PostgreSQL anew")
            self.stop()
        begun = time.monotonic()
        while self._postmaster() is None:
            lock = self._claim_data()
            if lock is not None:
                try:
                    return self._launch(lock)
                finally:
                    os.close(lock)
            if time.monotonic() - begun > AFTERLIFE_S:
                raise ServerFailed(
                    f"processes that cannot be seen from here use {self.data}: another container with the same "
                    "folder, or what is left of a dead server. End them first."
                )
            time.sleep(0.05)
        return None

    def _claim_data(self) -> int | None:
        """A lock that every process of the server inherits: while one lives, in whatever container, it is held."""
        place = os.open(self.folder / "running.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(place)
            return None
        return place

    def _launch(self, lock: int) -> subprocess.Popen[bytes]:
        # Nothing of an earlier server lives. What it left would be believed if its pid is another's now.
        for left in (self.data / "postmaster.pid", *self.socket.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)
        command = [str(binaries.embedded() / "postgres"), "-D", str(self.data), "-k", str(self.socket)]
        for name, value in (settings_for(self.data) | {"port": str(_PORT)} | self._settings).items():
            command += ["-c", f"{name}={value}"]
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,  # a Ctrl-C in the terminal must not reach it before its clients
                pass_fds=(lock,),
                **account.run_as(),
            )

    def _wait(self, process: subprocess.Popen[bytes] | None, tell: Callable[[str], None]) -> None:
        begun = time.monotonic()
        told = begun
        while not self.answers():
            now = time.monotonic()
            if process is not None and process.poll() is not None:
                raise ServerFailed(
                    f"the embedded PostgreSQL ended at once. Its last words:\n{self._last_words()}\n"
                    f"All of them are in {self.log}. If its files are damaged, `orchestrate restore` a backup into a "
                    "new ORCHESTRATION_HOME."
                )
            if now - begun > PATIENCE_S:
                raise ServerFailed(
                    f"the embedded PostgreSQL did not answer in {PATIENCE_S:.0f} s:\n{self._last_words()}"
                )
            if now - told > 5:
                tell(f"waiting for PostgreSQL to recover ({now - begun:.0f} s)")
                told = now
            time.sleep(0.05)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:]) if self.log.exists() else "(none)"

    # -- stopping

    def _postmaster(self) -> int | None:
        """The process id of the running postmaster; a pid file left behind by a crash is not believed."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc").is_dir() else _command_of(pid)
        except (OSError, ValueError):
            return None
        return pid if b"postgres" in command and os.fsencode(self.data) in command else None

    def _lost_its_socket(self) -> bool:
        """Whether a server that is ready cannot be reached: temporary folders are tidied up by others."""
        if self._postmaster() is None or (self.socket / f".s.PGSQL.{_PORT}").exists():
            return False
        return (self.data / "postmaster.pid").read_text().splitlines()[-1].strip() == "ready"

    def stop(self, mode: str = "fast") -> None:
        """Stop the server (``fast``, or ``immediate`` as in a crash) and wait until it is gone."""
        pid = self._postmaster()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        begun = time.monotonic()
        while self._postmaster() == pid:
            if time.monotonic() - begun > PATIENCE_S:
                raise ServerFailed(f"PostgreSQL (process {pid}) did not stop in {PATIENCE_S:.0f} s; see {self.log}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL the postmaster and its children, as a power cut would."""
        pid = self._postmaster()
        if pid is None:
            return
        for process in [pid, *_children_of(pid)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it went with its parent

    def remove(self) -> None:
        """Stop the server and delete its data: everything starts over."""
        self.stop("immediate")
        for folder in (self.folder, self.socket):
            shutil.rmtree(folder, ignore_errors=True)
        link = self.home.root / "postgres"
        if link.is_symlink():
            link.unlink()


def _children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if listed.exists():
        return [int(child) for child in listed.read_text().split()]
    shown = subprocess.run(["/usr/bin/env", "pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in shown.stdout.split()]


def _command_of(pid: int) -> bytes:
    shown = subprocess.run(["/usr/bin/env", "ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return shown.stdout
