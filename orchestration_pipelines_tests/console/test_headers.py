"""What becomes of an error that nobody expected, before and after an answer has begun."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.types import Message, Receive, Scope, Send

from orchestration_pipelines.console.headers import CONTENT_SECURITY_POLICY, Headers

SCOPE: Scope = {"type": "http", "scheme": "http", "method": "GET", "path": "/x", "root_path": "/review", "headers": []}


def answered(begins: bool) -> list[Message]:
    """What is sent of an answer that breaks."""
    sent: list[Message] = []

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("a secret")

    async def sending(message: Message) -> None:
        sent.append(message)

    async def receiving() -> Message:
        return {"type": "http.request"}

    asyncio.run(Headers(breaks)(SCOPE, receiving, sending))
    return sent


def test_a_fault_gets_a_page_below_where_the_console_is() -> None:
    """With every header, and a link that leads back to the console and not to what it is mounted in."""
    start, body = answered(begins=False)
    assert start["status"] == 500
    assert (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()) in start["headers"]
    page = body["body"].decode()
    assert re.findall(r'href="([^"]+)"', page) == ["/review/static/console.css", "/review/"]
    assert "secret" not in page


def test_half_an_answer_is_broken_off() -> None:
    """It cannot be taken back: the server must end the connection, so that nobody takes the half for the whole."""
    with pytest.raises(RuntimeError, match="a secret"):
        answered(begins=True)
