"""A PostgreSQL of one's own: the oldest supported version, a password, and an owner that is no superuser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from psycopg.conninfo import make_conninfo

from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import account, binaries, schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.cli.command import Command
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow

pytestmark = pytest.mark.slow

OLDEST = Path("/usr/lib/postgresql/15/bin")
#: what a URL has to escape, and what a connection string has to quote
PASSWORD = "p@ss:/%w'\\ ü"  # noqa: S105 - of a server that lives for one test


class Own(NamedTuple):
    """A running server: how its administrator and an ordinary owner reach it."""

    admin: str
    owner: str


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """PostgreSQL 15 on the loopback, with scram passwords."""
    if not (OLDEST / "postgres").exists():
        pytest.skip(f"SKIPPED: there is no PostgreSQL 15 in {OLDEST}")
    account.ensure_account(lambda _: None)
    folder = (account.SERVICE_ROOT if account.is_root() else tmp_path_factory.mktemp("own")) / f"own-{os.getpid()}"
    account.give(folder)
    password_file = folder / "password"
    password_file.write_text("admin's own")
    password_file.chmod(0o644)
    command = [str(OLDEST / "initdb"), f"--pgdata={folder / 'data'}", "--username=admin", "--auth=scram-sha-256"]
    command += [f"--pwfile={password_file}", "--encoding=UTF8", "--no-locale", "--no-sync"]
    subprocess.run(command, check=True, capture_output=True, cwd="/", **account.run_as())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(OLDEST / "postgres"),
        "-D",
        str(folder / "data"),
        "-k",
        "",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-c",
        "fsync=off",
    ]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **account.run_as())
    admin = make_conninfo(host="127.0.0.1", port=port, user="admin", password="admin's own", dbname="postgres")  # noqa: S106
    try:
        _wait(admin, running)
        with psycopg.connect(admin, autocommit=True) as connection:
            role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
            connection.execute(role.format(sql.Identifier("the owner"), PASSWORD))
            connection.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
        yield Own(admin, f"postgresql://the%20owner:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/work")
    finally:
        running.terminate()  # no new connections; those of the tests are closed
        running.wait(timeout=60)
        shutil.rmtree(folder)


def _wait(url: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while running.poll() is None:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
    raise AssertionError("PostgreSQL 15 did not start")


def walk(url: str, place: Path) -> None:
    """A case from submission through a decision to its end, as the application."""
    folder = workflow_folder(place / "flow", drawing(*REVIEWED), WORKERS)
    clock = SetClock()
    flow = Flow(Engine(url, load_workflow(folder), clock=clock), clock)
    flow.submit("A")
    flow.sweep()
    flow.decide("A")
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.broken_records() == {}
    assert flow.one("SELECT current_user") == "orchestration_app"


def test_an_owner_that_is_no_superuser_runs_everything_on_15(oldest: Own, tmp_path: Path) -> None:
    """CREATEDB and CREATEROLE are enough: databases, roles, migration, a case with a decision; and again."""
    deployment = deploy({"ORCHESTRATION_HOME": str(tmp_path / "home"), "ORCHESTRATION_DATABASE_URL": oldest.owner})
    deployment.prepare()
    deployment.prepare()
    assert not (tmp_path / "home" / "postgres").exists()
    walk(deployment.url, tmp_path)
    with connect(deployment.url, role="orchestration_app") as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM withheld_outcome")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM audit_entry")


def test_a_password_of_any_characters_reaches_every_driver(oldest: Own, tmp_path: Path) -> None:
    """psycopg, SQLAlchemy with psycopg2, and Dagster's form, each as `orchestrate db url` prints it."""
    command = Command(tmp_path / "home", ORCHESTRATION_DATABASE_URL=oldest.owner)
    assert command("db", "migrate").code == 0
    with psycopg.connect(command("db", "url", "--show-password").out.strip()) as connection:
        assert connection.info.dbname == "work"
    for driver, database in (("psycopg2", "work"), ("dagster", "work_dagster")):
        engine = sqlalchemy.create_engine(command("db", "url", "--driver", driver, "--show-password").out.strip())
        with engine.connect() as opened:
            assert opened.execute(sqlalchemy.text("SELECT current_database()")).scalar() == database
        engine.dispose()


