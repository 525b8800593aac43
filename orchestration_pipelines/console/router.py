"""The console as one thing to mount: ``app.mount("/review", create_router(desk))``."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from orchestration_pipelines.console import (
    account,
    cases,
    deciding,
    documents,
    live,
    manage,
    pages,
    queues,
    refusals,
    sign_in,
    work,
)
from orchestration_pipelines.console.api.app import PATH, create_api
from orchestration_pipelines.console.guard import public
from orchestration_pipelines.console.headers import Headers
from orchestration_pipelines.console.viewer import NotFound
from orchestration_pipelines.engine.desk import Desk

#: a form with the longest rationale; a route that takes files says its own limit (``max_body_size``)
BODY_BYTES = 512 * 1024
_FOR_EVER = "public, max-age=31536000, immutable"

#: the pages, each a module with a ``router``
ROUTERS: tuple[APIRouter, ...] = (
    sign_in.router,
    account.router,
    cases.router,
    deciding.router,
    documents.router,
    work.router,
    queues.router,
    live.router,
    *manage.ROUTERS,
)


def create_router(desk: Desk) -> FastAPI:
    """All pages of the console, with what guards them. The desk must stay open as long as they are served."""
    console = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    console.state.desk = desk
    console.state.streams = live.Streams()
    for router in ROUTERS:
        console.include_router(router, include_in_schema=False)
    console.add_api_route("/static/{name}", _static, name="static", dependencies=[public()], include_in_schema=False)
    console.state.names = {route.name: route for route in iter_route_contexts(console.routes)}
    console.mount(PATH, create_api(desk))
    refusals.install(console)
    console.add_middleware(RequestBodyLimitMiddleware, max_body_size=BODY_BYTES)
    console.add_middleware(Headers)
    return console


def _static(request: Request, name: str) -> Response:
    """A file of ours, under the digest of its content."""
    found = pages.asset(name)
    if found is None:
        raise NotFound
    headers = {"etag": f'"{found.digest}"', "cache-control": _FOR_EVER}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
