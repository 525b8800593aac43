"""Offered files: three formats of the same data are the same cases; what cannot be read is named by its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration_pipelines.domain.intake import BadColumns, Field, Intake
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.reading import UnreadableFile, read_rows

INTAKE = Intake(
    key="case_key",
    fields=(Field("amount", "number", False), Field("name", "text", True), Field("paid", "flag", True)),
)
DATA: list[dict[str, Any]] = [
    {"case_key": "A", "amount": 1, "name": "Ann, B.", "paid": True},
    {"case_key": "B", "amount": 2.5, "name": 'says "no"', "paid": False},
    {"case_key": "C", "amount": 0.1, "name": None, "paid": None},
    {"case_key": "D", "amount": 1e6, "name": "two\nlines", "paid": True},
]


def written(place: Path, name: str, content: str | bytes) -> Path:
    path = place / name
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    return path


def read(path: Path) -> list[Row]:
    return list(read_rows(path, INTAKE))


def as_csv(rows: list[dict[str, Any]]) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_three_formats_of_the_same_data_have_the_same_digests(tmp_path: Path) -> None:
    """Equal after typing: the same file as CSV, JSON lines and Parquet is a duplicate of itself."""
    pq.write_table(pa.Table.from_pylist(DATA), tmp_path / "d.parquet")
    files = [
        written(tmp_path, "d.csv", as_csv(DATA)),
        written(tmp_path, "bom.csv", "\ufeff" + as_csv(DATA)),
        written(tmp_path, "d.jsonl", "\n".join(map(json.dumps, DATA))),
        tmp_path / "d.parquet",
    ]
    digests = [[INTAKE.offer(row.columns).digest for row in read(path)] for path in files]
    assert len(digests[0]) == 4
    assert digests == [digests[0]] * 4


def test_a_malformed_line_of_a_csv_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Too few fields, too many, text behind a quote, a quote never closed: one bad row each, by its line."""
    lines = [
        "case_key,amount,name,paid",
        "A,1,a,1",
        "B,1",
        "C,1,c,1,extra",
        'D,1,"d"x,1',
        'E,1,"never closed,1',
        "F,1,f,1",
        'G,1,"two',
        'lines",1',
        "",
        "H,1,h,1",
    ]
    rows = read(written(tmp_path, "bad.csv", "\n".join(lines) + "\n"))
    bad = {row.no: row.unreadable for row in rows if row.unreadable}
    good = [(row.no, row.columns["case_key"]) for row in rows if not row.unreadable]
    assert sorted(bad) == [3, 4, 5, 6]
    assert all(f"line {number} " in str(reason) for number, reason in bad.items())
    assert good == [(2, "A"), (7, "F"), (8, "G"), (11, "H")]


def test_a_quote_never_closed_at_the_end_of_a_csv_is_one_bad_row(tmp_path: Path) -> None:
    """Nothing behind it is swallowed."""
    rows = read(written(tmp_path, "open.csv", 'case_key,amount,name,paid\nA,1,"open,1\nB,1,b,1\nC,1,c,1\n'))
    assert [(row.no, row.columns.get("case_key")) for row in rows] == [(2, None), (3, "B"), (4, "C")]


def test_a_line_that_is_no_json_object_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Broken, a list, an unknown or a missing column, nested without end; numbers that are none."""
    lines = [
        '{"case_key": "A", "amount": 1, "name": null, "paid": null}',
        '{"case_key": "B", "amount"',
        "[1, 2]",
        '{"case_key": "D", "amount": 1, "name": "d", "paid": true, "more": 1}',
        '{"case_key": "E"}',
        "[" * 100_000,
        '{"case_key": "G", "amount": NaN, "name": null, "paid": null}',
        '{"case_key": "H", "amount": 1e400, "name": null, "paid": null}',
        "",
        '{"case_key": "J", "amount": 0.30, "name": null, "paid": null}',
    ]
    rows = read(written(tmp_path, "bad.jsonl", "\n".join(lines)))
    assert [row.no for row in rows if row.unreadable] == [2, 3, 4, 5, 6]
    assert "'more'" in str(rows[3].unreadable)
    assert "missing column 'amount'" in str(rows[4].unreadable)
    assert [row.no for row in rows if not row.unreadable] == [1, 7, 8, 10]
    with pytest.raises(ValueError, match="not a number"):
        INTAKE.offer(rows[6].columns)
    with pytest.raises(ValueError, match="digits"):
        INTAKE.offer(rows[7].columns)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("case_key,name,paid", "missing column 'amount'"),
        ("case_key,amount,name,paid,surprise", "unknown column 'surprise'"),
        ("case_key,amount,amount,name,paid", "'amount' appears twice"),
    ],
)
def test_wrong_columns_take_nothing_and_are_named(tmp_path: Path, header: str, said: str) -> None:
    """A file of another shape is refused whole, before its first row."""
    path = written(tmp_path, "columns.csv", header + "\n" + ",".join("1" * header.count(",")) + "\n")
    with pytest.raises(BadColumns, match=said):
        read(path)


@pytest.mark.parametrize("name", ["none.csv", "empty.csv", "letter.txt", "false.parquet"])
def test_a_file_that_is_none_says_so(tmp_path: Path, name: str) -> None:
    """Not there, empty, of an unknown kind, or not what its name says: one sentence with the name."""
    if name != "none.csv":
        written(tmp_path, name, "" if name == "empty.csv" else "no parquet")
    with pytest.raises(UnreadableFile, match=name):
        read(tmp_path / name)


def test_ten_megabytes_in_a_field_are_read_to_be_refused_by_name(tmp_path: Path) -> None:
    """The row is bad, its neighbours are not."""
    content = f"case_key,amount,name,paid\nA,1,a,1\nB,1,{'x' * 10_000_000},1\nC,1,c,1\n"
    rows = read(written(tmp_path, "big.csv", content))
    assert [row.no for row in rows] == [2, 3, 4]
    with pytest.raises(ValueError, match="field 'name' has 10,000,000 characters"):
        INTAKE.offer(rows[1].columns)


def test_bytes_that_are_no_text_are_refused_by_name(tmp_path: Path) -> None:
    """Latin-1 in a UTF-8 file, and a NUL byte."""
    rows = read(written(tmp_path, "bytes.csv", b"case_key,amount,name,paid\nA,1,caf\xe9,1\nB,1,a\x00b,1\nC,1,c,1\n"))
    for row, said in zip(rows, ["not valid Unicode", "NUL byte", None], strict=True):
        if said is None:
            assert INTAKE.offer(row.columns).key == "C"
        else:
            with pytest.raises(ValueError, match=f"field 'name' .*{said}"):
                INTAKE.offer(row.columns)
