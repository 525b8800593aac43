"""``orchestrate users`` and ``console``, as they are typed: who gets in, and what is refused before it listens."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from orchestration_pipelines.cli.main import TOLD, orchestrate
from orchestration_pipelines.engine import passwords
from orchestration_pipelines.engine.access import Passwords, session_of, sign_in
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock

Say = Callable[..., str]
GOOD = "quiet lamp over nine bridges"


@pytest.fixture
def say(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line on a fresh database; what it refuses comes back as what it says, after a bang."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.delenv("ORCHESTRATION_AS", raising=False)
    quick = partial(
        PasswordHasher, time_cost=1, memory_cost=8, parallelism=1
    )  # a test does not want to know how slowly
    monkeypatch.setattr(passwords, "PasswordHasher", quick)

    def run(*words: object, typed: str = "") -> str:
        ran = CliRunner().invoke(orchestrate, [str(word) for word in words], typed, standalone_mode=False)
        if isinstance(ran.exception, TOLD):
            return f"! {ran.exception}"
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    return run


def _comes_in(database: str, clock: SetClock, person: str, password: str) -> bool:
    """Whether they come in, and may do more than choose another password."""
    with connect(database) as connection:
        token = sign_in(connection, Passwords(), person, password, address="x", browser="x", at=clock())
        who = session_of(connection, token, clock())
    assert who is not None
    return not who.temporary


def test_the_first_admin_chooses_a_password(say: Say, database: str, clock: SetClock) -> None:
    """It is read, never an argument, and has no default; all others are made here and shown once."""
    create = ("users", "create", "ada", "--admin", "--title", "Ada")
    assert say(*create).startswith("! the first admin's password is asked for")
    assert say(*create, typed="short\n").startswith("! that password will not do: it has 5 characters")
    assert say(*create, typed="my name is ada, hello\n").startswith("! that password will not do: it contains a name")
    assert "manages people and accounts" in say(*create, typed=f"{GOOD}\n")
    assert _comes_in(database, clock, "ada", GOOD)
    assert say("users", "create", "abel", "--auditor").startswith("! only an admin manages accounts")
    made = say("users", "create", "abel", "--auditor", "--as", "ada").strip()
    assert not _comes_in(database, clock, "abel", made), "who else has seen it must not be able to use it for long"
    assert say("users", "create", "abel", "--as", "ada").startswith("! abel has an account already")
    assert say("users", "create", "kim", "--as", "ada").startswith("! there is nobody 'kim': bring them in first")
    again = say("users", "password", "abel", "--as", "ada").strip()
    assert again != made
    assert say("users", "revoke", "abel", "--as", "ada") == "0 sessions of abel ended.\n"
    assert "cannot sign in any more" in say("users", "disable", "abel", "--as", "ada")
    assert say("users", "revoke", "abel", "--as", "abel") == "0 sessions of abel ended.\n", "one's own"
    assert say("users", "enable", "abel", "--as", "abel").startswith("! only an admin")
    listed = say("users", "list")
    assert "cannot sign in" in listed
    assert "auditor" in listed
    assert "can sign in again" in say("users", "enable", "abel", "--as", "ada")
    assert '"person": "ada"' in say("users", "list", "--json")
    assert GOOD not in listed


def test_the_pilots_people_get_accounts_at_once(say: Say, database: str, clock: SetClock) -> None:
    """One of every standing, with passwords that are shown once; a second time nothing is changed."""
    shown = say("users", "pilot")
    made = {row.split("│")[1].strip(): row.split("│")[2].strip() for row in shown.splitlines() if "│" in row}
    assert {"nora", "sofia", "mara", "ada", "abel"} <= set(made)
    standing = {row.split("│")[1].strip(): row.split("│")[3].strip() for row in shown.splitlines() if "│" in row}
    assert (standing["nora"], standing["mara"], standing["abel"]) == ("reviewer", "manager", "auditor")
    assert _comes_in(database, clock, "nora", made["nora"])
    assert "none" in say("users", "pilot")
    assert _comes_in(database, clock, "mara", made["mara"])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--host", "0.0.0.0"), "does not listen at 0.0.0.0 in the open"),  # noqa: S104 - it is refused
        (("--host", "192.0.2.1"), "does not listen at 192.0.2.1 in the open"),
        (("--host", "::"), "does not listen at :: in the open"),
        (("--host", "example.org"), "does not listen at example.org in the open"),
        (("--host", "192.0.2.1", "--behind-proxy", "192.0.2.2"), "say by which name"),
        (("--host", "192.0.2.1", "--behind-proxy", "*", "--name", "a.example"), "would believe anybody"),
        (("--keyfile", __file__), "name that too"),
    ],
)
def test_a_console_in_the_open_is_refused(options: tuple[str, ...], why: str, say: Say) -> None:
    """Before anything is started; the message says what to do."""
    assert why in say("console", *options)


def test_a_console_says_that_its_port_is_taken(say: Say) -> None:
    """And by which option another is chosen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} cannot be used" in say("console", "--port", port)
