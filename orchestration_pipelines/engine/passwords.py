"""Hashing passwords with argon2id (RFC 9106), a few at once: each takes memory and time, which is the point."""

from __future__ import annotations

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

#: so many hashes at once: 64 MiB each
_AT_ONCE = 4
_WORDS = 5
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


class Passwords:
    """Hashes and verifies; what is verified for nobody takes as long as for somebody."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # RFC 9106, second recommended option: 64 MiB, 3 passes
        self._turn = BoundedSemaphore(_AT_ONCE)
        self._nobodys = self.hashed(secrets.token_urlsafe())

    def hashed(self, password: str) -> str:
        """The hash to keep, with its parameters and salt."""
        with self._turn:
            return self._hasher.hash(password)

    def verifies(self, kept: str | None, password: str) -> bool:
        """Whether it is the password of this hash. Without one it is not, and that takes as long to say."""
        with self._turn:
            try:
                return self._hasher.verify(kept or self._nobodys, password) and kept is not None
            except (VerifyMismatchError, InvalidHashError):
                return False

    def aged(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def generated() -> str:
    """A password to hand over: five words that can be said aloud, about 92 bits."""
    return "-".join("".join(secrets.choice(_SYLLABLES) for _ in range(3)) for _ in range(_WORDS))
