"""The record's arithmetic: a commitment for each entry, and a chain for each case.

``commitment = SHA-256(salt ‖ body)`` over the stored bytes, so that a body can be erased and its commitment
still stand; ``hash = SHA-256(previous hash ‖ commitment)``. The SQL function ``append_audit`` computes the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

#: the hash before a case's first entry
GENESIS = b""
SALT_BYTES = 16


class Entry(NamedTuple):
    """A stored entry, as far as the chain is concerned."""

    seq: int
    salt: bytes
    body: bytes
    commitment: bytes
    prev: bytes


def commitment(salt: bytes, body: bytes) -> bytes:
    """What an entry commits to."""
    return sha256(salt + body).digest()


def chained(prev: bytes, committed: bytes) -> bytes:
    """The hash of an entry: the next entry's ``prev``, or the case's head."""
    return sha256(prev + committed).digest()


def broken_at(entries: Iterable[Entry], head: bytes) -> str | None:
    """What is wrong with a case's chain, or None: dense numbers, true commitments, linked hashes, the head."""
    expected, prev = 1, GENESIS
    for entry in entries:
        if entry.seq != expected:
            return f"entry {expected} is missing"
        if len(entry.salt) != SALT_BYTES:
            return f"entry {entry.seq} was changed: its salt has {len(entry.salt)} bytes and not {SALT_BYTES}"
        if commitment(entry.salt, entry.body) != entry.commitment:
            return f"entry {entry.seq} was changed: its body is not what it committed to"
        if entry.prev != prev:
            return f"entry {entry.seq} does not follow entry {entry.seq - 1}"
        expected, prev = expected + 1, chained(prev, entry.commitment)
    return None if prev == head else "the chain does not end at the case's head"
