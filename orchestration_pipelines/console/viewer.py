"""Who looks: the person of the session that the browser's cookie names."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from orchestration_pipelines.domain.standing import RIGHTS, Right, Standing
from orchestration_pipelines.engine import access
from orchestration_pipelines.engine.access import SignedIn
from orchestration_pipelines.engine.desk import Desk

#: ``__Host-``: sent back to this host alone, over TLS alone, and set by no other. Browsers take loopback for safe.
COOKIE = "__Host-session"


class SignInNeeded(Exception):
    """Nobody is signed in: a page leads to the sign-in page, anything else is answered 401."""


class PasswordNeeded(Exception):
    """The password is one that somebody else knows: every page leads to the one where it is changed."""


class Forbidden(Exception):
    """Somebody is signed in and may not do this kind of thing. The message says who may."""


class NotFound(Exception):
    """There is no such thing, or it is none that this person sees: the same answer to both."""


@dataclass(frozen=True)
class Viewer:
    """A person who looks."""

    who: SignedIn
    csrf: str  #: what a form must hand back: bound to the session, and of no use without its cookie
    zone: ZoneInfo

    @property
    def person(self) -> str:
        """The id under which everything is recorded."""
        return self.who.person

    @property
    def title(self) -> str:
        """What people call them."""
        return self.who.title

    @property
    def standing(self) -> Standing:
        """What they are."""
        return self.who.standing

    @property
    def session(self) -> int:
        """The number of the session."""
        return self.who.session

    def may(self, right: Right) -> bool:
        """Whether they may do this kind of thing. Whether to this case or task, the database says."""
        return self.standing in RIGHTS[right]


def desk_of(request: Request) -> Desk:
    """The desk of the console that answers."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - create_router put it there
    return desk


def address_of(request: Request) -> str:
    """Where the request comes from, as the server or a proxy that it trusts says."""
    return request.client.host if request.client else "unknown"


def viewer_of(request: Request, *, counts: bool) -> Viewer:
    """Who looks; raises :class:`SignInNeeded`. ``counts``: it is a person who asks, not a page by itself."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise SignInNeeded
    desk = desk_of(request)
    with desk.connection() as connection:
        found = access.session_of(connection, token, desk.clock(), counts=counts)
    if found is None:
        raise SignInNeeded
    viewer = Viewer(found, csrf_of(token), ZoneInfo(found.zone))
    request.state.viewer = viewer
    return viewer


def csrf_of(token: str) -> str:
    """The token of a session's forms. The database, which has only the session token's hash, could not make it."""
    return hmac.new(token.encode(), b"orchestrate console form", hashlib.sha256).hexdigest()


def keep_session(response: Response, token: str) -> None:
    """Hand the browser a session's token, until the browser is closed; the server ends it before."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def drop_session(response: Response) -> None:
    """Take the token back."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
