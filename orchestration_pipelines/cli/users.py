"""``orchestrate users``: who can sign in to the console. What people may do there, their roles say."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows, tell
from orchestration_pipelines.cli.session import acting, as_person, connected, engine_of
from orchestration_pipelines.domain.standing import Standing, standing_of
from orchestration_pipelines.engine import people
from orchestration_pipelines.store import account

if TYPE_CHECKING:
    from orchestration_pipelines.engine.accounts import Account

_PILOT = "mortgage_underwriting"
#: beside the pilot's own people, so that there is one of every standing
_BESIDE = {"ada": Standing.ADMIN, "abel": Standing.AUDITOR}


@click.group()
def users() -> None:
    """Accounts for the console: who can sign in."""


@users.command()
@click.argument("person")
@click.option("--admin", "role", flag_value="admin", help="Somebody new who manages people and accounts.")
@click.option("--auditor", "role", flag_value="auditor", help="Somebody new who reads everything and changes nothing.")
@click.option("--title", default="", help="With these: what people call them.")
@as_person
def create(person: str, role: str | None, title: str, as_person: str | None) -> None:
    """Open an account of PERSON, somebody known (orchestrate people) or a new admin or auditor.

    The first admin's password is asked for, or read from standard input. Any other is made here and printed once: who
    gets it chooses one of their own when they come in.
    """
    from orchestration_pipelines.engine import accounts

    by, _ = acting(as_person)
    with connected() as connection:
        first = role == "admin" and not accounts.admins(connection)
        password = _asked(person) if first else None
        made = accounts.open_account(
            connection,
            accounts.Passwords(),
            person,
            by=by,
            address=_terminal(),
            at=_now(),
            password=password,
            role=role,
            title=title,
            temporary=not first,
        )
    if first:
        click.echo(f"{person} can sign in, and manages people and accounts.")
    else:
        _hand_over(person, made)


@users.command()
def pilot() -> None:
    """Open accounts of the pilot's test people, an admin and an auditor, and print their passwords once."""
    from orchestration_pipelines.engine import accounts

    engine = engine_of(_PILOT)
    known = [*engine.workflow.reviewers, *_BESIDE]
    engine.version  # noqa: B018 - released on first use, and its people are known from then on
    passwords, rows = accounts.Passwords(), []
    with engine.connect() as connection:
        new = [person for person in known if not accounts.has_account(connection, person)]
        for person in new:
            role = None if people.listed(connection, _now(), person) else _BESIDE[person].value
            admins = accounts.admins(connection)  # while there is none, whoever holds the machine may
            made = accounts.open_account(
                connection,
                passwords,
                person,
                by=admins[0] if admins else account.user(),
                address=_terminal(),
                at=_now(),
                role=role,
                temporary=False,
            )
            rows.append([person, made])
        standings = {each.person: standing_of(each.roles).value for each in accounts.listed(connection, _now())}
    shown = [[person, made, standings[person]] for person, made in rows]
    print_rows("sign in as", ["person", "password", "is a"], shown, False)
    if had := [person for person in known if person not in new]:
        tell(f"{', '.join(had)} had accounts already: orchestrate users password NAME --as ada makes a new password")


@users.command("list")
@as_json
def list_(wants_json: bool) -> None:
    """Everybody who has an account."""
    from orchestration_pipelines.engine import accounts

    with connected() as connection:
        found = accounts.listed(connection, _now())
    if wants_json:
        print_json([each._asdict() for each in found])
        return
    rows = [
        [each.person, each.title, standing_of(each.roles).value, _state(each), each.sessions, each.last_in]
        for each in found
    ]
    print_rows("accounts", ["person", "title", "is a", "state", "sessions", "last signed in"], rows, False)


@users.command()
@click.argument("person")
@as_person
def password(person: str, as_person: str | None) -> None:
    """Make a new password for PERSON, print it once, and end their sessions."""
    from orchestration_pipelines.engine import accounts

    by, _ = acting(as_person)
    with connected() as connection:
        made = accounts.set_password(connection, accounts.Passwords(), person, by=by, address=_terminal(), at=_now())
    _hand_over(person, made)


@users.command()
@click.argument("person")
@as_person
def revoke(person: str, as_person: str | None) -> None:
    """End every session of PERSON: wherever they are signed in, they are out."""
    from orchestration_pipelines.engine import access

    by, _ = acting(as_person)
    with connected() as connection:
        ended = access.end_sessions(connection, person, by=by, address=_terminal(), at=_now())
    click.echo(f"{ended} session{'' if ended == 1 else 's'} of {person} ended.")


@users.command()
@click.argument("person")
@as_person
def disable(person: str, as_person: str | None) -> None:
    """PERSON cannot sign in any more, and is out at once."""
    from orchestration_pipelines.engine import accounts

    by, _ = acting(as_person)
    with connected() as connection:
        accounts.disable(connection, person, by=by, address=_terminal(), at=_now())
    click.echo(f"{person} cannot sign in any more. What they have in hand stays theirs: see orchestrate people.")


@users.command()
@click.argument("person")
@as_person
def enable(person: str, as_person: str | None) -> None:
    """PERSON can sign in again."""
    from orchestration_pipelines.engine import accounts

    by, _ = acting(as_person)
    with connected() as connection:
        accounts.enable(connection, person, by=by, address=_terminal(), at=_now())
    click.echo(f"{person} can sign in again.")


def _asked(person: str) -> str:
    """A password that is typed twice and not shown, or the first line of what is piped in; never an argument."""
    if sys.stdin.isatty():
        return str(click.prompt(f"A password for {person} (12 characters at least)", hide_input=True,
                                confirmation_prompt="The same again", err=True))  # fmt: skip
    written = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not written:
        raise Problem("the first admin's password is asked for: run this in a terminal, or pipe it in")
    return written


def _hand_over(person: str, made: str) -> None:
    click.echo(made)
    tell(f"That is the password of {person}, shown this once. They choose one of their own when they sign in.")


def _state(each: Account) -> str:
    if each.disabled_at is not None or not each.active:
        return "cannot sign in"
    return "must choose a password" if each.temporary else "can sign in"


def _terminal() -> str:
    """Where it came from, for the record: whoever is at this machine."""
    return f"terminal of {account.user()}"


def _now() -> datetime:
    return datetime.now(UTC)
