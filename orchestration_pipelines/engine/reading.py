"""Reading offered files: CSV, JSON lines and Parquet, row by row. What cannot be read is a row with a reason."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from orchestration_pipelines.domain.intake import MAX_FIELD_CHARS, BadColumns, Intake
from orchestration_pipelines.engine.intake import Row

SUFFIXES = (".csv", ".jsonl", ".parquet")


class UnreadableFile(ValueError):
    """A file of which nothing can be taken; the message says why."""


def read_rows(path: Path, intake: Intake, ignore: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a file, numbered as a person would count them (the header of a CSV is line 1).

    ``ignore`` names columns that are no part of the case (who submits it, say). Columns are checked before the
    first row: :class:`BadColumns` or :class:`UnreadableFile` mean that nothing was taken.
    """
    readers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    try:
        reader = readers[path.suffix.lower()]
    except KeyError:
        raise UnreadableFile(f"{path.name} is none of {', '.join(SUFFIXES)}: name it by what it holds") from None
    if not path.is_file():
        raise UnreadableFile(f"{path.name} is a folder" if path.is_dir() else f"there is no file {path.name}")
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror}") from None
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise UnreadableFile(f"{path.name} is written in UTF-16: save it as UTF-8")
    return reader(path, intake, frozenset(ignore))


def _check(intake: Intake, columns: Sequence[str], ignore: frozenset[str]) -> None:
    intake.check_columns([column for column in columns if column not in ignore])


def _csv(path: Path, intake: Intake, ignore: frozenset[str]) -> Iterator[Row]:
    csv.field_size_limit(64 * MAX_FIELD_CHARS * 10)  # read it, to say which row and field is too long
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        try:
            header = next(reader)
        except StopIteration:
            raise UnreadableFile(f"{path.name} is empty") from None
        except csv.Error as error:
            raise UnreadableFile(f"{path.name}: the header cannot be read: {error}") from None
        if intake.key not in header and (other := [mark for mark in ";\t|" if mark in "".join(header)]):
            raise UnreadableFile(f"{path.name}: the columns are parted by {other[0]!r}: part them by commas")
        _check(intake, header, ignore)
        while True:
            number = lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                unclosed = str(error) == "unexpected end of data"
                reason = "a quote is opened and never closed" if unclosed else str(error)
                yield Row(number, {}, f"line {number} cannot be read: {reason}")
                lines.skip_one()
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                yield Row(number, {}, f"line {number} has {len(cells)} fields and the header has {len(header)}")
                continue
            yield Row(number, dict(zip(header, cells, strict=True)))


class _Lines:
    """The lines of a file, which can go back to the second of a row: a quote that is never closed spoils one line."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._again: list[str] = []  #: to be read again, the next one last
        self._row: list[str] = []  #: read for the row under way
        self._number = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._file)
        self._row.append(line)
        return line

    def begin_row(self) -> int:
        """A row begins; the number of its line."""
        self._number += len(self._row)
        self._row = []
        return self._number

    def skip_one(self) -> None:
        """The row could not be read: go on behind its first line."""
        self._again.extend(reversed(self._row[1:]))
        del self._row[1:]


def _jsonl(path: Path, intake: Intake, ignore: frozenset[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                columns = json.loads(line, parse_float=_exact, parse_constant=str, object_pairs_hook=_once)
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, f"line {number} is not JSON: {error}")
                continue
            if not isinstance(columns, dict):
                yield Row(number, {}, f"line {number} is not an object with the columns as its names")
                continue
            yield _checked(number, columns, intake, ignore)


def _checked(number: int, columns: Mapping[str, Any], intake: Intake, ignore: frozenset[str] = frozenset()) -> Row:
    """A row with columns of its own: others than those declared are its own fault."""
    try:
        _check(intake, list(columns), ignore)
    except BadColumns as error:
        return Row(number, columns, str(error))
    return Row(number, columns)


def offered(rows: Iterable[Mapping[str, Any]], intake: Intake) -> Iterator[Row]:
    """Rows that a program hands over, numbered from 1; each is checked as one of a JSON lines file is."""
    return (_checked(number, columns, intake) for number, columns in enumerate(rows, 1))


def _exact(written: str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        raise ValueError(f"{written[:40]} is beyond any number") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless it says something twice: which of the two is meant?"""
    columns = dict(pairs)
    if len(columns) < len(pairs):
        raise ValueError("a name appears twice in it")
    return columns


def _parquet(path: Path, intake: Intake, ignore: frozenset[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq  # slow to import, and few need it
    from pyarrow.lib import ArrowException

    try:
        file = pq.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise UnreadableFile(f"{path.name} is not a Parquet file: {error}") from None
    _check(intake, file.schema_arrow.names, ignore)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=5_000):
            for columns in batch.to_pylist():
                number += 1
                yield Row(number, _plain(columns))
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        raise UnreadableFile(
            f"{path.name} is damaged behind row {number}: {error}. Mend it and submit it again: rows that were taken "
            "are duplicates then"
        ) from None


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: bytes(value).decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in columns.items()
    }
