"""Backup and restore, through the command line: everything goes into one file, and work goes on from it."""

from __future__ import annotations

import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import urls
from orchestration_pipelines.store.chains import broken_chains
from orchestration_pipelines_tests.cli.command import Command, at_home
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow


def flow_on(command: Command, place: Path, database: str = urls.DATABASE) -> Flow:
    """The workflow under test on this home's database."""
    folder = workflow_folder(place / "flow", drawing(*REVIEWED), WORKERS)
    clock = SetClock()
    return Flow(Engine(command.server.url(database), load_workflow(folder), clock=clock), clock)


def make_ledger(command: Command, *, rows: int) -> None:
    """A tool's own database beside the product's, with a role that may read it."""
    url = urls.sibling(command.server.url(), "ledger")
    urls.ensure_database(url)
    with psycopg.connect(url) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS entry (n int)")
        if owner.execute("SELECT FROM pg_roles WHERE rolname = 'ledger_reader'").fetchone() is None:
            owner.execute("CREATE ROLE ledger_reader; GRANT SELECT ON entry TO ledger_reader")
            owner.execute("CREATE ROLE \"Eve Login\" LOGIN PASSWORD 'secret' IN ROLE orchestration_reviewer")
        owner.execute("INSERT INTO entry SELECT generate_series(1, %s)", (rows,))


def entries(command: Command) -> int:
    with psycopg.connect(urls.sibling(command.server.url(), "ledger"), options="-c role=ledger_reader") as reader:
        row = reader.execute("SELECT count(*) FROM entry").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, Path]]:
    """A home in which one case is done and one waits for a person, and its backup."""
    place = tmp_path_factory.mktemp("made")
    with at_home(place / "home") as command:
        assert command("db", "migrate").code == 0
        make_ledger(command, rows=3)
        flow = flow_on(command, place)
        flow.submit("A", "B")
        flow.sweep()
        flow.decide("A")
        flow.sweep()
        assert flow.ends() == {"A": "done", "B": None}
        (command.home / "outbox" / "letters").mkdir()
        (command.home / "outbox" / "letters" / "1.txt").write_text("dear applicant")
        (command.home / "artefacts" / "abc").write_bytes(b"\0model")
        with psycopg.connect(command.server.url()) as owner:
            owner.execute("INSERT INTO account VALUES ('ann', '$', false, now(), 'test', now())")
            owner.execute(
                "INSERT INTO session (token, person, address, browser, began_at, seen_at) "
                "VALUES (sha256('t'), 'ann', 'here', '', now(), now())"
            )
        said = command("backup", place, "--json").json
        assert said["databases"] == ["orchestration", "orchestration_dagster", "orchestration_ledger"]
        yield command, Path(said["file"])


def test_the_file_is_private_and_says_what_it_holds(made: tuple[Command, Path]) -> None:
    """Mode 0600, a manifest with versions and digests, and no password anywhere."""
    _, archive = made
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as tar:
        assert tar.getnames()[0] == "manifest.json"
        member = tar.extractfile("manifest.json")
        assert member is not None
        manifest = json.load(member)
    assert manifest["revision"]
    assert manifest["server"] == 18
    assert {"database.dump", "outbox/letters/1.txt", "artefacts/abc"} < manifest["digests"].keys()
    assert "ledger_reader" in manifest["roles"]
    assert ["orchestration_reviewer", "Eve Login", True] in manifest["members"]
    assert b"secret" not in archive.read_bytes()


def test_a_backup_replaces_no_file(made: tuple[Command, Path]) -> None:
    """The backup of yesterday is not lost to a slip."""
    command, archive = made
    said = command("backup", archive)
    assert said.code == 1
    assert "is there already" in said.err


