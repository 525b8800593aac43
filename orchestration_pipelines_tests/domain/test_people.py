"""Descriptions of people: what is refused, and by which place; point 6 of the issue."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.domain.people import Known, Shift, circle, problems
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.people_reading import read_staff

KNOWN = Known(frozenset({"fraud"}), frozenset({"north"}), frozenset(), frozenset())


def told(place: Path, document: str, name: str = "people.yaml") -> str:
    """Everything that is said against a file."""
    (place / name).write_text(document)
    try:
        return "; ".join(problems(read_staff(place / name), KNOWN))
    except BadDocument as error:
        return str(error)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{roles: [r], shifts: {mon: [09:00-17:00, 16:00-20:00]}}", "mon 09:00-17:00 and mon 16:00-20:00 overlap"),
        (
            "{roles: [r], shifts: {mon: [22:00-06:00], tue: [05:00-09:00]}}",
            "mon 22:00-06:00 and tue 05:00-09:00 overlap",
        ),
        (
            "{roles: [r], shifts: {sun: [22:00-06:00], mon: [05:00-09:00]}}",
            "sun 22:00-06:00 and mon 05:00-09:00 overlap",
        ),
        ("{roles: [r], skills: [frod]}", "no policy knows the skill 'frod': there are fraud"),
        ("{roles: [r], skills: {fraud: 0}}", "people.ann.skills.fraud: levels go from 1 to 9"),
        ("{roles: [r], regions: [west]}", "no policy knows the region 'west'"),
        ("{roles: [r], zone: Mars/Olympus}", "there is no time zone 'Mars/Olympus'"),
        ("{roles: [r], team: night}", "there is no team 'night'"),
        ("{roles: [r], capacity: -1}", "people.ann.capacity is '-1'"),
        ("{roles: [r], shifts: {mon: [9-5]}}", "'9-5' is no stretch of a day"),
        ("{roles: [r], shifts: {fri-mon: [09:00-17:00]}}", "ends before it begins"),
        ("{roles: [requester]}", "requester is whoever submitted a case"),
        ("{skils: [fraud]}", "unknown setting 'people.ann.skils'"),
        ("[]", "say at least one"),
    ],
)
def test_a_slip_is_told_by_its_place(tmp_path: Path, entry: str, said: str) -> None:
    """Nothing is brought in by halves."""
    assert said in told(tmp_path, f"people: {{ann: {entry}}}")


def test_a_csv_says_the_same_as_yaml(tmp_path: Path) -> None:
    """Several values in a cell stand apart by semicolons."""
    (tmp_path / "a.yaml").write_text(
        "people: {ann: {roles: [r, s], level: 2, skills: {fraud: 3}, capacity: 4, "
        "shifts: {mon-tue: [09:00-17:00], sat: [22:00-02:00]}}, bob: [r]}"
    )
    (tmp_path / "a.csv").write_text(
        "person,roles,level,skills,capacity,shifts\nann,r;s,2,fraud=3,4,mon-tue 09:00-17:00; sat 22:00-02:00\n"
        "bob,r,,,,\n"
    )
    assert read_staff(tmp_path / "a.csv").people == read_staff(tmp_path / "a.yaml").people


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("person,roles\nann,r\nann,r\n", "line 3: 'ann' is there twice"),
        ("person,roles\nann\n", "line 2 has more or fewer cells"),
        ("name,roles\nann,r\n", "needs a column person"),
        ("person,roles,level\nann,r,high\n", "line 2.level is 'high'"),
        ("person,roles,shoes\nann,r,42\n", "unknown setting 'line 2.shoes'"),
    ],
)
def test_a_bad_row_is_told_by_its_line(tmp_path: Path, rows: str, said: str) -> None:
    """The file is looked at as a whole first."""
    assert said in told(tmp_path, rows, "people.csv")


def test_a_shift_of_a_whole_day_and_one_over_midnight_are_sound() -> None:
    """One that ends at its start lasts until the next day."""
    assert Shift(1, 0, 0).stretch == (0, 86_400)
    assert Shift(7, 79_200, 21_600).stretch == (597_600, 626_400)


def test_people_who_stand_in_for_one_another_in_a_circle_are_found() -> None:
    """A chain is none."""
    assert circle("ann", "bob", {"bob": "cleo", "cleo": "ann"}) == ["ann", "bob", "cleo", "ann"]
    assert circle("ann", "bob", {"bob": "cleo"}) is None
    assert circle("ann", "bob", {"bob": "cleo", "cleo": "bob"}) is None
