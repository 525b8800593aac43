"""What becomes of an error that nobody expected, before and after an answer has begun."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from orchestration_pipelines.console.headers import CONTENT_SECURITY_POLICY, Headers


def answer(begins: bool) -> httpx.Response:
    """What comes of an application that breaks, mounted below a path."""

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("a secret")

    given: httpx.Response = TestClient(Headers(breaks), root_path="/review").get("/x")
    return given


def test_a_fault_gets_a_page_below_where_the_console_is() -> None:
    """With every header, and a link that leads back to the console and not to what it is mounted in."""
    fault = answer(begins=False)
    assert fault.status_code == 500
    assert fault.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert re.findall(r'href="([^"]+)"', fault.text) == ["/review/static/console.css", "/review/"]
    assert "secret" not in fault.text


def test_half_an_answer_is_broken_off() -> None:
    """It cannot be taken back: the server must end the connection, so that nobody takes the half for the whole."""
    with pytest.raises(RuntimeError, match="a secret"):
        answer(begins=True)
