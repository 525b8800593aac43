"""Clients of the interface, of people of every standing, over the workflow of the console's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.engine import clients
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.engine.flow import Flow


@pytest.fixture
def desk(flow: Flow, tmp_path: Path) -> Iterator[Desk]:
    """A desk that takes cases in."""
    with Desk(flow.engine.url, clock=flow.clock, connections=4, folders=[tmp_path / "flow"]) as opened:
        yield opened


class Program:
    """A client of the interface: ``get``, and ``post`` under a new key unless one is given."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client, self.token = client, token

    def get(self, path: str, **settings: Any) -> httpx.Response:
        return self._sent("GET", path, **settings)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **settings: Any) -> httpx.Response:
        headers = {"idempotency-key": key or uuid4().hex, **settings.pop("headers", {})}
        return self._sent("POST", path, json=body, headers=headers, **settings)

    def decide(self, task: int, seen: str, key: str | None = None, **decision: Any) -> httpx.Response:
        body = {"outcome": "approve", **decision}
        return self.post(f"/tasks/{task}/decision", body, key=key, headers={"if-match": seen})

    def _sent(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **settings: Any
    ) -> httpx.Response:
        answer: httpx.Response = self.client.request(
            method, f"/api/v1{path}", headers={"authorization": f"Bearer {self.token}", **(headers or {})}, **settings
        )
        return answer


Programs = Callable[..., Program]


def token_of(desk: Desk, person: str, *scopes: str, at: datetime | None = None) -> str:
    """The token of a new client that acts for somebody, made just now or ``at``; no scope named: all."""
    with desk.connection() as connection:
        return clients.create(
            connection,
            f"for-{person}-{uuid4().hex[:6]}",
            person,
            scopes or tuple(Scope),
            by="ada",
            address="test",
            at=at or desk.clock(),
            lasts=timedelta(days=7),
        )


@pytest.fixture
def program(desk: Desk, client: TestClient) -> Programs:
    """``program("ann")``: a client that acts for ann; ``program("ann", "read")``: with this scope alone."""

    def make(person: str, *scopes: str) -> Program:
        return Program(client, token_of(desk, person, *scopes))

    return make


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of a no."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    return answer.status_code, told["type"].rpartition(":")[2]