def test_a_restored_home_verifies_and_works_on(made: tuple[Command, Path], tmp_path: Path) -> None:
    """On a fresh home: every chain verifies, the waiting case is decided and done, tools and files are back."""
    _, archive = made
    with at_home(tmp_path / "home") as fresh:
        said = fresh("restore", archive)
        assert said.code == 0, said.err
        assert "verifies" in said.out
        assert "Eve Login" in said.err
        assert (fresh.home / "outbox" / "letters" / "1.txt").read_text() == "dear applicant"
        assert (fresh.home / "artefacts" / "abc").read_bytes() == b"\0model"
        assert entries(fresh) == 3
        flow = flow_on(fresh, tmp_path)
        flow.decide("B")
        flow.sweep()
        assert flow.ends() == {"A": "done", "B": "done"}
        with psycopg.connect(fresh.server.url()) as owner:
            assert broken_chains(owner) == []
            standing = owner.execute("SELECT person FROM session WHERE ended_at IS NULL").fetchall()
            assert standing == [], "a session of then may have been ended since"
            told = owner.execute("SELECT act, person, by FROM access_entry").fetchall()
            assert told == [("session ended", "ann", "restore")]
        assert fresh("db", "migrate").code == 0


def test_what_holds_something_is_replaced_by_force_alone(made: tuple[Command, Path], tmp_path: Path) -> None:
    """Refused, saying what would be lost and what to do; by force everything is as it was at the backup."""
    command, archive = made
    flow = flow_on(command, tmp_path)
    flow.submit("C")
    make_ledger(command, rows=2)
    refused = command("restore", archive)
    assert refused.code == 1
    assert "orchestration, orchestration_ledger would be replaced" in refused.err
    assert "--force" in refused.err
    assert set(flow.ends()) == {"A", "B", "C"}
    forced = command("restore", archive, "--force")
    assert forced.code == 0, forced.err
    assert "replacing orchestration" in forced.err
    assert set(flow.ends()) == {"A", "B"}
    assert entries(command) == 3


def test_another_installation_on_the_server_is_left_alone(made: tuple[Command, Path], tmp_path: Path) -> None:
    """Its name may begin like ours; neither it nor what is named after it is saved."""
    command, _ = made
    for name in ("orchestration_staging", "orchestration_staging_dagster"):
        urls.ensure_database(command.server.url(name))
    with psycopg.connect(command.server.url("orchestration_staging")) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS cases (n int); CREATE TABLE IF NOT EXISTS token (n int)")
    said = command("backup", tmp_path / "one.tar", "--json").json
    assert said["databases"] == ["orchestration", "orchestration_dagster", "orchestration_ledger"]


def test_a_damaged_file_restores_nothing(made: tuple[Command, Path], tmp_path: Path) -> None:
    """One changed byte of a dump, no tar at all, a way out of the folder: refused, and nothing was changed."""
    command, archive = made
    content = bytearray(archive.read_bytes())
    place = content.index(b"PGDMP") + 5_000
    content[place] ^= 1
    damaged, other, escaping = (tmp_path / name for name in ("damaged.tar", "other.tar", "escaping.tar"))
    damaged.write_bytes(content)
    other.write_text("not a tar")
    with tarfile.open(escaping, "w") as tar:
        tar.add(other, "../escaped")
    for file, reason in ((damaged, "is damaged"), (other, "is not a backup"), (escaping, "not made by the product")):
        said = command("restore", file, "--force")
        assert said.code == 1
        assert reason in said.err
    assert "A" in flow_on(command, tmp_path).ends()


def test_a_record_that_does_not_verify_is_not_restored(made: tuple[Command, Path], tmp_path: Path) -> None:
    """Somebody with the owner's rights changed a body; the backup of it is refused, and the state stays as it was."""
    command, archive = made
    url = command.server.url()
    with psycopg.connect(url) as owner:
        owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        owner.execute("UPDATE audit_entry SET body = body || ' ' WHERE case_id > 0 AND seq = 2")
        owner.execute("ALTER TABLE audit_entry ENABLE TRIGGER append_only")
    forged = tmp_path / "forged.tar"
    assert command("backup", forged).code == 0
    said = command("restore", forged, "--force")
    assert said.code == 1
    assert "does not verify" in said.err
    with psycopg.connect(command.server.url("postgres")) as owner:
        left = owner.execute("SELECT datname FROM pg_database WHERE datname LIKE '%restoring'").fetchall()
    assert left == []
    assert command("restore", archive, "--force").code == 0
