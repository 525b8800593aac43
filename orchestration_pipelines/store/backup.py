"""Backup and restore: all of the product's databases and files, as they were at one moment."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from orchestration_pipelines.store import access, account, archive, binaries, schema, urls
from orchestration_pipelines.store.archive import BackupRefused, Manifest
from orchestration_pipelines.store.chains import broken_chains
from orchestration_pipelines.store.home import Home

_FOLDERS = ("artefacts", "outbox")
#: a database on its way in; it takes its name only when all of them are whole
_COMING = "_restoring"

_GRANTED_ROLES = """
SELECT DISTINCT r.rolname FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'a' AND r.rolname !~ '^pg_' AND r.rolname <> current_user
    AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_MEMBERS = """
SELECT g.rolname, m.rolname, m.rolcanlogin FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE g.rolname = ANY(%s) AND NOT m.rolsuper AND m.rolname <> current_user ORDER BY 1, 2
"""


class Restored(NamedTuple):
    """What a restore brought back."""

    manifest: Manifest
    files: int
    logins: list[str]  #: people whose password must be set again


def product_databases(url: str) -> list[str]:
    """What follows the product's name in the names of its databases here: nothing, ``_dagster``, a tool's.

    Another installation on the same server whose name begins like ours, with what is named after it, is not ours.
    """
    base = urls.database_of(url)
    with psycopg.connect(url) as connection:
        named = connection.execute(
            "SELECT datname FROM pg_database WHERE datallowconn AND starts_with(datname, %s) ORDER BY datname",
            (f"{base}_",),
        ).fetchall()
    names = [row[0] for row in named if not row[0].endswith(_COMING)]
    others = [name for name in names if _is_installation(urls.on_database(url, name))]
    ours = [name for name in names if not any(name == other or name.startswith(f"{other}_") for other in others)]
    return ["", *(name.removeprefix(base) for name in ours)]


