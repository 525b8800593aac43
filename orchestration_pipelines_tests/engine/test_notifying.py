"""Telling people: once, by file, mail or a signed call; and a channel that is slow or fails holds up nothing else."""

from __future__ import annotations

import json
import random
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine.channels import BadChannel, NotTold, channel, signature
from orchestration_pipelines.engine.notifying import RETRY, Delivered, deliver
from orchestration_pipelines.store import outbox
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.outbox import Notice, Waiting
from orchestration_pipelines_tests.conftest import SetClock

_SECRET = "a secret"  # noqa: S105 - a test's own


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with connect(database, role=None) as made:
        made.execute("INSERT INTO workflow (name, owner) VALUES ('flow', 'olga')")
        made.execute("INSERT INTO reviewer (person, roles, address) VALUES ('ann', '{reviewer}', 'ann@example.org')")
    with connect(database) as made:
        yield made


def _tell(connection: psycopg.Connection, clock: SetClock, *keys: str, person: str = "ann") -> None:
    outbox.tell(connection, [Notice(key, "flow", person, "reminded", f"task {key} is due") for key in keys], clock())


def _statuses(connection: psycopg.Connection) -> list[tuple[str, int]]:
    return [(told.status, told.attempts) for told in reversed(outbox.notices(connection, None, 100))]


class _Answering(BaseHTTPRequestHandler):
    calls: list[tuple[dict[str, str], bytes]]
    answer = 200

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.calls.append((dict(self.headers), content))
        self.send_response(self.answer)
        if self.answer == 302:
            self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def _web(answer: int = 200) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    calls: list[tuple[dict[str, str], bytes]] = []
    handler = type("_Here", (_Answering,), {"calls": calls, "answer": answer})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", calls
        server.shutdown()
        thread.join()


class _Post(socketserver.StreamRequestHandler):
    mails: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        lines: list[str] | None = None
        while line := self.rfile.readline().decode():
            if lines is not None:
                if line == ".\r\n":
                    self.mails.append("".join(lines))
                    lines = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    lines.append(line)
            elif line.upper().startswith("DATA"):
                lines = []
                self.wfile.write(b"354 go on\r\n")
            elif line.upper().startswith("QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")


@contextmanager
def _mail() -> Iterator[tuple[int, list[str]]]:
    mails: list[str] = []
    with socketserver.TCPServer(("127.0.0.1", 0), type("_Here", (_Post,), {"mails": mails})) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], mails
        server.shutdown()
        thread.join()


