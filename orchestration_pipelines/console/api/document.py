"""The OpenAPI document: what FastAPI writes of the routes, and what only we know of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from orchestration_pipelines.console.api.problems import ProblemDetails

_REPLAYED = {
    "description": "true: this is the answer of the first time; nothing was done now.",
    "schema": {"type": "string", "const": "true"},
}
_RETRY = {"description": "Seconds to wait.", "schema": {"type": "string"}}
_CHALLENGE = {"description": "How to come in (RFC 6750).", "schema": {"type": "string"}}
#: headers of answers, by status
_HEADERS = {
    "401": {"WWW-Authenticate": _CHALLENGE},
    "429": {"Retry-After": _RETRY},
    "503": {"Retry-After": _RETRY},
}


def complete(api: FastAPI) -> None:
    """Have the interface tell all of its answers."""
    write = api.openapi

    def written() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _completed(write())
        return api.openapi_schema

    api.openapi = written  # type: ignore[method-assign]  # FastAPI's own way to change its document


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    told = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(told.pop("$defs", {}))
    schemas["ProblemDetails"] = told
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path in document["paths"].values():
        for method, operation in path.items():
            for status, answer in operation["responses"].items():
                headers = dict(_HEADERS.get(status, {}))
                if method == "post" and status.startswith("2"):
                    headers["Idempotency-Replayed"] = _REPLAYED
                if headers:
                    answer["headers"] = {**answer.get("headers", {}), **headers}
    return document
