"""``orchestrate log``: event logs of how the process ran before, and ours for process-mining tools."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows, tell, write_page
from orchestration_pipelines.cli.session import as_person, connected, operator, workflow_option
from orchestration_pipelines.domain.log_mapping import BadMapping, LogMapping, read_mapping
from orchestration_pipelines.store.event_logs import logs

if TYPE_CHECKING:  # pandas takes a third of a second, and most verbs need none
    from orchestration_pipelines.domain.flow import Figures


@click.group()
def log() -> None:
    """Event logs: how the process ran before (import, metrics), and how it runs here (export)."""


@log.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the log is called from now on.")
@click.option(
    "--mapping", "mapping_file", type=click.Path(path_type=Path), help="Which column of a CSV is what (YAML)."
)
@as_person
@as_json
def import_(file: Path, name: str, mapping_file: Path | None, as_person: str | None, wants_json: bool) -> None:
    """Import FILE (.xes, .csv, either packed with gzip) as the log NAME."""
    from orchestration_pipelines.engine import event_logs

    mapping = None if mapping_file is None else _mapping(mapping_file)
    with connected() as connection:
        done = event_logs.import_log(connection, file, name, mapping, by=operator(as_person), at=datetime.now(UTC))
    if wants_json:
        print_json(vars(done))
        return
    for reason, count in done.skipped.items():
        tell(f"left out, {count:,}: {reason}")
    click.echo(
        f"{name} was imported before, from the same file: nothing was done"
        if done.known
        else f"{name}: {done.events:,} events of {done.cases:,} cases imported"
    )


@log.command(name="list")
@as_json
def list_(wants_json: bool) -> None:
    """The imported logs."""
    with connected() as connection:
        rows = [(each.name, each.source, each.imported_by, each.imported_at) for each in logs(connection)]
    print_rows("event logs", ("name", "source", "imported_by", "imported_at"), rows, wants_json)


@log.command()
@click.argument("name")
@as_json
def metrics(name: str, wants_json: bool) -> None:
    """The figures of the log NAME: lead time, arrivals, work in progress, rework, handovers."""
    from orchestration_pipelines.domain.flow import figures
    from orchestration_pipelines.engine import event_logs

    with connected() as connection:
        found = figures(event_logs.stored(connection, name))
    if wants_json:
        print_json(found.as_dict())
        return
    print_rows(name, ("figure", "value"), _lines(found), wants_json)
    print_rows("events", ("activity", "events"), found.activities.items(), wants_json)


@log.command()
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The page: a file that stands alone.")
def report(name: str, out: Path) -> None:
    """How the log NAME ran, on a page with the figures and pictures of `orchestrate report`."""
    from orchestration_pipelines.engine import event_logs
    from orchestration_pipelines.engine.log_facts import log_report
    from orchestration_pipelines.engine.report.page import page

    with connected() as connection:
        found = log_report(event_logs.stored(connection, name), name)
    write_page(out, page(found, None, datetime.now(UTC)))
    click.echo(f"{out}: {found.figures.closed:,} cases from {found.first} to {found.last}")


@log.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The file: .xes, .xes.gz, or .json for OCEL."
)
@click.option("--name", help="An imported log.")
@workflow_option
def export(out: Path, name: str | None, workflow: str | None) -> None:
    """Write a log for process-mining tools: how a workflow runs here, or an imported one."""
    from orchestration_pipelines.engine import event_logs

    with connected() as connection:
        count = event_logs.export_log(connection, out, name=name, workflow=workflow)
    click.echo(f"{out}: {count:,} events")


def _lines(found: Figures) -> list[tuple[str, str]]:
    def shown(value: float | None, unit: str = "") -> str:
        return "not known" if value is None else f"{value:,.4g}{unit}" if value < 100 else f"{value:,.1f}{unit}"

    lead = found.lead_time_hours
    return [
        ("cases", f"{found.cases:,}"),
        ("events", f"{found.events:,}"),
        ("lead time, mean", shown(lead.mean, " h")),
        ("lead time, p50 · p85 · p95", f"{shown(lead.p50)} · {shown(lead.p85)} · {shown(lead.p95, ' h')}"),
        (
            "between arrivals, mean · p50",
            " · ".join(shown(found.interarrival_hours[key], " h") for key in ("mean", "p50")),
        ),
        ("throughput", shown(found.throughput_per_day, " cases a day")),
        ("work in progress, mean", shown(found.mean_wip, " cases")),
        ("cases with rework", f"{found.rework_cases:,}"),
        ("handovers", f"{found.handovers:,}"),
        ("reopened", shown(found.reopened_cases)),
        ("breached", shown(found.breached_cases)),
    ]


def _mapping(path: Path) -> LogMapping:
    try:
        written: Any = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise Problem(f"the mapping {path.name} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(f"the mapping {path.name} is not YAML: {error}") from None
    try:
        return read_mapping(written)
    except BadMapping as error:
        raise Problem(f"{path.name}: {error}") from None
