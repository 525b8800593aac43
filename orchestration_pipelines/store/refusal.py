"""What the database refuses by a rule of ours, as an error whose message is the rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

#: SQLSTATEs that the triggers and functions of 0001_authority.sql raise
_OURS = "OP"


#: why the database refuses: it is over, this person may not, it changed since it was shown, it is not written right
GONE, FORBIDDEN, STALE, WRONG = "OP001", "OP002", "OP003", "OP004"


class Refused(ValueError):
    """What was asked breaks a rule; the message names it. Nothing was changed."""

    def __init__(self, rule: str, state: str = "") -> None:
        self.state = state  #: the SQLSTATE, where the database refused: :data:`STALE`, say
        super().__init__(rule)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a rule's refusal by the database into :class:`Refused`."""
    try:
        yield
    except psycopg.DatabaseError as error:
        if (error.sqlstate or "").startswith(_OURS):
            raise Refused(error.diag.message_primary or str(error), error.sqlstate or "") from None
        raise
