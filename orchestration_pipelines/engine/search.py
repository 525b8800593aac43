"""Finding a case by its key, or by how that begins, over all workflows: among what somebody may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from orchestration_pipelines.engine.access import seen_by
from orchestration_pipelines.store import search as table
from orchestration_pipelines.store.search import Hit

__all__ = ["Found", "Hit", "find"]

_SHOWN = 50
#: so many that begin alike are looked through for what somebody may see
_LOOKED_AT = 500


class Found(NamedTuple):
    """What a search found, in order of keys."""

    hits: Sequence[Hit]
    more: bool  #: there may be others, which more of the key would tell apart


def find(connection: psycopg.Connection, person: str, typed: str) -> Found:
    """Cases whose keys begin with what was typed, in capitals or small letters too, and that somebody may see."""
    wanted = typed.strip()
    if not wanted:
        return Found([], False)
    spellings = list(dict.fromkeys((wanted, wanted.upper(), wanted.lower())))
    candidates = table.beginning(connection, spellings, _LOOKED_AT)
    seen = set(seen_by(connection, person, candidates))
    visible = [case for case in candidates if case in seen]
    more = len(visible) > _SHOWN or len(candidates) == _LOOKED_AT
    return Found(table.hits(connection, visible[:_SHOWN]), more)
