"""Who calls: the client whose token the request bears, in the name of its person; and that an act is done once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import psycopg
from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from orchestration_pipelines.console.api.exact import canonical
from orchestration_pipelines.console.api.problems import Kind, Problem
from orchestration_pipelines.console.api.refusals import answered, refused, unfit
from orchestration_pipelines.console.viewer import address_of, desk_of
from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.client import Scope, speaks_for
from orchestration_pipelines.domain.identity import length_prefixed
from orchestration_pipelines.domain.standing import RIGHTS, Right, standing_of
from orchestration_pipelines.engine import clients, replies
from orchestration_pipelines.engine.clients import Client
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.replies import Refused, Reply

#: a key as it comes: with the quotes of a structured field, or without
KEY = r'^(?:"[A-Za-z0-9_.:-]{1,128}"|[A-Za-z0-9_.:-]{1,128})$'

#: what a request finds or does: the answer, with its headers if it has any of its own
Look = Callable[[psycopg.Connection], BaseModel | tuple[BaseModel, Mapping[str, str]]]

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="The token of a client: `orchestrate clients create NAME --for PERSON --scope read …`. "
    "Sessions of the console are not taken.",
)


@dataclass(frozen=True)
class Call:
    """One request of a client."""

    desk: Desk
    client: Client
    address: str
    asked: str  #: method and path

    @property
    def person(self) -> str:
        """In whose name."""
        return self.client.person

    @property
    def asserted_by(self) -> str:
        """Who says so, for the record."""
        return speaks_for(self.client.name)

    @property
    def operator(self) -> str:
        """Both in one text, for records that have one place for it."""
        return f"{self.person} (asserted by {self.asserted_by})"

    def read(self, look: Look) -> Response:
        """The answer to a request that changes nothing."""
        with self.desk.connection() as connection:
            try:
                found = look(connection)
            except Problem as problem:
                self._note(connection, problem)
                raise
        return answered(_reply(found, 200))

    def _note(self, connection: psycopg.Connection, problem: Problem) -> None:
        if problem.kind in (Kind.NOT_FOUND, Kind.FORBIDDEN):
            self.note(connection, problem.kind.word.replace("-", " "))

    def note(self, connection: psycopg.Connection, act: str) -> None:
        """Record that the client was refused."""
        clients.refused(
            connection, act, self.client, address=self.address, at=self.desk.clock(), detail=self.asked[:500]
        )


@dataclass(frozen=True)
class Act(Call):
    """A request that changes something, under the client's own key for it."""

    key: str
    body: bytes
    digest: bytes  #: of all that was asked

    @property
    def at(self) -> datetime:
        """When."""
        return self.desk.clock()

    def once(self, act: Look, status: int = 200) -> Response:
        """Do it, or answer as when it was done: see :mod:`~orchestration_pipelines.engine.replies`."""

        def acting(connection: psycopg.Connection) -> Reply:
            try:
                with connection.transaction():  # what is refused leaves nothing behind but its answer
                    return _reply(act(connection), status)
            except Problem as problem:
                if problem.kind.status >= 500:
                    raise
                self._note(connection, problem)
                return problem.reply()
            except Refused as error:
                return refused(error).reply()
            except (psycopg.DataError, UnicodeEncodeError) as error:
                return unfit(error).reply()

        with self.desk.connection() as connection:
            try:
                reply, repeated = replies.once(
                    connection, self.client.name, self.key, self.digest, acting, at=self.desk.clock()
                )
            except replies.KeyInUse as error:
                raise Problem(Kind.UNDER_WAY, _words(error), headers={"retry-after": "1"}) from None
            except replies.KeyUsed as error:
                raise Problem(Kind.KEY_USED, _words(error)) from None
        answer = answered(reply)
        if repeated:
            answer.headers["idempotency-replayed"] = "true"
        return answer


def _words(error: Exception) -> str:
    told = type(error).__doc__ or ""
    return told[:1].lower() + told.rstrip(".")[1:]


def _reply(found: BaseModel | tuple[BaseModel, Mapping[str, str]], status: int) -> Reply:
    told, headers = found if isinstance(found, tuple) else (found, {})
    return Reply(status, {**headers, "content-type": "application/json"}, encode(told.model_dump()))


def calls(scope: Scope, right: Right) -> Any:
    """The dependency of a route that reads: it gives the :class:`Call`."""
    return _marked(_calling(scope, right), scope, right)


def acts(scope: Scope, right: Right) -> Any:
    """The dependency of a route that changes something: it gives the :class:`Act`."""
    calling = Depends(_calling(scope, right))

    async def allowed(
        request: Request,
        key: Annotated[
            str,
            Header(
                alias="Idempotency-Key",
                pattern=KEY,
                description="A new random value for each request, and the same one if it is sent again: it is done "
                "once, and answered as the first time. Kept for 24 h at least.",
                examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
            ),
        ],
        call: Call = calling,
    ) -> Act:
        body = await request.body()
        return Act(**vars(call), key=key.strip('"'), body=body, digest=_digest(request, body))

    return _marked(allowed, scope, right)


def _calling(scope: Scope, right: Right) -> Callable[..., Any]:
    async def calling(
        request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Call:
        return await run_in_threadpool(_call, request, token, scope, right)

    return calling


def _marked(dependency: Callable[..., Any], scope: Scope, right: Right) -> Any:
    vars(dependency).update(scope=scope, right=right)
    return Depends(dependency)


def _call(request: Request, token: HTTPAuthorizationCredentials | None, scope: Scope, right: Right) -> Call:
    desk, address = desk_of(request), address_of(request)
    if token is None:
        raise Problem(
            Kind.UNKNOWN_CLIENT,
            "send a header Authorization: Bearer and the token of a client; an admin makes one "
            "(orchestrate clients create)",
            headers={"www-authenticate": "Bearer"},
        )
    with desk.connection() as connection:
        try:
            client = clients.client_of(connection, token.credentials, address=address, at=desk.clock())
        except clients.NotSignedIn as error:
            if error.again_after is not None:
                wait = str(math.ceil(error.again_after.total_seconds()))
                raise Problem(Kind.TOO_MANY, str(error), headers={"retry-after": wait}) from None
            challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
            raise Problem(Kind.UNKNOWN_CLIENT, str(error), headers=challenge) from None
        call = Call(desk, client, address, f"{request.method} {request.url.path}")
        if scope not in client.scopes:
            call.note(connection, "forbidden")
            raise Problem(
                Kind.FORBIDDEN,
                f"the client {client.name} has not the scope {scope}",
                headers={"www-authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        standing = standing_of(client.person_roles)
        if standing not in RIGHTS[right]:
            call.note(connection, "forbidden")
            who = " or ".join(sorted(each.words for each in RIGHTS[right]))
            raise Problem(
                Kind.FORBIDDEN,
                f"this is for {who}, and {client.person}, in whose name {client.name} acts, is {standing.words}",
            )
    return call


def _digest(request: Request, body: bytes) -> bytes:
    """Of all that was asked: what, where, on what it was made, and the body, however its JSON is laid out."""
    if request.headers.get("content-type", "").startswith("application/json"):
        body = canonical(body)
    asked = (request.method, request.url.path, request.url.query, request.headers.get("if-match", ""))
    return sha256(length_prefixed(*asked) + body).digest()