def _is_installation(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT to_regclass('cases') IS NOT NULL AND to_regclass('token') IS NOT NULL")
        return row.fetchone() == (True,)


def save(url: str, home: Home, target: Path) -> Manifest:
    """Write everything to ``target``.

    All databases are seen as at one moment. The product's own is looked at first: what a tool did in the instant
    between is repeated under its key after a restore, and found done; the other way round it would be lost.
    """
    if target.exists():
        raise BackupRefused(f"{target} is there already: choose another name")
    with tempfile.TemporaryDirectory(prefix="backup-", dir=home.root) as name, ExitStack() as moment:
        folder = Path(name)
        looking = {
            suffix: moment.enter_context(_looking(urls.on_database(url, urls.database_of(url) + suffix)))
            for suffix in product_databases(url)
        }
        snapshots = {suffix: _one(connection, "SELECT pg_export_snapshot()") for suffix, connection in looking.items()}
        ours = looking[""]
        manifest = Manifest(
            product=importlib.metadata.version("orchestration-pipelines"),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            revision=schema.revision(ours),
            server=ours.info.server_version // 10_000,
            databases={suffix: f"database{suffix}.dump" for suffix in looking},
        )
        manifest.roles = sorted({row[0] for each in looking.values() for row in each.execute(_GRANTED_ROLES)})
        manifest.members = [list(row) for row in ours.execute(_MEMBERS, (manifest.roles,))]
        for suffix, snapshot in snapshots.items():
            database = urls.on_database(url, urls.database_of(url) + suffix)
            options = ["--format=custom", f"--snapshot={snapshot}"]
            with (folder / manifest.databases[suffix]).open("xb") as output:
                _run("pg_dump", options, database, home, manifest.server, stdout=output)
        for kind in _FOLDERS:
            archive.copy_files(home.root / kind, folder / kind)
        archive.pack(folder, manifest, target)
    return manifest


@contextmanager
def _looking(url: str) -> Iterator[psycopg.Connection]:
    connection = psycopg.connect(url)
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection:
        yield connection


def _one(connection: psycopg.Connection, statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None  # noqa: S101 - a function's value
    return row[0]


def _run(program: str, options: Sequence[str], url: str, home: Home, major: int, **pipes: Any) -> None:
    """Run one of PostgreSQL's programs; the password goes where no list of processes shows it."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    if home.database_url is None:
        path, how = binaries.embedded() / program, account.run_as()
    else:
        path = binaries.client(program, major)
        how = {"env": {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}}
    command = [str(path), *options, f"--dbname={make_conninfo('', **parts)}"]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, cwd="/", **pipes, **how)
    if ran.returncode != 0:
        raise BackupRefused(f"{program} failed on the {urls.masked(url)}: {ran.stderr.strip()[-800:]}")


# -- restoring


def _full(url: str, targets: Sequence[str]) -> list[str]:
    """Those of these databases that hold a table."""
    with urls.connect_somewhere(url) as connection:
        there = connection.execute(
            "SELECT datname FROM pg_database WHERE datname = ANY(%s) ORDER BY 1", (list(targets),)
        ).fetchall()
    full = []
    for (name,) in there:
        with psycopg.connect(urls.on_database(url, name)) as connection:
            if _one(connection, "SELECT count(*) FROM pg_stat_user_tables"):
                full.append(name)
    return full


def restore(url: str, home: Home, source: Path, *, force: bool, tell: Callable[[str], None]) -> Restored:
    """Bring back what ``source`` holds. Each database comes in under another name and is checked before it counts."""
    base = urls.database_of(url)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=home.root) as name:
        folder = Path(name)
        manifest = archive.unpack(source, folder)
        if not schema.known(manifest.revision):
            raise BackupRefused(
                f"the backup's database is at revision {manifest.revision}, which this version of the product does "
                f"not know: install version {manifest.product} or newer"
            )
        targets = {suffix: base + suffix for suffix in manifest.databases}
        if full := _full(url, list(targets.values())):
            if not force:
                raise BackupRefused(
                    f"{', '.join(full)} would be replaced, with every case and decision in it, by the state of "
                    f"{manifest.made_at}: `orchestrate backup` it first, and then say --force"
                )
            tell(f"replacing {', '.join(full)} by the state of {manifest.made_at}, once that is in and verified")
        with urls.connect_somewhere(url) as server:
            server.autocommit = True
            logins = _make_roles(server, manifest)
            major = server.info.server_version // 10_000
            try:
                for suffix, target in targets.items():
                    coming = urls.on_database(url, target + _COMING)
                    _drop(server, target + _COMING)
                    urls.ensure_database(coming)
                    with (folder / manifest.databases[suffix]).open("rb") as dump:
                        options = ["--no-owner", "--exit-on-error", "--single-transaction"]
                        _run("pg_restore", options, coming, home, major, stdin=dump)
                _check(urls.on_database(url, base + _COMING))
            except BaseException:
                for target in targets.values():
                    _drop(server, target + _COMING)
                raise
        with psycopg.connect(urls.on_database(url, "postgres"), autocommit=True) as server:
            for target in targets.values():
                _drop(server, target)
                server.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(target + _COMING), sql.Identifier(target)
                    )
                )
        files = sum(archive.copy_files(folder / kind, home.root / kind) for kind in _FOLDERS)
    return Restored(manifest, files, logins)


def _check(url: str) -> None:
    """Newest schema, protected, and an unbroken record; else nothing is replaced.

    Nobody is signed in by it: a session that was open then may have been ended since, for a reason.
    """
    schema.migrate(url)
    with psycopg.connect(url) as connection:
        schema.refuse_unprotected(connection)
        access.end_everybodys(connection, "restore", datetime.now(UTC))
        if broken := broken_chains(connection):
            raise BackupRefused(
                f"the backup's audit record does not verify for {len(broken)} cases, the first is {broken[0]}: "
                "nothing was replaced. Use another backup, and ask who could change this one."
            )


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _make_roles(server: psycopg.Connection, manifest: Manifest) -> list[str]:
    """Make the roles that things are granted to; those who log in are returned, they need a password."""
    wanted = dict.fromkeys(manifest.roles, False) | {member: login for _, member, login in manifest.members}
    there = {row[0] for row in server.execute("SELECT rolname FROM pg_roles")}
    for role, login in wanted.items():
        if role not in there:
            kind = sql.SQL("LOGIN" if login else "NOLOGIN")
            server.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), kind))
    for role, member, _ in manifest.members:
        server.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))
    if _one(server, "SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user"):
        for role in manifest.roles:  # the owner works as them
            server.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    return sorted(role for role, login in wanted.items() if login and role not in there)
