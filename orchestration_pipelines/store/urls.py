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
    return _as_url(url, f"postgresql+{driver}")


def libpq_url(url: str) -> str:
    """As psql and psycopg read it."""
    return _as_url(url, "postgresql")


def _as_url(url: str, scheme: str) -> str:
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    user, password = parts.pop("user", ""), parts.pop("password", "")
    database = parts.pop("dbname", DATABASE)
    login = quote(user, safe="") + (f":{quote(password, safe='*')}" if password else "")
    host, port = parts.pop("host", ""), parts.pop("port", "")
    if not host or host.startswith("/") or "," in host:  # a socket's folder, or several servers
        options = {"host": host, "port": port, **parts}
        place = ""
    else:
        options = parts
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = urlencode({name: value for name, value in options.items() if value}, quote_via=quote)
    at = f"{login}@" if login else ""
    return f"{scheme}://{at}{place}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def without_password(url: str) -> str:
    """The same URL with its password unreadable."""
    return make_conninfo(url, password="***") if conninfo_to_dict(url).get("password") else url  # noqa: S106


def masked(url: str) -> str:
    """For a log or a message: without the password."""
    parts = conninfo_to_dict(url)
    where = parts.get("host") or "localhost"
    return f"database {database_of(url)} at {where}" + (f":{parts['port']}" if parts.get("port") else "")


def check_server(url: str) -> None:
    """Raise :class:`DatabaseUnreachable` unless a PostgreSQL that is new enough answers at ``url``."""
    try:
        with connect_somewhere(url) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise DatabaseUnreachable(
            f"the {masked(url)} cannot be reached ({said(error)}). Is the server up, and does "
            "ORCHESTRATION_DATABASE_URL name it? Unset it to use the embedded server."
        ) from error
    refuse_old(version)


def refuse_old(version: int) -> None:
    """Raise :class:`DatabaseUnreachable` for a server (``server_version_num``) that is too old."""
    if version < OLDEST_SERVER:
        number = f"{version // 10000}" if version >= 100_000 else f"{version // 10000}.{version // 100 % 100}"
        raise DatabaseUnreachable(
            f"PostgreSQL {number} is too old: 15 or newer is needed. Set ORCHESTRATION_DATABASE_URL to another server, "
            "or unset it to use the embedded one."
        )


def connect_somewhere(url: str) -> psycopg.Connection:
    """The product's database; while there is none, the one that is there on every server."""
    try:
        return psycopg.connect(url, dbname=database_of(url), connect_timeout=10)
    except psycopg.OperationalError:
        return psycopg.connect(on_database(url, "postgres"), connect_timeout=10)


def said(error: Exception) -> str:
    """What the server or the driver said, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def check_readable(url: str) -> None:
    """Raise :class:`DatabaseUnreachable` for a URL that cannot be read; it is not quoted, it may hold a password."""
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise DatabaseUnreachable(
            "ORCHESTRATION_DATABASE_URL is not the address of a PostgreSQL: write "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE (and %40 for an @ in the password), or unset it to use the "
            "embedded server"
        ) from None


def ensure_database(url: str) -> None:
    """Create the database that ``url`` names, if it is not there."""
    name = database_of(url)
    with connect_somewhere(url) as connection:
        connection.autocommit = True
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None:
            return
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process made it meanwhile
        except psycopg.errors.InsufficientPrivilege as error:
            user = connection.info.user
            raise DatabaseUnreachable(
                f"there is no database {name}, and the role {user} may not make it. As an administrator: "
                f'CREATE DATABASE "{name}" OWNER "{user}"; or ALTER ROLE "{user}" CREATEDB'
            ) from error
