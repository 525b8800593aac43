"""Where ids and keys are made."""

from __future__ import annotations

import struct
from functools import lru_cache
from hashlib import sha256

_LENGTH = struct.Struct(">I")


def idempotency_key(workflow: str, case_key: str, scope: str, element: str, visit: int) -> str:
    """The key under which an external effect of one visit lands: the same over all its retries.

    Each part is prefixed with its length, so that no two different lists of parts hash alike.
    """
    named = b"".join(
        (
            _prefixed(workflow),
            _LENGTH.pack(len(key := case_key.encode())),
            key,
            _prefixed(scope),
            _prefixed(element),
            _prefixed(str(visit)),
        )
    )
    return sha256(named).hexdigest()


@lru_cache(maxsize=1024)
def _prefixed(part: str) -> bytes:
    encoded = part.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def length_prefixed(*parts: str) -> bytes:
    """Parts as one, each behind its length: no two different lists of parts read alike."""
    return b"".join(_prefixed(part) for part in parts)


def approval_id(case_id: int, visit: int) -> str:
    """The id of the approval given at one visit of a decision or a user task."""
    return f"A-{case_id}-{visit}"
