"""What a no looks like to a program: problem details (RFC 9457), in the words that a person would read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.engine.replies import Reply

MEDIA_TYPE = "application/problem+json"


class Kind(Enum):
    """The kinds of no: a word that a program can rely on, the status, and what it means."""

    NO_KEY = ("no-key", 400, "A request that changes something needs a key of its own")
    UNREADABLE = ("unreadable", 400, "The body is not the JSON that was expected")
    UNKNOWN_CLIENT = ("unknown-client", 401, "A token of a client is needed")
    FORBIDDEN = ("forbidden", 403, "This client may not do that")
    NOT_FOUND = ("not-found", 404, "There is nothing there that this client sees")
    NO_SUCH_METHOD = ("no-such-method", 405, "That cannot be done there")
    GONE = ("gone", 410, "It is over")
    REFUSED = ("refused", 409, "A rule refuses it")
    UNDER_WAY = ("under-way", 409, "The same request is under way")
    STALE = ("stale", 412, "What was looked at has changed since")
    TOO_LARGE = ("too-large", 413, "That is larger than what is taken here")
    INVALID = ("invalid", 422, "What was sent does not fit")
    KEY_USED = ("key-used", 422, "The key belongs to another request")
    UNSEEN = ("unseen", 428, "A decision must say what it was made on")
    TOO_MANY = ("too-many", 429, "Too many wrong tokens")
    FAULT = ("fault", 500, "Something is broken here")
    BUSY = ("busy", 503, "The database does not answer in time")

    def __init__(self, word: str, status: int, title: str) -> None:
        self.word, self.status, self.title = word, status, title


class Detail(BaseModel):
    """One thing that does not fit."""

    where: str = Field(description="The field, as a path: body.outcome, query.limit, header.if-match.")
    what: str = Field(description="What is wrong with it.")


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The kind of problem: urn:orchestration-pipelines:problem: and a word.")
    title: str = Field(description="What the kind means.")
    status: int = Field(description="The HTTP status, once more.")
    detail: str = Field(description="What is wrong this time, and what to do.")
    errors: list[Detail] | None = Field(None, description="Of a request that does not fit: each thing that does not.")
    changed: list[str] | None = Field(None, description="Of something stale: what is different now, in words.")


class Problem(Exception):
    """A request that is not done. Nothing was changed."""

    def __init__(self, kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.headers, self._more = kind, dict(headers or {}), more

    def reply(self) -> Reply:
        """The answer."""
        told = {
            "type": urn(self.kind),
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": str(self),
            **self._more,
        }
        return Reply(self.kind.status, {**self.headers, "content-type": MEDIA_TYPE}, encode(told))


#: what any request may be answered with, and what in addition any that changes something
READS = (Kind.UNKNOWN_CLIENT, Kind.FORBIDDEN, Kind.INVALID, Kind.TOO_MANY, Kind.FAULT, Kind.BUSY)
ACTS = (*READS, Kind.NO_KEY, Kind.UNREADABLE, Kind.UNDER_WAY, Kind.TOO_LARGE, Kind.KEY_USED)
#: the answer of something that has an ETag
TAGGED: dict[str, Any] = {
    "headers": {"ETag": {"description": "The state of it, for If-Match.", "schema": {"type": "string"}}}
}


def urn(kind: Kind) -> str:
    """The name of a kind of problem, for ever."""
    return f"urn:orchestration-pipelines:problem:{kind.word}"


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The answers of these kinds, as the OpenAPI document describes them."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        of_status = by_status.setdefault(
            kind.status,
            {
                "description": HTTPStatus(kind.status).phrase,
                "content": {
                    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": {}},
                },
            },
        )
        of_status["content"][MEDIA_TYPE]["examples"][kind.word] = {
            "summary": kind.title,
            "value": {"type": urn(kind), "title": kind.title, "status": kind.status, "detail": _EXAMPLES[kind]},
        }
    return by_status


_EXAMPLES: Mapping[Kind, str] = {
    Kind.NO_KEY: "send a header Idempotency-Key with a new random value, and the same value if you send it again",
    Kind.UNREADABLE: "There was an error parsing the body",
    Kind.UNKNOWN_CLIENT: "this token is not, or no longer, that of a client: an admin makes one "
    "(orchestrate clients create)",
    Kind.FORBIDDEN: "the client crm has not the scope decide",
    Kind.NOT_FOUND: "there is no task 17 that this client sees",
    Kind.NO_SUCH_METHOD: "Method Not Allowed",
    Kind.GONE: "task 17 is no longer open: it was decided by ann at 2026-03-02 09:00:00+00",
    Kind.REFUSED: "task 17 is claimed by ann since 2026-03-02 09:00:00+00: ask them to release it, or a manager to "
    "reassign it",
    Kind.UNDER_WAY: "a request under this key is under way: send it again in a moment, with the same key",
    Kind.STALE: "task 17 is not as it was looked at: get it again, and decide on what it is now",
    Kind.TOO_LARGE: "Content Too Large",
    Kind.INVALID: "body.outcome: Input should be 'approve', 'reject', 'return' or 'escalate'",
    Kind.KEY_USED: "this key belongs to another request: use a new one for each, and the same one for its repetitions",
    Kind.UNSEEN: "send a header If-Match with the ETag of the task as you looked at it",
    Kind.TOO_MANY: "too many wrong tokens from this address: wait, and send the right one",
    Kind.FAULT: "nothing was changed; tell whoever runs this the number 5f0c12ab34de: the log has the rest",
    Kind.BUSY: "nothing was changed: try again in a moment",
}
