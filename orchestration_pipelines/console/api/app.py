"""The interface as one thing to mount: ``app.mount("/api/v1", create_api(desk))``. It has no page and no cookie."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from orchestration_pipelines.console.api import cases, documents, manage, queues, refusals, tasks
from orchestration_pipelines.console.api.document import complete
from orchestration_pipelines.engine.desk import Desk

PATH = "/api/v1"
#: the rows of a submission; a document has a limit of its own
BODY_BYTES = 8 * 1024 * 1024
_ABOUT = """What people do in the console, for programs.

A client acts in the name of one person, and may never do what they may not. Every request bears its token
(`Authorization: Bearer`). Every POST has a key of its own (`Idempotency-Key`): sent again under the same key, it is not
done again, and answered as the first time. A decision names the state that it was made on (`If-Match`). What is refused
is told as problem details (RFC 9457)."""

ROUTERS: tuple[APIRouter, ...] = (tasks.router, queues.router, cases.router, documents.router, manage.router)


def create_api(desk: Desk) -> FastAPI:
    """The interface over a desk."""
    api = FastAPI(
        title="Orchestration pipelines",
        summary="Human work as an interface",
        description=_ABOUT,
        version=version("orchestration-pipelines"),
        generate_unique_id_function=lambda route: route.name,
        openapi_url="/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        max_body_size=BODY_BYTES,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    api.state.desk = desk
    for router in ROUTERS:
        api.include_router(router)
    refusals.install(api)
    complete(api)
    return api
