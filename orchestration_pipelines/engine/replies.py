"""One request, one act, one answer: what a client asks again under the same key is answered as the first time.

The key, the act and the answer are one transaction: a crash leaves all of them, or none. What a rule refused is an
answer like any other; what failed is not, and may be tried again under its key. (IETF draft
httpapi-idempotency-key-header.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import psycopg

from orchestration_pipelines.domain.client import REPLY_KEPT
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.store import clients as table
from orchestration_pipelines.store.clients import Reply
from orchestration_pipelines.store.refusal import FORBIDDEN, STALE, WRONG, Refused

__all__ = ["FORBIDDEN", "STALE", "WRONG", "KeyInUse", "KeyUsed", "Refused", "Reply", "forget", "once"]

_AT_ONCE = 10_000


class KeyInUse(RuntimeError):
    """A request under this key is under way: ask again in a moment, with the same key."""


class KeyUsed(RuntimeError):
    """This key belongs to another request: use a new one for each, and the same one for its repetitions only."""


def once(
    connection: psycopg.Connection,
    client: str,
    key: str,
    request: bytes,
    act: Callable[[psycopg.Connection], Reply],
    *,
    at: datetime,
) -> tuple[Reply, bool]:
    """Do ``act`` unless it was done under this key; the answer, and whether it is the one of before.

    ``request`` is the digest of all that was asked. What ``act`` does is in the one transaction; it turns a rule's
    refusal into its answer itself, with nothing of the refused act left behind.
    """
    with connection.transaction():
        if not table.take_key(connection, client, key):
            raise KeyInUse
        before = table.reply_to(connection, client, key)
        if before is not None:
            if before[0] != request:
                raise KeyUsed
            return before[1], True
        reply = act(connection)
        reached("acted")
        table.keep_reply(connection, client, key, request, reply, at)
    reached("answered")
    return reply, False


def forget(connection: psycopg.Connection, at: datetime) -> int:
    """Delete the answers that are older than they are kept; how many."""
    forgotten = 0
    while some := table.forget_replies(connection, at - REPLY_KEPT, _AT_ONCE):
        forgotten += some
    return forgotten
