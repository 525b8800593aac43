"""Clients of the interface: programs that act in the name of one person, and no further than they may."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256


class Scope(StrEnum):
    """What a client is for. It narrows what its person may do and never widens it."""

    READ = "read"
    WORK = "work"  #: take tasks and give them back
    DECIDE = "decide"
    SUBMIT = "submit"  #: new cases, and documents to them
    MANAGE = "manage"  #: what managers and admins do


#: how long a token may live at the most; the database holds it too
LONGEST = timedelta(days=366)
#: answers are kept at least this long for whoever asks again under the same key
REPLY_KEPT = timedelta(hours=24)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
#: so that a scanner of secrets knows one that has leaked
TOKEN_PREFIX = "orch_"  # noqa: S105 - how every token begins


def is_name(name: str) -> bool:
    """Whether a client can be called so: small letters, digits, dots, dashes."""
    return _NAME.match(name) is not None


def token_hash(token: str) -> bytes:
    """What is kept of a token. It is 256 random bits: no slow hash is needed to guard against guessing."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def speaks_for(name: str) -> str:
    """A client in the record, beside the person in whose name it acted."""
    return f"client:{name}"
