"""What an answer looks like that is a no: in words, on a page of ours, without a trace of how it came about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import cast
from urllib.parse import urlencode

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import SAFE_METHODS, is_from_here, not_found
from orchestration_pipelines.console.viewer import Forbidden, NotFound, PasswordNeeded, SignInNeeded
from orchestration_pipelines.engine.access import Refused
from orchestration_pipelines.engine.desk import PoolTimeout

_FORM = "application/x-www-form-urlencoded"
#: fields in which people write sentences; a single word is a code
_WRITTEN = ("rationale", "reason", "text")
_TOLD = {
    404: "There is no such page, or it is none that you see.",
    405: "That cannot be done here.",
    413: "That is larger than what is taken here.",
}


def install(console: FastAPI) -> None:
    """Have the console answer each kind of no."""
    for kind, handler in _HANDLERS.items():
        console.add_exception_handler(kind, handler)


def refusal(request: Request, status: int, title: str, words: str, typed: Sequence[str] = ()) -> Response:
    """A page that says no, and why; with what was typed and would be lost, to be taken along."""
    return pages.render(request, "refusal.html", status, title=title, words=words, typed=typed)


async def _sign_in(request: Request, _: Exception) -> Response:
    if request.method in SAFE_METHODS and request.headers.get("sec-fetch-mode", "navigate") == "navigate":
        asked = request.scope.get("root_path", "") + request.scope["path"].removeprefix(
            request.scope.get("root_path", "")
        )
        query = request.url.query
        onward = f"{asked}?{query}" if query else asked
        return RedirectResponse(f"{pages.link(request, 'sign_in')}?{urlencode({'next': onward})}", 303)
    words = "Your session is over, and nothing was changed. Sign in, and do it again."
    return refusal(request, 401, "Signed out", words, await _typed(request))


async def _typed(request: Request) -> list[str]:
    """What somebody wrote in a form of ours that came too late. Another site cannot have us show what it likes."""
    if not is_from_here(request) or not request.headers.get("content-type", "").startswith(_FORM):
        return []
    form = await request.form()
    return [text for name in _WRITTEN for text in form.getlist(name) if isinstance(text, str) and " " in text.strip()]


async def _password(request: Request, _: Exception) -> Response:
    return pages.go_to(request, "account")


async def _forbidden(request: Request, error: Exception) -> Response:
    return refusal(request, 403, "Not for you", f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def _not_found(request: Request, _: Exception) -> Response:
    viewer = getattr(request.state, "viewer", None)
    if viewer is not None:
        await run_in_threadpool(not_found, request, viewer)
    return refusal(request, 404, "Not there", _TOLD[404])


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(request, 409, "Refused", str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    problems = cast(RequestValidationError, error).errors()
    if any(problem["loc"][0] == "path" for problem in problems):
        return refusal(request, 404, "Not there", _TOLD[404])
    words = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in problems)
    return refusal(request, 422, "Not understood", words)


async def _unstorable(request: Request, _: Exception) -> Response:
    return refusal(request, 422, "Not understood", "A value holds a character that is no text (NUL, say).")


async def _unreachable(request: Request, _: Exception) -> Response:
    return refusal(request, 503, "Busy", "The database does not answer in time. Nothing was changed: try again.")


async def _http(request: Request, error: Exception) -> Response:
    status = cast(HTTPException, error).status_code
    title = "Not there" if status == 404 else "Not done"
    answer = refusal(request, status, title, _TOLD.get(status, "That was not understood."))
    for name, value in (cast(HTTPException, error).headers or {}).items():
        answer.headers[name] = value
    return answer


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    SignInNeeded: _sign_in,
    PasswordNeeded: _password,
    Forbidden: _forbidden,
    NotFound: _not_found,
    Refused: _refused,
    RequestValidationError: _invalid,
    psycopg.DataError: _unstorable,
    UnicodeEncodeError: _unstorable,
    PoolTimeout: _unreachable,
    psycopg.OperationalError: _unreachable,
    HTTPException: _http,
}
