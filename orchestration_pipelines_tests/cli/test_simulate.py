"""``orchestrate simulate`` as a manager types it: the same figures twice, nothing left behind, errors in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from orchestration_pipelines.cli.main import TOLD
from orchestration_pipelines.cli.main import orchestrate as command_line
from orchestration_pipelines_tests.cli.command import Command, at_home
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.simulation.trials import ASKED, POLICY, SETTINGS

PEOPLE = "people: {ann: [reviewer], bob: [reviewer]}\n"


@pytest.fixture(scope="module")
def orchestrate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    with at_home(tmp_path_factory.mktemp("simulating") / "home") as command:
        yield command


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workflow of one's own, with files to try on it."""
    place = workflow_folder(tmp_path_factory.mktemp("tried") / "flow", drawing(*ASKED), "", SETTINGS)
    (place.parent / "people.yaml").write_text(PEOPLE)
    (place.parent / "policy.yaml").write_text(POLICY % ("pull", "null"))
    (place.parent / "cases.csv").write_text("case_key,amount\nA,10\nB,20\n")
    return place


def given(place: Path, *arguments: str) -> list[str]:
    """Two days on that workflow."""
    files = [("--people", "people.yaml"), ("--policy", "policy.yaml"), ("--from", "cases.csv")]
    named = [each for option, name in files for each in (option, str(place.parent / name))]
    return ["simulate", "--workflow", str(place), "--days", "2", "--arrivals", "8", *named, *arguments]


def here(orchestrate: Command, arguments: list[str]) -> Result:
    """The verb in this process: a start costs seconds."""
    return CliRunner().invoke(command_line, arguments, env={"ORCHESTRATION_HOME": str(orchestrate.home)})


def simulated(orchestrate: Command, place: Path, *arguments: str) -> Any:
    """The figures of two days."""
    result = here(orchestrate, given(place, "--json", *arguments))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def databases(orchestrate: Command) -> list[str]:
    """What was made for simulations and is there still."""
    with psycopg.connect(orchestrate.server.url("postgres")) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%simulation%'").fetchall()
    return [name for (name,) in rows]


def test_two_at_once_say_the_same_and_leave_nothing(orchestrate: Command, place: Path) -> None:
    """Side by side in two processes, on a busy machine; --keep leaves the database that it names, with the figures."""
    with ThreadPoolExecutor(2) as both:
        one, other = both.map(lambda _: orchestrate(*given(place, "--json")), range(2))
    assert one.json == other.json
    assert one.json["submitted"] > 8
    assert databases(orchestrate) == []
    held = here(orchestrate, given(place, "--json", "--keep"))
    assert json.loads(held.stdout) == one.json
    url = next(line for line in held.stderr.splitlines() if line.startswith("kept: ")).removeprefix("kept: ")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM cases").fetchone() == (one.json["submitted"],)


def test_changes_are_tried_and_compared(orchestrate: Command, place: Path) -> None:
    """A limit and one more person on the command line; another policy beside the one that holds."""
    limited = simulated(orchestrate, place, "--set", "queues.reviews.wip_limit=1", "--more", "reviewer=1")
    assert limited["queues"][0]["wip_max"] == 1
    assert [each["person"] for each in limited["people"]] == ["ann", "bob", "more_reviewer_1"]
    other = place.parent / "limited.yaml"
    other.write_text(POLICY % ("pull", "1"))
    both = simulated(orchestrate, place, "--compare", str(other))
    assert both["as_it_is"]["queues"][0]["wip_max"] > 1 == both["limited.yaml"]["queues"][0]["wip_max"]
    assert both["as_it_is"]["submitted"] == both["limited.yaml"]["submitted"]
    shown = here(orchestrate, given(place, "--compare", str(other)))
    assert "lead time p95, business hours" in shown.stdout
    assert "queues, limited.yaml" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--workflow", "nowhere"), "there is no workflow 'nowhere'"),
        (("--more", "king=1"), "nobody has the role 'king'"),
        (("--more", "reviewer=many"), "reviewer=many is no number above 0"),
        (("--set", "queues.reviews.wip_limit=some"), "queues.reviews.wip_limit is 'some'"),
        (("--set", "queues.elsewhere.wip_limit=1"), "there is no such queue"),
        (("--people", "{files}/managers.yaml"), "queue reviews wants the role reviewer, and nobody has it"),
    ],
)
def test_what_cannot_be_tried_is_told_in_words(
    orchestrate: Command, place: Path, arguments: tuple[str, str], told: str
) -> None:
    """And no database is left of it."""
    (place.parent / "managers.yaml").write_text("people: {max: [manager]}\n")
    before = databases(orchestrate)
    result = here(orchestrate, given(place, *(each.format(files=place.parent) for each in arguments)))
    assert isinstance(result.exception, TOLD)
    assert told in str(result.exception)
    assert databases(orchestrate) == before


def test_a_workflow_of_ones_own_needs_cases_to_draw_from(orchestrate: Command, place: Path) -> None:
    """It is not guessed what may arrive."""
    result = here(orchestrate, ["simulate", "--workflow", str(place)])
    assert isinstance(result.exception, TOLD)
    assert "--from FILE" in str(result.exception)
