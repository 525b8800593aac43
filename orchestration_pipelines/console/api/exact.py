"""JSON as it was written: a number of a request never passes through a float."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from orchestration_pipelines.domain.canonical import decode, encode


def canonical(body: bytes) -> bytes:
    """JSON in one form, however it was laid out; anything else as it is."""
    try:
        return encode(decode(body))
    except msgspec.MsgspecError:
        return body


class _ExactRequest(Request):
    async def json(self) -> Any:
        """The body with its numbers as Decimal; what is no JSON is an error that is answered 400."""
        body = decode(await self.body())
        # a lone number is no object, and a Decimal would pass for one without fields
        return str(body) if isinstance(body, Decimal) else body


class Asking(BaseModel):
    """What is asked: a field that is not known is refused, since it would mean nothing."""

    model_config = ConfigDict(extra="forbid")


class ExactRoute(APIRoute):
    """A route whose body keeps its numbers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, on a request that reads JSON exactly."""
        handle = super().get_route_handler()

        async def handling(request: Request) -> Response:
            return await handle(_ExactRequest(request.scope, request.receive))

        return handling
