"""From an exception to problem details, whatever was raised; a fault shows a number, and the log has the rest."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import cast

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration_pipelines.console.api.problems import Kind, Problem
from orchestration_pipelines.engine.desk import PoolTimeout
from orchestration_pipelines.engine.replies import FORBIDDEN, STALE, WRONG, Refused, Reply

_log = logging.getLogger("orchestration_pipelines.console.api")

#: the headers whose absence has a status of its own
_MISSING = {
    "idempotency-key": (
        Kind.NO_KEY,
        "send a header Idempotency-Key with a new random value (a UUID, say), and the same value if you send it again",
    ),
    "if-match": (Kind.UNSEEN, "send a header If-Match with the ETag of the task as you looked at it"),
}
_BY_STATUS = {kind.status: kind for kind in (Kind.UNREADABLE, Kind.NOT_FOUND, Kind.NO_SUCH_METHOD, Kind.TOO_LARGE)}

_BY_STATE = {FORBIDDEN: Kind.FORBIDDEN, STALE: Kind.STALE, WRONG: Kind.INVALID}


def install(api: FastAPI) -> None:
    """Have the interface answer each kind of no as problem details."""
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)
    api.add_middleware(Faults)


def answered(reply: Reply) -> Response:
    """A reply as it goes out."""
    return Response(reply.body, reply.status, dict(reply.headers))


def unfit(error: Exception) -> Problem:
    """What the database cannot hold: text with a NUL in it, a number beyond its range."""
    words = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return Problem(Kind.INVALID, f"a value cannot be kept: {words or 'it holds a character that is no text'}")


def refused(error: Refused) -> Problem:
    """What a rule refuses, by why the database says it does."""
    return Problem(_BY_STATE.get(error.state, Kind.REFUSED), str(error))


async def _problem(_: Request, error: Exception) -> Response:
    return answered(cast(Problem, error).reply())


async def _refused(_: Request, error: Exception) -> Response:
    return answered(refused(cast(Refused, error)).reply())


async def _invalid(_: Request, error: Exception) -> Response:
    problems = cast(RequestValidationError, error).errors()
    for found in problems:
        where = found["loc"][-1] if found["loc"][0] == "header" else None
        if found["type"] == "missing" and str(where).lower() in _MISSING:
            kind, words = _MISSING[str(where).lower()]
            return answered(Problem(kind, words).reply())
    if any(found["loc"][0] == "path" for found in problems):
        return answered(Problem(Kind.NOT_FOUND, "there is no such number").reply())
    errors = [{"where": ".".join(map(str, found["loc"])), "what": found["msg"]} for found in problems]
    told = "; ".join(f"{each['where']}: {each['what']}" for each in errors)
    return answered(Problem(Kind.INVALID, told, errors=errors).reply())


async def _unfit(_: Request, error: Exception) -> Response:
    return answered(unfit(error).reply())


async def _busy(_: Request, __: Exception) -> Response:
    words = "nothing was changed: try again in a moment"
    return answered(Problem(Kind.BUSY, words, headers={"retry-after": "1"}).reply())


async def _http(_: Request, error: Exception) -> Response:
    raised = cast(HTTPException, error)
    kind = _BY_STATUS.get(raised.status_code, Kind.UNREADABLE)
    return answered(Problem(kind, str(raised.detail), headers=raised.headers).reply())


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Problem: _problem,
    Refused: _refused,
    RequestValidationError: _invalid,
    psycopg.DataError: _unfit,
    UnicodeEncodeError: _unfit,
    PoolTimeout: _busy,
    psycopg.OperationalError: _busy,
    HTTPException: _http,
}


class Faults:
    """ASGI middleware: what nobody expected is logged under a number, and told as that alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except HTTPException:
            raise  # a limit of the application around this one: it answers
        except Exception:
            number = secrets.token_hex(6)
            _log.exception("fault %s: %s %s", number, scope.get("method"), scope["path"])
            if begun:
                raise  # half an answer is sent: the server must break the connection
            words = f"nothing was changed; tell whoever runs this the number {number}: the log has the rest"
            await answered(Problem(Kind.FAULT, words).reply())(scope, receive, sending)
