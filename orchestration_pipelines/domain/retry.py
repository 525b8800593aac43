"""When a failed station is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

from orchestration_pipelines.domain.worker import Retry


def backoff(retry: Retry, attempt: int, chance: random.Random) -> timedelta | None:
    """How long to wait after failed ``attempt`` (1 for the first); None when the attempts are used up.

    Full jitter: ``uniform(0, min(cap, base · 2^(attempt-1)))`` seconds.
    """
    if attempt >= retry.attempts:
        return None
    ceiling = min(retry.cap_s, retry.base_s * 2 ** (attempt - 1))
    return timedelta(seconds=chance.uniform(0, ceiling))
