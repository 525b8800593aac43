"""Reviewers at work: ``python -m orchestration_pipelines_tests.trials.reviewers``, told what to do on standard input.

Each has a connection of their own, signs in, and works as the pages lead: takes the next case, reads it, decides, and
is led to the next; now and then they look at their lists. As a browser does, they hold a stream of news open for the
page that they look at. What was answered, and how long it took, goes to standard output as JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

_PATIENCE_S = 30.0
#: one in so many cases is followed by a look at the lists
_LOOK_ONE_IN = 8
_CSRF = re.compile(r'name="csrf" (?:content|value)="([^"]+)"')
_SEEN = re.compile(r'name="seen" value="([0-9a-f]{64})"')
_SHOWN = re.compile(r'data-task="(\d+)" data-mark="([0-9a-f]{8})"')
_TYPED = re.compile(r'name="(edit\.[^"]+)" value="([^"]*)"')
_CHOSEN = re.compile(r'<select [^>]*name="(edit\.[^"]+)"(?:(?!</select>).)*<option value="([^"]*)" selected', re.DOTALL)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str
    spent_ms: float

    @property
    def to(self) -> str:
        """Where it leads."""
        return self.headers.get("location", "")


class Browser:
    """One reviewer's connection, session and stream of news."""

    def __init__(self, port: int, person: str) -> None:
        self.port, self.person = port, person
        self.cookie = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._news: asyncio.Task[None] | None = None

    async def get(self, path: str) -> Answer:
        """A page."""
        answer = await self._sent("GET", path)
        self._listen(answer.body)
        return answer

    async def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """A form."""
        return await self._sent("POST", path, urlencode(form).encode())

    async def _sent(self, method: str, path: str, body: bytes = b"") -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        begun = time.perf_counter()
        writer.write(self._head(method, path, len(body)) + body)
        status, headers = await _head(reader)
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        spent_ms = (time.perf_counter() - begun) * 1_000
        if headers.get("connection", "") == "close":
            writer.close()
            self._streams = None
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].partition(";")[0]
        return Answer(status, headers, content.decode(), spent_ms)

    def _head(self, method: str, path: str, length: int) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", "sec-fetch-site: same-origin"]
        lines += [f"cookie: {self.cookie}"] * bool(self.cookie)
        if method == "POST":
            lines += ["content-type: application/x-www-form-urlencoded", f"content-length: {length}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _listen(self, page: str) -> None:
        """Another page: its own stream in place of that of the page before."""
        if self._news is not None:
            self._news.cancel()
        shown = ",".join(f"{task}.{mark}" for task, mark in _SHOWN.findall(page))
        self._news = asyncio.create_task(self._hear(shown)) if shown else None

    async def _hear(self, shown: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(self._head("GET", f"/live?tasks={quote_plus(shown)}", 0))
            while await reader.read(4096):
                pass
        finally:
            writer.close()

    async def close(self) -> None:
        """Leave."""
        if self._news is not None:
            self._news.cancel()
            with suppress(asyncio.CancelledError):
                await self._news
        if self._streams is not None:
            self._streams[1].close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = (line.partition(": ") for line in lines[1:] if line)
    return int(lines[0].split(" ", 2)[1]), {name.lower(): value for name, _, value in headers}


class Reviewer:
    """One person's day."""

    def __init__(self, browser: Browser, told: Any, think_s: float, comes_within_s: float, until: float) -> None:
        self.browser, self.told, self.until = browser, told, until
        self.think_s, self.comes_within_s = think_s, comes_within_s
        self.chance = random.Random(browser.person)
        self.csrf = ""
        self.decided = 0

    async def work(self, password: str) -> None:
        """Sign in, and work until the end."""
        await asyncio.sleep(self.chance.uniform(0, self.comes_within_s))
        signed = await self.browser.post("/sign-in", {"person": self.browser.person, "password": password})
        self._tell("sign-in", signed, 303)
        await self._look("/work")
        to = ""
        while time.monotonic() < self.until:
            await self._think()
            to = await self._decide(to) if to else await self._next()
            if not to or self.chance.randrange(_LOOK_ONE_IN) == 0:
                await self._look("/work")
                await self._think()
                await self._look("/queues/mortgage_underwriting/underwriters?order=due")
        await self.browser.close()

    async def _look(self, path: str) -> None:
        page = await self.browser.get(path)
        self._tell("list", page, 200)
        if found := _CSRF.search(page.body):
            self.csrf = found[1]

    async def _next(self) -> str:
        taken = await self.browser.post("/work/next", {"csrf": self.csrf})
        self._tell("next", taken, 303)
        return taken.to

    async def _decide(self, path: str) -> str:
        """Read the case to which a redirect led, and decide it; where that leads."""
        page = await self.browser.get(path)
        self._tell("case", page, 200)
        seen, csrf = _SEEN.search(page.body), _CSRF.search(page.body)
        if seen is None or csrf is None:
            return ""
        await self._think()
        task = path.partition("?")[0].rpartition("/")[2]
        approves = self.decided % 3 != 2
        form = {
            "csrf": csrf[1],
            "seen": seen[1],
            "outcome": "approve" if approves else "reject",
            "rationale": "" if approves else "the figures do not bear it",
            "onward": "yes",
        }
        # a form sends all of its fields, touched or not
        form |= {name: unescape(text) for name, text in _TYPED.findall(page.body) + _CHOSEN.findall(page.body)}
        answer = await self.browser.post(f"/tasks/{task}/decide", form)
        self.decided += 1
        self._tell("decide", answer, 303, task=int(task))
        return answer.to if answer.to.startswith("/tasks/") else ""

    async def _think(self) -> None:
        await asyncio.sleep(self.think_s * self.chance.uniform(0.5, 1.5))

    def _tell(self, kind: str, answer: Answer, expected: int, **more: Any) -> None:
        said = {"kind": kind, "person": self.browser.person, "at": time.monotonic(), "ms": answer.spent_ms, **more}
        if answer.status != expected:
            said["wrong"] = f"{answer.status} {answer.body[:200]}"
        if kind == "decide":
            said["number"] = answer.to.partition("done=")[2]
        self.told.write(json.dumps(said) + "\n")


@asynccontextmanager
async def _counted(told: Any) -> AsyncIterator[None]:
    """Say what this program itself has used."""
    begun, used = time.monotonic(), time.process_time()
    yield
    told.write(json.dumps({"kind": "used", "cpu_s": time.process_time() - used, "s": time.monotonic() - begun}) + "\n")


async def _main(wanted: Mapping[str, Any]) -> None:
    until = time.monotonic() + wanted["seconds"]
    people = [
        Reviewer(Browser(wanted["port"], person), sys.stdout, wanted["think_s"], wanted["comes_within_s"], until).work(
            wanted["password"]
        )
        for person in wanted["people"]
    ]
    async with _counted(sys.stdout):
        await asyncio.wait_for(asyncio.gather(*people), wanted["seconds"] + _PATIENCE_S)


if __name__ == "__main__":
    asyncio.run(_main(json.load(sys.stdin)))
