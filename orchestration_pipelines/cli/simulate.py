"""``orchestrate simulate``: what a limit, a policy or one more reviewer would do, tried through the real engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psycopg

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows, tell
from orchestration_pipelines.cli.session import assignments, find_workflow, set_option
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.engine.people_reading import read_staff
from orchestration_pipelines.engine.reading import read_rows
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.workflows.mortgage_underwriting import applications

if TYPE_CHECKING:
    from orchestration_pipelines.engine.simulation.arrivals import Supply
    from orchestration_pipelines.engine.simulation.figures import Figures
    from orchestration_pipelines.engine.simulation.setting import Setting
    from orchestration_pipelines.engine.simulation.simulation import Simulated, Trial

_SHIPPED = "mortgage_underwriting"
_PROGRESS_S = 2.0
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long, in days.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed prints the same figures.")
@click.option("--workflow", default=_SHIPPED, show_default=True, metavar="NAME", help="Which, by name or folder.")
@click.option("--people", type=_FILE, help="Try these people (as for people import) in place of those there are.")
@click.option("--policy", type=_FILE, help="Try this policy in place of the one that holds.")
@set_option("Try a setting of the policy: queues.underwriters.wip_limit=5. As often as wanted.")
@click.option("--more", multiple=True, callback=assignments, metavar="ROLE=COUNT", help="Try so many more people.")
@click.option("--arrivals", "per_day", type=click.FloatRange(0, min_open=True), default=40.0, show_default=True,
              help="Cases on a business day, on average.")  # fmt: skip
@click.option("--from", "payloads", type=_FILE, help="Draw the cases from this file's rows; needed for your own.")
@click.option("--minutes", multiple=True, callback=assignments, metavar="ROLE=MINUTES",
              help="How long a task takes somebody of a role, on average; else 45.")  # fmt: skip
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="The first day, UTC; else 2026-01-05.")
@click.option("--compare", type=_FILE, help="Run it again under this policy, and show both.")
@click.option("--keep", is_flag=True, help="Keep the scratch database, and print where it is.")
@as_json
def simulate(
    days: int,
    seed: int,
    workflow: str,
    people: Path | None,
    policy: Path | None,
    changes: dict[str, str],
    more: dict[str, str],
    per_day: float,
    payloads: Path | None,
    minutes: dict[str, str],
    start: datetime | None,
    compare: Path | None,
    keep: bool,
    wants_json: bool,
) -> None:
    """Try people and policy on synthetic cases: the real engine, a scratch database, compressed time."""
    # numpy's weight is for those who want figures
    from orchestration_pipelines.engine.simulation.conduct import Conduct
    from orchestration_pipelines.engine.simulation.setting import with_changes, with_more
    from orchestration_pipelines.engine.simulation.simulation import START, Trial

    found = find_workflow(workflow)
    supply = _supply(found, payloads)
    begin = start.replace(tzinfo=UTC) if start is not None else START
    conduct = Conduct(service_of={role: timedelta(minutes=_number(role, text)) for role, text in minutes.items()})
    deployment = deploy(tell=tell)
    setting = _setting(deployment, found, begin, begin + timedelta(days=days), people, policy)
    for role, text in more.items():
        setting = with_more(setting, role, int(_number(role, text)))
    trial = Trial(
        found, with_changes(setting, changes), supply, days, seed, per_day=per_day, start=begin, conduct=conduct
    )
    first = _run(deployment, trial, keep)
    if compare is None:
        if wants_json:
            print_json({"workflow": found.name, "days": days, "seed": seed, **first.figures.as_dict()})
        else:
            _show(first.figures)
        return
    tell(f"and again under {compare.name}")
    other = replace(trial, setting=replace(setting, policy=compare.read_bytes(), policy_name=compare.name))
    second = _run(deployment, other, keep)
    if wants_json:
        print_json({"as_it_is": first.figures.as_dict(), compare.name: second.figures.as_dict()})
    else:
        _show_both(first.figures, second.figures, compare.name)


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise Problem(f"{name}={text} is no number above 0: write {name}=2")
    return number


def _supply(workflow: Workflow, payloads: Path | None) -> Supply:
    """What arrives: rows of a file, or the recorded applications of the shipped workflow."""
    from orchestration_pipelines.engine.simulation.arrivals import Supply

    if payloads is not None:
        rows = [row.columns for row in read_rows(payloads, workflow.intake) if row.unreadable is None]
        if not rows:
            raise Problem(f"{payloads.name} has no row that can be read: there is nothing to draw cases from")
        return Supply(rows, workflow.intake.key)
    if workflow.name == _SHIPPED:
        return Supply(applications.applications(), workflow.intake.key, applications.broker)
    raise Problem(f"say what arrives at {workflow.name}: --from FILE draws the cases from rows of a file")


def _setting(
    deployment: Deployment, workflow: Workflow, begin: datetime, end: datetime, people: Path | None, policy: Path | None
) -> Setting:
    from orchestration_pipelines.engine.simulation.setting import of_database, of_folder

    with _as_it_is(deployment) as connection:
        setting = of_database(connection, workflow, begin, end) if connection is not None else of_folder(workflow)
    if people is not None:
        setting = replace(setting, staff=read_staff(people), absences=(), people_name=people.name)
    if policy is not None:
        setting = replace(setting, policy=policy.read_bytes(), policy_name=policy.name)
    return setting


@contextmanager
def _as_it_is(deployment: Deployment) -> Iterator[psycopg.Connection | None]:
    """The deployment's database as it is; None where there is none yet, or one of another version. Only read."""
    urls.check_server(deployment.url)
    try:
        connection = connect(deployment.url, role=None)
    except psycopg.OperationalError:
        yield None
        return
    with connection:
        connection.execute("SET default_transaction_read_only = on")
        try:
            current = schema.revision(connection) == schema.newest()
        except psycopg.errors.UndefinedTable:
            current = False
        if not current:
            tell("the deployment's database is of another version: the people and the policy are the workflow's own")
        yield connection if current else None


