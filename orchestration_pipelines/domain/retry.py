"""When a failed station is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

from orchestration_pipelines.domain.worker import Retry

#: more would leave the range of a float
_MOST_DOUBLINGS = 64


def backoff(retry: Retry, attempt: int, chance: random.Random) -> timedelta | None:
    """How long to wait after failed ``attempt`` (1 for the first); None when the attempts are used up.

    Full jitter: ``uniform(0, min(cap, base · 2^(attempt-1)))`` seconds.
    """
    if attempt >= retry.attempts:
        return None
    ceiling = min(retry.cap_s, retry.base_s * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
    return timedelta(seconds=chance.uniform(0, ceiling))
