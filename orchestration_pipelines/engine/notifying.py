"""Delivering notices. Nothing is locked while a channel is asked: it can delay its own notices, and nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.domain.retry import backoff
from orchestration_pipelines.domain.worker import Retry
from orchestration_pipelines.engine.channels import Channel, NotTold
from orchestration_pipelines.store import faults, outbox, versions
from orchestration_pipelines.store.outbox import Told, notices

__all__ = ["LONGEST_S", "RETRY", "Delivered", "Told", "deliver", "notices"]

#: about a day in all; then somebody must look at it
RETRY = Retry(attempts=10, base_s=30, cap_s=4 * 3_600)
#: one delivery works no longer than this; what is left is the next one's
LONGEST_S = 40.0
#: a deliverer that was killed leaves its notices for this long
_LEASE = timedelta(minutes=10)


@dataclass
class Delivered:
    """What one delivery did."""

    sent: int = 0
    failed: int = 0  #: to be tried again
    dead: int = 0  #: given up: an incident says so


def deliver(
    connection: psycopg.Connection,
    channel: Channel,
    clock: Callable[[], datetime],
    *,
    seconds: float = LONGEST_S,
    chance: random.Random | None = None,
) -> Delivered:
    """Deliver what is due. At least once: a notice carries its key, by which whoever gets it twice knows it."""
    jitter = chance or random.Random()  # noqa: S311 - jitter, not a secret
    until, done = time.monotonic() + seconds, Delivered()
    while time.monotonic() < until:
        notice = outbox.take_next(connection, clock(), clock() + _LEASE)
        if notice is None:
            break
        try:
            channel(notice)
        except NotTold as error:
            _note_failure(connection, notice, str(error), clock(), jitter, done)
        else:
            outbox.mark_sent(connection, notice.id, clock())
            done.sent += 1
    return done


def _note_failure(
    connection: psycopg.Connection,
    notice: outbox.Waiting,
    error: str,
    now: datetime,
    jitter: random.Random,
    done: Delivered,
) -> None:
    wait = backoff(RETRY, notice.attempts, jitter)
    with connection.transaction():
        outbox.mark_failed(connection, notice.id, error, None if wait is None else now + wait)
        if wait is not None:
            done.failed += 1
            return
        done.dead += 1
        reason = (
            f"a notice ({notice.kind}) to {notice.person} could not be delivered in {notice.attempts} tries: {error}"
        )
        owner = versions.owner_of(connection, notice.workflow)
        faults.open_incidents(
            connection, notice.workflow, [faults.NewIncident(None, None, "not told", reason, owner)], now
        )
