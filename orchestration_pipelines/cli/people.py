"""``orchestrate people``: who may do what, who is there, who stands in for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows
from orchestration_pipelines.cli.session import acting, as_person, connected, reason_option
from orchestration_pipelines.engine import people as table
from orchestration_pipelines.engine.people_reading import read_staff

_release = click.option("--release", is_flag=True, help="What they have in hand goes back to its queue.")


class _Instant(click.ParamType[datetime]):
    """A date and time with its zone, or a day: its first moment in UTC."""

    name = "INSTANT"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date or time: write 2026-12-24, or 2026-12-24T09:00+01:00", param, ctx)
        if instant.tzinfo is None and "T" in value:
            self.fail(f"{value!r} has no zone: write {value}+01:00", param, ctx)
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


@click.group()
def people() -> None:
    """Reviewers: roles, skills, shifts, absences."""


@people.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_release
@as_person
def import_(file: Path, release: bool, as_person: str | None) -> None:
    """Bring in the people of FILE (YAML or CSV), as a manager; all of them or none."""
    staff = read_staff(file)
    person, asserted_by = acting(as_person)
    with connected() as connection:
        given_back = table.bring_in(
            connection,
            staff,
            by=person,
            at=datetime.now(UTC),
            name=file.name,
            release=release,
            asserted_by=asserted_by,
        )
    click.echo(f"{len(staff.people)} people are as {file.name} says.{_told(given_back)}")


@people.command("list")
@as_json
def list_(wants_json: bool) -> None:
    """Everybody, with what they have in hand and whether they are there now."""
    with connected() as connection:
        seen = table.listed(connection, datetime.now(UTC))
    if wants_json:
        print_json([each._asdict() for each in seen])
        return
    rows = [
        [
            each.person,
            each.title,
            ", ".join(each.roles),
            ", ".join(f"{skill} {level}" for skill, level in each.skills.items()),
            ", ".join(each.regions),
            f"{each.in_hand} of {each.capacity}" if each.capacity is not None else str(each.in_hand),
            "no longer a reviewer" if not each.active else _AWAY.get(each.away or "", "yes"),
        ]
        for each in seen
    ]
    print_rows("people", ["person", "title", "roles", "skills", "regions", "in hand", "there now"], rows, False)


_AWAY = {"absent": "absent", "off_shift": "off shift"}


@people.command()
@click.argument("person")
@as_json
def show(person: str, wants_json: bool) -> None:
    """One person: everything that is known, shifts and absences to come included."""
    now = datetime.now(UTC)
    with connected() as connection:
        found = table.listed(connection, now, person)
        shifts = [str(shift) for shift in table.shifts_of(connection, person)]
        away = table.absences(connection, now, None, person)
    if not found:
        raise Problem(f"there is nobody {person!r}: see orchestrate people list")
    absent = [
        f"{each.starts.isoformat()} to {each.ends.isoformat() if each.ends else 'they are back'}" for each in away
    ]
    told = {
        **found[0]._asdict(),
        "shifts": shifts,
        "absences": [
            {"when": when, "delegate": each.delegate, "reason": each.reason}
            for when, each in zip(absent, away, strict=True)
        ],
    }
    if wants_json:
        print_json(told)
        return
    print_rows(person, ["", "is"], [[name, _plain(value)] for name, value in told.items()], False)


@people.command("set-absent")
@click.argument("person")
@click.option("--from", "starts", type=_Instant(), help="From when; now, if nothing is said.")
@click.option("--until", "ends", type=_Instant(), help="Until when; else until they are set back.")
@click.option("--delegate", metavar="PERSON", help="Who stands in: what they have in hand goes there, if that may be.")
@reason_option
@as_person
def set_absent(
    person: str,
    starts: datetime | None,
    ends: datetime | None,
    delegate: str | None,
    reason: str,
    as_person: str | None,
) -> None:
    """PERSON is away, and is given nothing. People say so of themselves, a manager of others."""
    by, asserted_by = acting(as_person)
    now = datetime.now(UTC)
    with connected() as connection:
        table.set_absent(
            connection,
            person,
            starts=starts or now,
            ends=ends,
            delegate=delegate,
            reason=reason,
            by=by,
            at=now,
            asserted_by=asserted_by,
        )
    click.echo(f"{person} is absent then. The next sweep gives on what they have in hand.")


@people.command("set-back")
@click.argument("person")
@as_person
def set_back(person: str, as_person: str | None) -> None:
    """PERSON is there again; absences to come are taken away."""
    by, asserted_by = acting(as_person)
    with connected() as connection:
        table.set_back(connection, person, by=by, at=datetime.now(UTC), asserted_by=asserted_by)
    click.echo(f"{person} is back.")


@people.command()
@click.argument("person")
@_release
@reason_option
@as_person
def deactivate(person: str, release: bool, reason: str, as_person: str | None) -> None:
    """PERSON is no reviewer any more. What they decided stays."""
    by, asserted_by = acting(as_person)
    with connected() as connection:
        given_back = table.deactivate(
            connection, person, by=by, at=datetime.now(UTC), reason=reason, release=release, asserted_by=asserted_by
        )
    click.echo(f"{person} is no reviewer any more.{_told(given_back)}")


@people.command()
@click.argument("person")
@click.argument("title")
@as_person
def rename(person: str, title: str, as_person: str | None) -> None:
    """Call PERSON by another TITLE. The id stays, and with it all their work."""
    by, asserted_by = acting(as_person)
    with connected() as connection:
        table.rename(connection, person, title, by=by, at=datetime.now(UTC), asserted_by=asserted_by)
    click.echo(f"{person} is called {title} now.")


def _told(given_back: list[int]) -> str:
    return f" Back in their queues: tasks {', '.join(map(str, given_back))}." if given_back else ""


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list):
        return "\n".join(_plain(item) for item in value)
    return "" if value is None else str(value)
