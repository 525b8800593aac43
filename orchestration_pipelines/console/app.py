"""The console as an application that runs alone."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from orchestration_pipelines.console.router import create_router
from orchestration_pipelines.engine.desk import Desk

#: under which names a console on this machine alone is asked for. Any other is somebody's that leads here.
LOOPBACK = ("127.0.0.1", "localhost")


def create_app(desk: Desk, hosts: Sequence[str] = LOOPBACK) -> FastAPI:
    """The console, for requests that name one of these hosts."""
    app = create_router(desk)
    # behind the headers, which its refusal gets too
    app.user_middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False))
    return app
