"""Event logs: imported, measured, written out again; foreign files that are broken or hostile."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.flow import figures
from orchestration_pipelines.domain.log_mapping import BadMapping, LogMapping, read_mapping
from orchestration_pipelines.engine.event_logs import export_log, import_log, stored
from orchestration_pipelines.engine.log_reading import read_log
from orchestration_pipelines.engine.reading import UnreadableFile
from orchestration_pipelines.engine.xes import write_xes
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.conftest import shared

_AT = datetime(2026, 3, 2, tzinfo=UTC)
_UCI = {
    "case": "number",
    "activity": "incident_state",
    "timestamp": {"column": "sys_updated_at", "format": "%d/%m/%Y %H:%M", "zone": "UTC"},
    "resource": "sys_updated_by",
    "missing": ["?"],
    "breached": {"column": "made_sla", "is": ["false"]},
    "reopened": {"column": "reopen_count", "is_not": ["0"]},
}


def _uci() -> Path:
    return shared("data") / "uci498_category42.csv.gz"


def test_figures_of_a_real_log_are_those_worked_out_another_way() -> None:
    """UCI 498, category 42: with the standard library alone (csv, sorted, statistics), and as numbers written down."""
    cases: dict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
    last: dict[str, dict[str, str]] = {}
    with gzip.open(_uci(), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.strptime(row["sys_updated_at"], "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
            cases[row["number"]].append((at, row["incident_state"], row["sys_updated_by"]))
            last[row["number"]] = row
    events = {case: sorted(found, key=lambda event: event[0]) for case, found in cases.items()}
    leads = [(found[-1][0] - found[0][0]) / timedelta(hours=1) for found in events.values()]
    firsts = sorted(found[0][0] for found in events.values())
    gaps = [(later - earlier) / timedelta(hours=1) for earlier, later in itertools.pairwise(firsts)]
    percentiles = statistics.quantiles(leads, n=100, method="inclusive")  # type 7
    days = (max(found[-1][0] for found in events.values()) - firsts[0]) / timedelta(days=1)

    found = figures(read_log(_uci(), read_mapping(_UCI)).log)
    assert (found.cases, found.events) == (3_558, 15_712) == (len(events), sum(map(len, events.values())))
    lead = found.lead_time_hours
    assert (lead.mean, lead.p50, lead.p85, lead.p95) == pytest.approx(
        (statistics.fmean(leads), percentiles[49], percentiles[84], percentiles[94])
    )
    assert (lead.mean, lead.p50, lead.p85, lead.p95) == pytest.approx(
        (225.5591, 121.0833, 262.6267, 534.2192), abs=1e-4
    )
    assert found.interarrival_hours == pytest.approx({"mean": statistics.fmean(gaps), "p50": statistics.median(gaps)})
    assert found.interarrival_hours == pytest.approx({"mean": 2.383413, "p50": 0.15}, abs=1e-6)
    assert found.throughput_per_day == pytest.approx(len(events) / days)
    assert found.mean_wip == pytest.approx(sum(leads) / 24 / days)
    assert (
        found.rework_cases
        == 1_573
        == sum(max(Counter(state for _, state, _ in case).values()) > 1 for case in events.values())
    )
    assert (
        found.handovers
        == 8_520
        == sum(one[2] != other[2] for case in events.values() for one, other in itertools.pairwise(case))
    )
    assert found.activities["Awaiting User Info"] == 1_248
    assert found.reopened_cases == 33 == sum(row["reopen_count"] != "0" for row in last.values())
    assert found.breached_cases == 689 == sum(row["made_sla"] == "false" for row in last.values())


def test_a_log_is_kept_and_measured_and_the_same_file_again_is_known(database: str) -> None:
    """Imported, read back as it was; offered again nothing is done, and another file of that name is refused."""
    mapping = read_mapping(_UCI)
    with connect(database) as connection:
        done = import_log(connection, _uci(), "before", mapping, by="mia", at=_AT)
        assert (done.cases, done.events, done.known) == (3_558, 15_712, False)
        assert figures(stored(connection, "before")) == figures(read_log(_uci(), mapping).log)
        assert import_log(connection, _uci(), "before", mapping, by="mia", at=_AT).known
        with pytest.raises(Refused, match="take another name"):
            import_log(connection, _uci(), "before", read_mapping({**_UCI, "resource": None}), by="mia", at=_AT)
        with pytest.raises(Refused, match="there is no log 'after'; there are before"):
            stored(connection, "after")


def test_what_was_exported_is_imported_again_with_the_same_figures(database: str, tmp_path: Path) -> None:
    """XES, packed or not, gives every figure back; OCEL names each event and each object once."""
    with connect(database) as connection:
        import_log(connection, _uci(), "before", read_mapping(_UCI), by="mia", at=_AT)
        expected = figures(stored(connection, "before"))
        for name in ("out.xes", "out.xes.gz"):
            assert export_log(connection, tmp_path / name, name="before") == 15_712
            assert figures(read_log(tmp_path / name).log) == expected
        export_log(connection, tmp_path / "out.json", name="before")
        told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
        assert len({event["id"] for event in told["events"]}) == 15_712
        known = {each["id"] for each in told["objects"]}
        assert len(known) == len(told["objects"]) and known >= {
            touched["objectId"] for event in told["events"] for touched in event["relationships"]
        }
        with pytest.raises(Refused, match="name it by the format"):
            export_log(connection, tmp_path / "out.csv", name="before")


_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.tuples(
            _texts,
            _texts,
            st.datetimes(_AT.replace(year=1990, tzinfo=None), _AT.replace(year=2100, tzinfo=None)),
            st.none() | _texts,
            _texts,
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_survives_xes(tmp_path: Path, written: list[tuple[str, str, datetime, str | None, str]]) -> None:
    """Quotes, angle brackets, any script: the events come back as they were written."""
    nobody = {"UNDEFINED", "__INVALID__"}
    ordered = sorted(
        (
            (case, activity, at.replace(tzinfo=UTC), None if who in nobody else who, transition.lower())
            for case, activity, at, who, transition in written
        ),
        key=lambda event: (event[0], event[2]),
    )
    buffer = io.BytesIO()
    write_xes(buffer, ordered, lambda _: {})
    path = tmp_path / "any.xes"
    path.write_bytes(buffer.getvalue())
    events = read_log(path).log.events
    back = list(events[["case", "activity", "at", "resource", "lifecycle"]].itertuples(index=False, name=None))
    assert [(c, a, t.to_pydatetime(), None if r != r else r, m) for c, a, t, r, m in back] == ordered


def test_rows_that_cannot_be_read_are_counted_and_the_others_go_on(tmp_path: Path) -> None:
    """A torn row, one without a case, one without a time: each is told, and the log holds the rest."""
    path = tmp_path / "log.csv"
    path.write_text("id;what;at\n1;a;2026-03-01T10:00\n1;b\n;a;2026-03-01T11:00\n2;a;soon\n", encoding="utf-8")
    read = read_log(path, LogMapping("id", "what", "at", resource=None, lifecycle=None))
    assert len(read.log.events) == 1
    assert sorted(read.skipped.items()) == [
        ("a row has not the 3 fields of the header", 1),
        ("a row names no case or no activity", 1),
        ("the time cannot be read (the first is 'soon')", 1),
    ]


def test_times_without_a_zone_are_of_the_zone_that_the_mapping_names(tmp_path: Path) -> None:
    """Berlin is an hour ahead of UTC in winter and two in summer; a time that names its zone keeps it."""
    path = tmp_path / "log.csv"
    path.write_text("id,what,at\n1,a,2026-01-15T12:00\n1,b,2026-07-15T12:00\n1,c,2026-07-15T12:00+05:00\n", "utf-8")
    read = read_log(path, LogMapping("id", "what", "at", zone="Europe/Berlin", resource=None, lifecycle=None))
    assert [at.hour for at in read.log.events["at"]] == [11, 7, 10]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("log.csv", b"a,b\n1,2\n", "Say which column is what"),
        ("log.csv", b"", "is empty"),
        ("log.xes", b"<log>", "not well-formed"),
        ("log.xes", b"<html></html>", "its root is 'html'"),
        ("log.xes", b'<!DOCTYPE log [<!ENTITY a "b">]><log/>', "DTD"),
        ("log.xes", b"<log>" + b"<list>" * 10_000, "nests deeper"),
        ("log.xes.gz", b"\x1f\x8bno", "cannot be unpacked"),
        ("log.txt", b"", "name it by what it holds"),
    ],
)
def test_files_that_are_no_log_are_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """Nothing of such a file is taken, and the message says why."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=reason):
        read_log(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([], "not a list of names"),
        ({"case": "a", "activity": "b"}, "timestamp is missing"),
        ({**_UCI, "colour": "x"}, "unknown setting 'colour'"),
        ({**_UCI, "timestamp": {"column": "t", "zone": "Mars/Base"}}, "is no time zone"),
        ({**_UCI, "breached": {"column": "made_sla", "is": [False]}}, "put each text in quotes"),
        ({**_UCI, "missing": "?"}, "list the texts"),
    ],
)
def test_a_mapping_that_cannot_be_meant_so_is_refused(written: Any, reason: str) -> None:
    """Each slip is named, with what to write instead."""
    with pytest.raises(BadMapping, match=reason):
        read_mapping(written)
