"""One user's URL, in the form that each driver wants; and the databases on that server."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

OLDEST_SERVER = 150_000

#: the product's database on the embedded server; Dagster's and the lender's are named after it
DATABASE = "orchestration"


class DatabaseUnreachable(RuntimeError):
    """The database cannot be used; the message says what to do."""


def on_database(url: str, database: str) -> str:
    """The same server and user, another database."""
    return make_conninfo(url, dbname=database)


def database_of(url: str) -> str:
    """The database that a URL names."""
    return str(conninfo_to_dict(url).get("dbname") or DATABASE)


def sibling(url: str, suffix: str) -> str:
    """The database beside the product's: ``orchestration`` and ``dagster`` give ``orchestration_dagster``."""
    return on_database(url, f"{database_of(url)}_{suffix}")


def sqlalchemy_url(url: str, driver: str) -> str:
    """As SQLAlchemy reads it, with the driver named: ``psycopg2`` for dagster-postgres."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    user, password = parts.pop("user", ""), parts.pop("password", "")
    database = parts.pop("dbname", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host, port = parts.pop("host", ""), parts.pop("port", "")
    if host.startswith("/") or not host:
        options = {"host": host, "port": port, **parts}
        place = ""
    else:
        options = parts
        place = host + (f":{port}" if port else "")
    query = urlencode({name: value for name, value in options.items() if value})
    return f"postgresql+{driver}://{login}@{place}/{quote(database)}" + (f"?{query}" if query else "")


def masked(url: str) -> str:
    """For a log or a message: without the password."""
    parts = conninfo_to_dict(url)
    where = parts.get("host") or "localhost"
    return f"database {parts.get('dbname')} at {where}" + (f":{parts['port']}" if parts.get("port") else "")


def check_server(url: str) -> None:
    """Raise :class:`DatabaseUnreachable` unless a PostgreSQL that is new enough answers at ``url``."""
    try:
        with psycopg.connect(on_database(url, "postgres"), connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"the {masked(url)} cannot be reached ({str(error).strip().splitlines()[-1]}). Is the server up, and does "
            "ORCHESTRATION_DATABASE_URL name it? Unset it to use the embedded server."
        ) from error
    if version < OLDEST_SERVER:
        raise DatabaseUnreachable(f"PostgreSQL {version // 10000} is too old: 15 or newer is needed")


def ensure_database(url: str) -> None:
    """Create the database that ``url`` names, if it is not there."""
    name = database_of(url)
    with psycopg.connect(on_database(url, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another process made it meanwhile
