"""Queues: what waits in each, and how long."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import psycopg
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from orchestration_pipelines.console.api.calls import Call, calls
from orchestration_pipelines.console.api.problems import READS, documented
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import listing
from orchestration_pipelines.engine.backlog import summed

router = APIRouter(tags=["queues"])


class Queue(BaseModel):
    """A queue, with what the client's person sees waiting in it."""

    workflow: str
    queue: str
    title: str
    role: str = Field(description="Who may decide.")
    owner: str
    strategy: str = Field(description="pull, or how its tasks are given out.")
    limit: int | None = Field(description="So many may be in hand at once; null: no limit.")
    waiting: int = Field(description="Tasks in nobody's hand.")
    in_hand: int
    past_due: int
    oldest: datetime | None = Field(description="Since when the oldest waits that is in nobody's hand.")


class Queues(BaseModel):
    """The queues that the client's person sees."""

    at: datetime = Field(description="When it was counted: under load, a moment ago.")
    queues: list[Queue]


@router.get("/queues", response_model=Queues, responses=documented(*READS))
def queues(call: Annotated[Call, calls(Scope.READ, Right.READ)]) -> Response:
    """The queues, with depth, age and deadlines."""

    def look(connection: psycopg.Connection) -> Queues:
        figures = call.desk.backlog.figures(connection, call.desk.clock())
        roles = call.client.person_roles
        told = []
        for queue in listing.queues_seen(figures, roles):
            sums = summed(listing.heaps_seen(connection, figures, queue, call.person, roles))
            told.append(
                Queue(
                    workflow=queue.workflow,
                    queue=queue.name,
                    title=queue.title,
                    role=queue.role,
                    owner=queue.owner,
                    strategy=queue.strategy,
                    limit=queue.wip_limit,
                    waiting=sums.waiting,
                    in_hand=sums.in_hand,
                    past_due=sums.past_due,
                    oldest=sums.oldest,
                )
            )
        return Queues(at=figures.at, queues=told)

    return call.read(look)
