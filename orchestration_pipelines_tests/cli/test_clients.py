"""``orchestrate clients``: an admin makes and ends them; the token is printed once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine import clients
from orchestration_pipelines.engine.clients import Refused
from orchestration_pipelines.engine.sweep import Clock
from orchestration_pipelines.store import people
from orchestration_pipelines.store.connection import connect


def test_a_client_is_made_listed_and_ended(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is its token; a person who is no admin is refused."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    with connect(database) as connection:
        people.put(connection, [Person("ada", ("admin",)), Person("ann", ("reviewer",))])

        def say(*words: str) -> str:
            ran = CliRunner().invoke(orchestrate, ["clients", *words], standalone_mode=False)
            if ran.exception is not None:
                raise ran.exception
            return ran.stdout

        made = ("create", "crm", "--for", "ann", "--scope", "read", "--scope", "work", "--days", "7")
        with pytest.raises(Refused, match="only an admin"):
            say(*made, "--as", "ann")
        token = say(*made, "--as", "ada").strip()
        found = clients.client_of(connection, token, address="here", at=Clock()())
        assert (found.name, found.person, found.scopes) == ("crm", "ann", ["read", "work"])
        assert token not in say("list") + say("list", "--json")
        assert "until" in say("list")
        assert say("revoke", "crm", "--reason", "leaked", "--as", "ada") == "crm is revoked.\n"
        assert [client["revoke_reason"] for client in json.loads(say("list", "--json"))] == ["leaked"]
