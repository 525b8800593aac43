"""The server in front of the console: what it takes from the network, before any of it is ours."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from orchestration_pipelines.engine.desk import CONNECTIONS

#: pages that listen for news end when the server does, and not a minute later
_PATIENCE_S = 2
#: of a request's line and headers together
_HEADER_BYTES = 32 * 1024


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # As many at work as there are connections: the others wait once for their turn, and not at each statement.
        current_default_thread_limiter().total_tokens = CONNECTIONS
        await super().startup(sockets)


def server(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0, **settings: Any) -> uvicorn.Server:
    """A server that is not running yet; ``settings`` are uvicorn's (certificates, the proxy in front)."""
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="h11",  # the other one takes headers without end
            h11_max_incomplete_event_size=_HEADER_BYTES,
            ws="none",
            lifespan="off",
            proxy_headers=bool(settings.get("forwarded_allow_ips")),
            server_header=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=_PATIENCE_S,
            **settings,
        )
    )
