"""``orchestrate bench``: the sweep's speed, inside one Dagster run, against the plain COPY of the same rows.

With ``--decisions``, the speed of decision tables alone.
"""

from __future__ import annotations

import io
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg import sql

from orchestration_pipelines.cli import bench_decisions
from orchestration_pipelines.cli.dagster_home import enter_dagster_home
from orchestration_pipelines.cli.output import as_json, print_json, print_rows, tell
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row, Submitted
from orchestration_pipelines.store import schema, urls

DATABASE = "orchestration_bench"
FLOOR = "orchestration_floor"
FLOW = Path(__file__).parents[1] / "workflows" / "throughput"
_TABLES = ("cases", "token", "activity", "effect", "compensation", "approval", "audit_entry")
_FLOOR_BATCH = 2_000


@click.command()
@click.option("--cases", default=100_000, show_default=True, help="How many cases go through the four stations.")
@click.option("--floor/--no-floor", "with_floor", default=True, help="Also measure the plain COPY of the same rows.")
@click.option("--decisions", is_flag=True, help="Measure decision tables alone, by --cases rows; no database.")
@as_json
def bench(cases: int, with_floor: bool, decisions: bool, wants_json: bool) -> None:
    """Measure the sweep: four stations, a decision, an external effect, audit; one Dagster run."""
    if decisions:
        _decisions(cases, wants_json)
        return
    deployment = deploy(tell=tell)
    scratch = Deployment(deployment.home, urls.on_database(deployment.url, DATABASE), deployment.env)
    _fresh(scratch.url)
    scratch.prepare()
    with psycopg.connect(scratch.url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            value = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting))).fetchone()
            tell(f"{setting} = {value[0] if value else '?'}")
    tell(f"running {cases:,} cases through one Dagster run")
    command = [sys.executable, "-m", "orchestration_pipelines.cli.bench_run", scratch.url, str(cases)]
    enter_dagster_home(scratch)
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if ran.returncode != 0:
        raise click.ClickException(f"the run failed:\n{ran.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    figures.update(_measured(scratch.url, cases))
    if with_floor:
        tell("copying the same rows without the engine")
        figures["floor_cases_per_s"] = round(cases / _floor(scratch.url, urls.on_database(scratch.url, FLOOR)), 1)
        figures["ratio_to_floor"] = round(figures["cases_per_s"] / figures["floor_cases_per_s"], 3)
    if wants_json:
        print_json(figures)
    else:
        print_rows("bench", ["figure", "value"], [[name, json.dumps(v)] for name, v in figures.items()], False)


def _decisions(rows: int, wants_json: bool) -> None:
    figures = bench_decisions.measure(rows)
    if wants_json:
        print_json(figures)
        return
    shown = [
        [name, f"{each['per_s']:,.0f}", f"{each['aim']:,.0f}" if each["aim"] else "", each["of_the_if_chain"]]
        for name, each in figures.items()
    ]
    print_rows("decisions", ["what", "a second", "aim", "of the if-chain"], shown, False)


def _fresh(url: str) -> None:
    name = sql.Identifier(urls.database_of(url))
    with psycopg.connect(urls.on_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def rows(cases: int) -> Iterator[Row]:
    """Seeded applications."""
    chance = random.Random(7)  # noqa: S311 - repeatable, not secret
    for number in range(cases):
        yield Row(
            number + 1,
            {
                "case_key": f"B-{number:08}",
                "amount": chance.randint(1_000, 900_000),
                "income": chance.randint(1_000, 90_000),
                "region": "north",
                "product": "loan",
                "channel": "web",
                "confidence": str(chance.randint(0, 10_000) / 10_000),
            },
        )


def take_in(engine: Engine, cases: int) -> Submitted:
    """Submit the benchmark's cases."""
    return engine.submit(rows(cases), requested_by="bench", source="bench")


def _measured(url: str, cases: int) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        counts = {}
        for table in _TABLES:
            row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            counts[table] = round((row[0] if row else 0) / cases, 3)
        closed = connection.execute("SELECT count(*) FROM cases WHERE state = 'closed'").fetchone()
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    if closed is None or closed[0] != cases:
        raise click.ClickException(f"only {closed and closed[0]} of {cases} cases closed: the figures mean nothing")
    return {"rows_per_case": counts, "db_bytes_per_case": round((size[0] if size else 0) / cases)}


def _floor(source: str, target: str) -> float:
    """Seconds that the same rows take by COPY in batches, a commit each."""
    _fresh(target)
    urls.ensure_database(target)
    schema.migrate(target)
    spent = 0.0
    with psycopg.connect(source) as reading, psycopg.connect(target, autocommit=True) as writing:
        for table in _TABLES:
            name = sql.Identifier(table)
            with reading.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(name)) as out:
                lines = list(io.BufferedReader(_Blocks(iter(out)), buffer_size=1 << 20))
            begun = time.monotonic()
            for start in range(0, len(lines), _FLOOR_BATCH):
                with writing.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as into:
                    into.write(b"".join(lines[start : start + _FLOOR_BATCH]))
            spent += time.monotonic() - begun
    return spent


class _Blocks(io.RawIOBase):
    """COPY's blocks as a stream of bytes."""

    def __init__(self, blocks: Iterator[Any]) -> None:
        self._blocks = blocks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = bytes(next(self._blocks))
            except StopIteration:
                return 0
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def peak_rss_mb() -> float:
    """The most memory that this process has had."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
