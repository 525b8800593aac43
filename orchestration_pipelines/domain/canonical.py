"""Values as JSON bytes and back: one encoding for the database, the audit and every digest.

Numbers are Decimal on the way in and stay exact on the way out; no value passes through float.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def decode(data: bytes) -> Any:
    """Python values of JSON text; numbers with a fraction or exponent are Decimal."""
    return _decoder.decode(data)


def encode(value: Any) -> bytes:
    """JSON text with sorted keys; TypeError for what JSON cannot hold, ValueError for NaN and infinities."""
    return _encoder.encode(value)


def exact(value: Any) -> Any:
    """``value`` with every float replaced by the Decimal of its shortest text; refuses what is not finite.

    A worker may compute with floats; what it returns is stored exactly as it would be printed.
    """
    if type(value) in _EXACT_ALREADY:
        return value
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _finite(Decimal(float.__repr__(value)))  # NumPy's floats have a repr of their own
    if isinstance(value, Decimal):
        return _finite(value)
    if isinstance(value, Mapping):
        return {_name(key): exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    raise TypeError(
        f"a {type(value).__name__} cannot be kept in a case: return text, numbers, true/false, None, lists or dicts"
    )


_EXACT_ALREADY = frozenset({type(None), str, bool, int})


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ValueError(f"{number} is not a number that can be kept in a case")
    return number


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is not text: a case's variables are named by text")
    return key
