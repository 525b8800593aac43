"""What somebody is to the console, and which kinds of things that lets them do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum


class Standing(StrEnum):
    """What somebody is, by the reserved roles that they have; whoever has none of them reviews."""

    REVIEWER = "reviewer"
    SENIOR = "senior"
    MANAGER = "manager"
    AUDITOR = "auditor"  #: reads everything, changes nothing
    ADMIN = "admin"  #: manages people and accounts, sees no case

    @property
    def words(self) -> str:
        """As a sentence says it: *a reviewer*, *an auditor*."""
        return f"{'an' if self.value.startswith('a') else 'a'} {self.value}"


#: roles that nobody has together with another (held by the database: reviewer.stands_alone)
ALONE = frozenset({Standing.AUDITOR, Standing.ADMIN})
_HIGHEST_FIRST = (Standing.ADMIN, Standing.AUDITOR, Standing.MANAGER, Standing.SENIOR)


def standing_of(roles: Collection[str]) -> Standing:
    """The standing of somebody with these roles."""
    return next((standing for standing in _HIGHEST_FIRST if standing in roles), Standing.REVIEWER)


class Right(StrEnum):
    """A kind of thing to do. Whether it may be done to *this* task or case, the database says each time."""

    OWN = "own"  #: one's own password and sessions
    WORK = "work"  #: take, decide, return, put aside, as far as one's roles let one
    READ = "read"  #: cases, queues, documents: those that one sees
    OVERSEE = "oversee"  #: read the manager's pages
    MANAGE = "manage"  #: reassign, hold, limit, replay
    PEOPLE = "people"  #: bring people in, set them absent
    ACCOUNTS = "accounts"  #: open and close accounts, end anybody's sessions
    ACCESS = "access"  #: read who signed in and who was refused


_ALL = frozenset(Standing)
_DECIDERS = frozenset({Standing.REVIEWER, Standing.SENIOR, Standing.MANAGER})

RIGHTS: Mapping[Right, frozenset[Standing]] = {
    Right.OWN: _ALL,
    Right.WORK: _DECIDERS,
    Right.READ: _ALL - {Standing.ADMIN},
    Right.OVERSEE: frozenset({Standing.MANAGER, Standing.AUDITOR}),
    Right.MANAGE: frozenset({Standing.MANAGER}),
    Right.PEOPLE: frozenset({Standing.MANAGER, Standing.ADMIN}),
    Right.ACCOUNTS: frozenset({Standing.ADMIN}),
    Right.ACCESS: frozenset({Standing.ADMIN, Standing.AUDITOR}),
}
