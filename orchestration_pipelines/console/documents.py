"""Documents of a case: added by a form, handed out as attachments, never shown by the browser."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from orchestration_pipelines.console import cases, pages
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.domain.upload import MOST_BYTES
from orchestration_pipelines.engine import documents
from orchestration_pipelines.engine.documents import Document, Refused

router = APIRouter()
Worker = Annotated[Viewer, needs(Right.WORK)]
Reader = Annotated[Viewer, needs(Right.READ)]

#: a file, and what a form puts around it
_BODY_BYTES = MOST_BYTES + 64 * 1024


async def _form(request: Request, _: Worker) -> FormData:
    """What the form holds: read after it is known whose it is."""
    return await request.form(max_files=1, max_fields=8)


@router.post("/cases/{case}/documents", name="add_document", max_body_size=_BODY_BYTES)
def add_document(
    request: Request, viewer: Worker, case: pages.Number, form: Annotated[FormData, Depends(_form)]
) -> Response:
    """Add a file to a case; then its page again."""
    desk = desk_of(request)
    file, about, task = form.get("file"), form.get("about"), form.get("task")
    problem = ""
    if isinstance(file, UploadFile) and file.filename:
        with desk.connection() as connection:
            try:
                documents.add(
                    connection,
                    case,
                    name=file.filename,
                    content=file.file.read(MOST_BYTES + 1),
                    about=about if isinstance(about, str) and about else None,
                    by=viewer.person,
                    at=desk.clock(),
                )
            except Refused as error:
                problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
    else:
        problem = "No file was chosen."
    number = int(task) if isinstance(task, str) and task.isdecimal() and len(task) < 19 else None
    if problem and number is not None:
        return cases.task_page(request, viewer, number, 422, problem=problem)
    if problem:
        return cases.case_page(request, viewer, case, 422, problem=problem)
    to = pages.link(request, "case", case=case) if number is None else pages.link(request, "task", task=number)
    return Response(status_code=303, headers={"location": f"{to}#case-documents"})


@router.get("/documents/{document}", name="document")
def document(request: Request, viewer: Reader, document: pages.Number) -> Response:
    """A document as an attachment: whatever it holds, the browser runs and shows none of it."""
    with desk_of(request).connection() as connection:
        found = documents.find(connection, document, viewer.person)
    if found is None:
        raise NotFound
    return attachment(*found)


def attachment(known: Document, content: bytes) -> Response:
    """A document as it is handed out."""
    plain = known.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return Response(
        content,
        media_type=known.type,
        headers={
            # RFC 6266, with the name in full for who reads RFC 8187
            "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(known.name, safe='')}",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, no-store",
        },
    )