def _run(deployment: Deployment, trial: Trial, keep: bool) -> Simulated:
    from orchestration_pipelines.engine.simulation.simulation import scratch_databases, simulate

    begun = time.monotonic()
    tell(f"making a scratch database for {trial.days} days of {trial.workflow.name}, seed {trial.seed}")
    with scratch_databases(deployment.url, trial.workflow, keep=keep) as url:
        if keep:
            tell(f"kept: {urls.libpq_url(url)}")
        simulated = simulate(trial, url, _progress(trial))
    happened = simulated.happened
    tell(
        f"{happened.arrived:,} cases arrived ({happened.quarantined:,} more were quarantined), "
        f"{happened.instants:,} instants, {time.monotonic() - begun:.1f} s"
    )
    return simulated


def _progress(trial: Trial) -> Callable[[datetime, Any], None]:
    last = time.monotonic()

    def show(at: datetime, happened: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_S:
            last = time.monotonic()
            tell(f"  day {(at - trial.start).days + 1} of {trial.days}: {happened.arrived:,} cases arrived")

    return show


_SPREAD = ("mean", "p50", "p85", "p95")


def _flat(figures: Figures) -> list[tuple[str, Any]]:
    """The figures of the whole, each with its name."""
    lead = [(f"lead time {each}, hours", getattr(figures.lead_hours, each)) for each in _SPREAD]
    business = figures.lead_business_hours
    if business is not None:
        lead += [(f"lead time {each}, business hours", getattr(business, each)) for each in _SPREAD]
    return [
        ("cases submitted", figures.submitted),
        ("closed", figures.closed),
        ("under way at the end", figures.under_way),
        *lead,
        ("promises broken", f"{figures.breaches} of {figures.promises}"),
        ("reassignments", _by_name(figures.reassignments, figures.reassigned)),
        ("rungs fired", _by_name(sum(figures.rungs.values()), figures.rungs)),
        ("utilisation", _share(figures.utilisation)),
    ]


def _by_name(whole: int, parts: Any) -> str:
    told = ", ".join(f"{name} {count}" for name, count in parts.items())
    return f"{whole} ({told})" if told else str(whole)


_QUEUE = ("queue", "tasks", "decided", "lead_p50_h", "lead_p95_h", "depth", "most", "WIP", "most in hand", "breaches",
          "reassigned", "utilisation")  # fmt: skip


def _queue_rows(figures: Figures) -> list[list[Any]]:
    return [
        [
            each.queue,
            each.tasks,
            each.decided,
            _hours(each.lead_hours.p50),
            _hours(each.lead_hours.p95),
            f"{each.depth_mean:.1f}",
            each.depth_max,
            f"{each.wip_mean:.1f}",
            each.wip_max,
            each.breaches,
            each.reassignments,
            _share(each.utilisation),
        ]
        for each in figures.queues
    ]


def _show(figures: Figures) -> None:
    print_rows("simulated", ["figure", "value"], [[name, _plain(value)] for name, value in _flat(figures)], False)
    print_rows("queues", _QUEUE, _queue_rows(figures), False)
    people = [
        [each.person, each.decided, _share(each.utilisation), f"{each.wip_mean:.1f}", each.wip_max]
        for each in figures.people
    ]
    print_rows("people", ["person", "decided", "utilisation", "WIP", "most in hand"], people, False)


def _show_both(first: Figures, second: Figures, name: str) -> None:
    both = zip(_flat(first), _flat(second), strict=True)
    rows = [[figure, _plain(one), _plain(other)] for (figure, one), (_, other) in both]
    print_rows("simulated", ["figure", "as it is", name], rows, False)
    print_rows("queues, as it is", _QUEUE, _queue_rows(first), False)
    print_rows(f"queues, {name}", _QUEUE, _queue_rows(second), False)


def _plain(value: Any) -> Any:
    return _hours(value) if isinstance(value, float) or value is None else value


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