def test_what_happened_is_told_once_into_the_file(
    connection: psycopg.Connection, clock: SetClock, tmp_path: Path
) -> None:
    """The same key twice is one notice; delivered, it is not delivered again; the file is its owner's alone."""
    _tell(connection, clock, "a", "b")
    _tell(connection, clock, "a")
    way = channel({}, tmp_path)
    assert deliver(connection, way, clock) == Delivered(sent=2)
    assert deliver(connection, way, clock) == Delivered()
    path = tmp_path / "notifications.jsonl"
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["a", "b"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_call_is_signed_and_names_its_key(connection: psycopg.Connection, clock: SetClock, tmp_path: Path) -> None:
    """Whoever has the secret can prove that we said it, and by the key know it when it comes again."""
    _tell(connection, clock, "a")
    with _web() as (address, calls):
        way = channel({"ORCHESTRATION_NOTIFY": address, "ORCHESTRATION_NOTIFY_SECRET": _SECRET}, tmp_path)
        assert deliver(connection, way, clock) == Delivered(sent=1)
    ((headers, content),) = calls
    assert headers["Idempotency-Key"] == "a"
    told = dict(part.split("=", 1) for part in headers["Orchestration-Signature"].split(","))
    assert told["v1"] == signature(_SECRET.encode(), int(told["t"]), content)
    assert told["v1"] != signature(b"another", int(told["t"]), content)
    assert json.loads(content)["text"] == "task a is due"


@pytest.mark.parametrize("answer", [302, 500])
def test_a_call_that_is_not_taken_is_tried_again_and_goes_nowhere_else(
    connection: psycopg.Connection, clock: SetClock, tmp_path: Path, answer: int
) -> None:
    """A redirection is not followed: the signature was for this address."""
    _tell(connection, clock, "a")
    with _web(answer) as (address, calls):
        way = channel({"ORCHESTRATION_NOTIFY": address, "ORCHESTRATION_NOTIFY_SECRET": _SECRET}, tmp_path)
        assert deliver(connection, way, clock) == Delivered(failed=1)
        assert deliver(connection, way, clock, chance=random.Random(1)) == Delivered()  # not due yet
    assert len(calls) == 1
    (told,) = outbox.notices(connection, "pending", 1)
    assert told.error == f"127.0.0.1 answered {answer}"


def test_mail_goes_to_the_reviewers_address_or_to_all(
    connection: psycopg.Connection, clock: SetClock, tmp_path: Path
) -> None:
    """Ann has an address; the owner has none, and what is for them goes where the setting says."""
    _tell(connection, clock, "a")
    _tell(connection, clock, "b", person="olga")
    with _mail() as (port, mails):
        setting = f"smtp://127.0.0.1:{port}?from=orchestration@example.org&to=desk@example.org"
        assert deliver(connection, channel({"ORCHESTRATION_NOTIFY": setting}, tmp_path), clock) == Delivered(sent=2)
        nobody = channel({"ORCHESTRATION_NOTIFY": setting.removesuffix("&to=desk@example.org")}, tmp_path)
        _tell(connection, clock, "c", person="olga")
        assert deliver(connection, nobody, clock) == Delivered(failed=1)
    assert "To: ann@example.org" in mails[0] and "task a is due" in mails[0]
    assert "To: desk@example.org" in mails[1]
    assert "olga has no address" in str(outbox.notices(connection, "pending", 1)[0].error)


def test_h04_a_channel_that_fails_for_good_is_an_incident_and_delays_nobody_else(
    connection: psycopg.Connection, clock: SetClock
) -> None:
    """H4: bob's notice fails until it is given up; ann's is delivered at once; the owner is told by an incident."""
    _tell(connection, clock, "a", person="bob")
    _tell(connection, clock, "b")

    def way(notice: Waiting) -> None:
        if notice.person == "bob":
            raise NotTold("nobody there")

    assert deliver(connection, way, clock) == Delivered(sent=1, failed=1)
    for _ in range(RETRY.attempts - 1):
        clock.advance(seconds=RETRY.cap_s)
        deliver(connection, way, clock)
    assert _statuses(connection) == [("dead", RETRY.attempts), ("sent", 1)]
    (incident,) = connection.execute("SELECT kind, owner, reason FROM incident").fetchall()
    assert incident[:2] == ("not told", "olga") and "nobody there" in incident[2]


def test_h04_nothing_is_locked_while_a_channel_is_asked(
    connection: psycopg.Connection, database: str, clock: SetClock
) -> None:
    """H4: in the middle of a delivery no transaction is open, and a new notice can be written."""
    _tell(connection, clock, "a")
    states: list[tuple[str, int]] = []

    def way(notice: Waiting) -> None:
        with connect(database) as other:
            (locks,) = other.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = %s AND locktype = 'transactionid'",
                (connection.info.backend_pid,),
            ).fetchone() or (None,)
            states.append((connection.info.transaction_status.name, locks))
            if notice.key == "a":
                _tell(other, clock, "b")

    assert deliver(connection, way, clock) == Delivered(sent=2)
    assert states == [("IDLE", 0)] * 2


def test_a_deliverer_that_was_killed_leaves_its_notice_for_a_while(
    connection: psycopg.Connection, clock: SetClock
) -> None:
    """Taken and never told: nobody takes it at once, and after the lease it is told, its attempt counted."""
    _tell(connection, clock, "a")
    assert outbox.take_next(connection, clock(), clock() + timedelta(minutes=10)) is not None
    assert deliver(connection, lambda _: None, clock) == Delivered()
    clock.advance(minutes=10)
    assert deliver(connection, lambda _: None, clock) == Delivered(sent=1)
    assert _statuses(connection) == [("sent", 2)]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("carrier pigeon", "is neither"),
        ("http://example.org/hook", "is neither"),
        ("https://example.org/hook", "SECRET is not set"),
        ("smtp://localhost", "has no sender"),
        ("smtp://localhost:port?from=a@b", "is no address"),
    ],
)
def test_a_channel_that_cannot_be_meant_so_is_refused(tmp_path: Path, written: str, reason: str) -> None:
    """The message says what to write, and repeats nothing that may be secret."""
    with pytest.raises(BadChannel, match=reason):
        channel({"ORCHESTRATION_NOTIFY": written}, tmp_path)
