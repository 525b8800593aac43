"""Whole columns as PostgreSQL arrays, packed at once in the binary format.

psycopg dumps a list element by element through Python; at 2,000 elements a column that costs more than the
statement. The layout is that of ``array_send``: dimensions, null flag, element type, then length and value of
each element (PostgreSQL source, ``array_send`` in ``arrayfuncs.c``; stable since 7.4).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from orchestration_pipelines.store.copying import instant

_INT2, _INT4, _INT8, _TEXT, _BYTEA, _TIMESTAMPTZ = 21, 23, 20, 25, 17, 1184
_ARRAY_OID = {_INT2: 1005, _INT4: 1007, _INT8: 1016, _TEXT: 1009, _BYTEA: 1001, _TIMESTAMPTZ: 1185}
_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")


class Column:
    """A packed column, ready to be a statement's parameter."""

    __slots__ = ("data", "oid")

    def __init__(self, element_oid: int, count: int, has_null: bool, body: bytes) -> None:
        self.oid = _ARRAY_OID[element_oid]
        if count == 0:
            self.data = struct.pack(">iiI", 0, 0, element_oid)
        else:
            self.data = struct.pack(">iiIii", 1, int(has_null), element_oid, count, 1) + body


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> bytes:
        return obj.data


class _Int2Array(_ColumnDumper):
    oid = 1005


class _Int4Array(_ColumnDumper):
    oid = 1007


class _Int8Array(_ColumnDumper):
    oid = 1016


class _TextArray(_ColumnDumper):
    oid = 1009


class _ByteaArray(_ColumnDumper):
    oid = 1001


class _InstantArray(_ColumnDumper):
    oid = 1185


class _Int2Column(Column):
    __slots__ = ()


class _Int4Column(Column):
    __slots__ = ()


class _Int8Column(Column):
    __slots__ = ()


class _TextColumn(Column):
    __slots__ = ()


class _ByteaColumn(Column):
    __slots__ = ()


class _InstantColumn(Column):
    __slots__ = ()


_DUMPERS = {
    _InstantColumn: _InstantArray,
    _Int2Column: _Int2Array,
    _Int4Column: _Int4Array,
    _Int8Column: _Int8Array,
    _TextColumn: _TextArray,
    _ByteaColumn: _ByteaArray,
}


def _fixed(values: Sequence[int], dtype: str) -> bytes:
    width = int(dtype[-1])
    packed = np.empty(len(values), dtype=[("length", ">i4"), ("value", dtype)])
    packed["length"] = width
    packed["value"] = values
    return packed.tobytes()


def int2s(values: Sequence[int]) -> Column:
    """``smallint[]`` without nulls."""
    return _Int2Column(_INT2, len(values), False, _fixed(values, ">i2"))


def int4s(values: Sequence[int]) -> Column:
    """``int[]`` without nulls."""
    return _Int4Column(_INT4, len(values), False, _fixed(values, ">i4"))


def int8s(values: Sequence[int]) -> Column:
    """``bigint[]`` without nulls."""
    return _Int8Column(_INT8, len(values), False, _fixed(values, ">i8"))


def _varying(values: Iterable[bytes | None]) -> tuple[bool, bytes]:
    parts: list[bytes] = []
    has_null = False
    pack = _LENGTH.pack
    for value in values:
        if value is None:
            has_null = True
            parts.append(_NULL)
        else:
            parts.append(pack(len(value)))
            parts.append(value)
    return has_null, b"".join(parts)


def texts(values: Sequence[str | None]) -> Column:
    """``text[]``; None is NULL."""
    if values and values.count(values[0]) == len(values):  # one way for the whole chunk: the usual case
        has_null, body = _varying([None if values[0] is None else values[0].encode()])
        return _TextColumn(_TEXT, len(values), has_null, body * len(values))
    has_null, body = _varying([None if value is None else value.encode() for value in values])
    return _TextColumn(_TEXT, len(values), has_null, body)


def byteas(values: Sequence[bytes | None]) -> Column:
    """``bytea[]``; None is NULL. Cast it (``convert_from``) or use :func:`utf8s` for JSON."""
    has_null, body = _varying(values)
    return _ByteaColumn(_BYTEA, len(values), has_null, body)


def utf8s(values: Sequence[bytes | None]) -> Column:
    """``text[]`` from bytes that are UTF-8 already (encoded JSON); None is NULL."""
    has_null, body = _varying(values)
    return _TextColumn(_TEXT, len(values), has_null, body)


def instants(values: Sequence[datetime | None]) -> Column:
    """``timestamptz[]``; None is NULL."""
    if values.count(None) == len(values):  # the usual case
        return _InstantColumn(_TIMESTAMPTZ, len(values), True, _NULL * len(values))
    has_null, body = _varying([None if value is None else instant(value)[4:] for value in values])
    return _InstantColumn(_TIMESTAMPTZ, len(values), has_null, body)


def register(connection: psycopg.Connection) -> None:
    """Teach a connection to send :class:`Column` parameters."""
    for column, dumper in _DUMPERS.items():
        connection.adapters.register_dumper(column, dumper)
