"""Documents of cases: added as they are, and handed out again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from orchestration_pipelines.console.api.calls import Act, Call, acts, calls
from orchestration_pipelines.console.api.exact import Asking
from orchestration_pipelines.console.api.problems import ACTS, READS, Kind, Problem, documented
from orchestration_pipelines.console.documents import attachment
from orchestration_pipelines.console.pages import Number
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.domain.upload import MOST_BYTES
from orchestration_pipelines.engine import documents
from orchestration_pipelines.engine.access import seen_by
from orchestration_pipelines.engine.documents import Document

router = APIRouter(tags=["documents"])
Reader = Annotated[Call, calls(Scope.READ, Right.READ)]
Submitter = Annotated[Act, acts(Scope.SUBMIT, Right.WORK)]

_FILE: dict[str, Any] = {
    "description": "The file as it is. What it is, its content says.",
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_HANDED_OUT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as an attachment.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class File(Asking):
    """What is added."""

    name: str = Field(min_length=1, max_length=400, description="What the file is called.")
    about: str | None = Field(None, max_length=200, description="The fact that it shows.")


class DocumentLine(BaseModel):
    """A file that was added to a case."""

    document: int
    name: str
    type: str
    size: int
    sha256: str
    about: str | None = Field(description="The fact that it shows.")
    added_by: str
    added_at: datetime


@router.post(
    "/cases/{case}/documents",
    response_model=DocumentLine,
    status_code=201,
    responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED),
    openapi_extra={"requestBody": _FILE},
    max_body_size=MOST_BYTES + 1,
)
def add_document(
    act: Submitter,
    case: Number,
    file: Annotated[File, Query()],
) -> Response:
    """Add a file to a case; its type is told by its content, and its name is cleaned."""

    def do(connection: psycopg.Connection) -> DocumentLine:
        if case not in seen_by(connection, act.person, [case]):
            raise Problem(Kind.NOT_FOUND, f"there is no case {case} that this client sees")
        added = documents.add(
            connection,
            case,
            name=file.name,
            content=act.body,
            about=file.about,
            by=act.person,
            at=act.at,
            asserted_by=act.asserted_by,
        )
        return document_line(added)

    return act.once(do, 201)


@router.get(
    "/documents/{document}", response_class=Response, responses={**_HANDED_OUT, **documented(*READS, Kind.NOT_FOUND)}
)
def document(call: Reader, document: Number) -> Response:
    """A file that was added to a case."""
    with call.desk.connection() as connection:
        found = documents.find(connection, document, call.person)
        if found is None:
            call.note(connection, "not found")
            raise Problem(Kind.NOT_FOUND, f"there is no document {document} that this client sees")
    return attachment(*found)


def document_line(document: Document) -> DocumentLine:
    """A document, as it is told."""
    return DocumentLine(
        document=document.id,
        name=document.name,
        type=document.type,
        size=document.size,
        sha256=document.digest,
        about=document.about,
        added_by=document.added_by,
        added_at=document.added_at,
    )
