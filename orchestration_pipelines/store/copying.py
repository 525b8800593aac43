"""Rows for COPY, packed in the binary format: the fastest way in (PostgreSQL documentation, COPY, "Binary Format")."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg

_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NULL = struct.pack(">i", -1)

_INT8 = struct.Struct(">iq")
_INT4 = struct.Struct(">ii")
_INT2 = struct.Struct(">ih")
_LENGTH = struct.Struct(">i")


def int8(value: int) -> bytes:
    """A bigint field."""
    return _INT8.pack(8, value)


def int4(value: int) -> bytes:
    """An int field."""
    return _INT4.pack(4, value)


def int2(value: int) -> bytes:
    """A smallint field."""
    return _INT2.pack(2, value)


def varying(value: bytes) -> bytes:
    """A bytea field, or a text field that is UTF-8 already."""
    return _LENGTH.pack(len(value)) + value


def text(value: str) -> bytes:
    """A text field."""
    return varying(value.encode())


def instant(value: datetime) -> bytes:
    """A timestamptz field."""
    return _INT8.pack(8, (value - _EPOCH) // _MICROSECOND)


def jsonb(value: bytes) -> bytes:
    """A jsonb field from JSON text."""
    return _LENGTH.pack(len(value) + 1) + b"\x01" + value


def row(*fields: bytes) -> bytes:
    """One row."""
    return struct.pack(">h", len(fields)) + b"".join(fields)


def copy_rows(connection: psycopg.Connection, statement: str, rows: Sequence[bytes]) -> None:
    """Send packed rows with a ``COPY table (columns) FROM STDIN (FORMAT binary)`` statement of ours."""
    if not rows:
        return
    with connection.cursor().copy(statement.encode()) as copy:
        copy.write(_HEADER + b"".join(rows) + _TRAILER)