def test_backup_and_restore_on_a_server_of_ones_own(oldest: Own, tmp_path: Path) -> None:
    """pg_dump and pg_restore of the server's own version, the password out of everybody's sight."""
    saved = Command(tmp_path / "home", ORCHESTRATION_DATABASE_URL=urls.libpq_url(urls.sibling(oldest.owner, "saved")))
    assert saved("db", "migrate").code == 0
    made = saved("backup", tmp_path, "--json").json
    assert made["databases"] == ["work_saved", "work_saved_dagster"]
    back = Command(tmp_path / "other", ORCHESTRATION_DATABASE_URL=urls.libpq_url(urls.sibling(oldest.owner, "back")))
    said = back("restore", made["file"])
    assert said.code == 0, said.err
    assert back("db", "migrate").code == 0
    version = subprocess.run([binaries.client("pg_dump", 15), "--version"], capture_output=True, text=True, check=True)
    assert "(PostgreSQL) 15." in version.stdout
    with pytest.raises(account.ServerFailed, match="postgresql-client-99"):
        binaries.client("pg_dump", 99)


def test_who_may_not_make_databases_or_roles_is_told_what_is_needed(oldest: Own) -> None:
    """The message is the statement for an administrator, not a traceback."""
    poor = make_conninfo(oldest.admin, user="poor", password="poor", dbname="poors")  # noqa: S106
    with pytest.raises(urls.DatabaseUnreachable, match='CREATE DATABASE "poors" OWNER "poor"'):
        urls.ensure_database(poor)
    with psycopg.connect(oldest.admin, autocommit=True) as admin:
        admin.execute("CREATE DATABASE poors OWNER admin")
    urls.ensure_database(poor)
    with pytest.raises(urls.DatabaseUnreachable, match="must own the database and have CREATEROLE"):
        schema.migrate(poor)


def test_an_unreachable_or_old_server_is_told_apart() -> None:
    """What to do is in both messages, the password in neither."""
    with pytest.raises(urls.DatabaseUnreachable, match="cannot be reached") as unreachable:
        urls.check_server("postgresql://ops:secret@127.0.0.1:1/work")
    assert "secret" not in str(unreachable.value)
    for version, name in ((140_011, "14"), (90_624, r"9\.6")):
        with pytest.raises(urls.DatabaseUnreachable, match=f"PostgreSQL {name} is too old: 15 or newer"):
            urls.refuse_old(version)
    urls.refuse_old(150_000)


def test_an_owner_that_is_no_superuser_runs_everything_on_18(server: EmbeddedServer, tmp_path: Path) -> None:
    """From 16 on working as a role needs a grant with SET, which making or owning the role does not bring."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE ROLE lesser LOGIN CREATEDB CREATEROLE")
        for role in ("app", "reviewer", "auditor", "worker", "evaluation"):
            made = admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (f"orchestration_{role}",)).fetchone()
            if made is None:
                admin.execute(f"CREATE ROLE orchestration_{role}")
            admin.execute(f"GRANT orchestration_{role} TO lesser WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        url = make_conninfo(server.url("lessers"), user="lesser")
        try:
            urls.ensure_database(url)
            schema.migrate(url)
            with connect(url, role=None) as connection:
                schema.refuse_unprotected(connection)
            walk(url, tmp_path)
        finally:
            admin.execute("DROP DATABASE IF EXISTS lessers WITH (FORCE)")
            admin.execute("DROP OWNED BY lesser CASCADE")
            admin.execute("DROP ROLE lesser")


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("postgresql://u:p@h:5/d", "postgresql+psycopg2://u:p@h:5/d"),
        ("host=::1 dbname=d user=u", "postgresql+psycopg2://u@[::1]/d"),
        ("host=a,b port=1,2 dbname=d", "postgresql+psycopg2:///d?host=a%2Cb&port=1%2C2"),
        ("host='/a b' dbname='d/e' user='x y'", "postgresql+psycopg2://x%20y@/d%2Fe?host=%2Fa%20b"),
        ("host=h dbname=d options='-c a=b'", "postgresql+psycopg2://h/d?options=-c%20a%3Db"),
    ],
)
def test_each_form_of_address_is_written_for_sqlalchemy(url: str, form: str) -> None:
    """Sockets, several hosts, IPv6, escapes; psycopg reads the same URL back to the same parts."""
    written = urls.sqlalchemy_url(url, "psycopg2")
    assert written == form
    assert urls.libpq_url(urls.libpq_url(url)) == urls.libpq_url(url)
    assert sqlalchemy.make_url(written).database == urls.database_of(url)
