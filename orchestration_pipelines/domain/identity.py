"""Where ids and keys are made."""

from __future__ import annotations

import struct
from hashlib import sha256

_LENGTH = struct.Struct(">I")


def idempotency_key(workflow: str, case_key: str, scope: str, element: str, visit: int) -> str:
    """The key under which an external effect of one visit lands: the same over all its retries.

    Each part is prefixed with its length, so that no two different lists of parts hash alike.
    """
    digest = sha256()
    for part in (workflow, case_key, scope, element, str(visit)):
        encoded = part.encode()
        digest.update(_LENGTH.pack(len(encoded)))
        digest.update(encoded)
    return digest.hexdigest()


def approval_id(case_id: int, visit: int) -> str:
    """The id of the approval given at one visit of a decision or a user task."""
    return f"A-{case_id}-{visit}"
