"""``orchestrate pilot``: the real mortgage applications through the Dagster job, from nothing to a table."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import psycopg
from psycopg import sql
from rich.table import Table

from orchestration_pipelines.cli.dagster_home import enter_dagster_home
from orchestration_pipelines.cli.output import Problem, as_json, console, print_json, print_rows, tell
from orchestration_pipelines.cli.session import deployed, find_workflow
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.store import urls
from orchestration_pipelines.workflows.mortgage_underwriting import applications, record
from orchestration_pipelines.workflows.mortgage_underwriting.results import Results, results

if TYPE_CHECKING:
    import dagster as dg

WORKFLOW = "mortgage_underwriting"
#: a case is returned a few times at the most: more rounds mean that something turns in a circle
_ROUNDS = 25
_PROGRESS_S = 2.0


@click.command()
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many applications.")
@click.option(
    "--reviewers",
    type=click.Choice(["recorded", "wait"]),
    default="recorded",
    show_default=True,
    help="Play the people's part as the underwriters of 1990 did, or let the flagged cases wait for you.",
)
@click.option("--fresh", is_flag=True, help="Delete the pilot's databases first, and start over.")
@as_json
def pilot(limit: int | None, reviewers: str, fresh: bool, wants_json: bool) -> None:
    """Send 1,000 real mortgage applications through the Dagster job, and show what became of them."""
    begun = time.monotonic()
    workflow = find_workflow(WORKFLOW)
    if fresh:
        _start_over(deploy(tell=tell), list(workflow.tools))
    deployment = deployed()
    enter_dagster_home(deployment)
    engine = deployment.engine(workflow)
    with _alone(deployment), told_of_a_loss():
        refused = _run(engine, limit, played=reviewers == "recorded")
    offered = [str(row.columns["case_key"]) for row in applications.rows(limit)]
    found = results(engine, deployment.tool_url("lender"), offered)
    wall_s = round(time.monotonic() - begun, 1)
    if wants_json:
        print_json({**_counts(found), "wall_s": wall_s})
    else:
        _show(found, engine, refused, wall_s, waiting=reviewers == "wait")
    if found.violations:
        raise Problem("the lender's rule is broken: " + "; ".join(found.violations[:5]))


def _start_over(deployment: Deployment, tools: list[str]) -> None:
    """Drop the product's database and its tools' beside it. Dagster's history stays."""
    ours = [deployment.url, *(urls.sibling(deployment.url, tool) for tool in tools)]
    with psycopg.connect(urls.on_database(deployment.url, "postgres"), autocommit=True) as connection:
        names = [urls.database_of(url) for url in ours]
        busy = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = ANY(%s)", (names,)).fetchone()
        if busy and busy[0]:
            raise Problem(
                "the pilot's databases are in use: end `make up` with Ctrl-C, close what else has them open "
                "(a console, psql), and run this again"
            )
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    for notice in deployment.home.outbox.iterdir():
        notice.unlink()


@contextmanager
def _alone(deployment: Deployment) -> Iterator[None]:
    """One pilot at a time: beside another it would find nothing to sweep, and end before the cases do."""
    with (deployment.home.root / "pilot.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another pilot is at work here: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def told_of_a_loss() -> Iterator[None]:
    """A database that is lost on the way is told in one message, whoever of us and Dagster notices first."""
    import sqlalchemy.exc
    from dagster_postgres.utils import DagsterPostgresException

    try:
        yield
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError, DagsterPostgresException) as error:
        raise Problem(
            f"the database was lost in the middle of the run ({urls.said(error)}). What was done is kept: run it "
            "again, and it goes on from there"
        ) from error


def _run(engine: Engine, limit: int | None, *, played: bool) -> list[str]:
    """Sweep and play in turn until nothing moves; returns what brokers were told who decided their own case."""
    import dagster as dg  # costs a second: only here

    refused: list[str] = []
    with dg.DagsterInstance.get() as instance, _progress(engine):
        tell("taking the applications in, and sweeping: run 1")
        moved = _launch(engine, instance, limit, applications.SOURCE)
        for number in range(2, _ROUNDS + 2):
            decided = record.play(engine) if played else None
            if decided is not None:
                refused += decided.refused
                for what, count in sorted(decided.decided.items()):
                    tell(f"  people: {what} {count}")
            if not moved and not (decided and decided.tasks):
                return refused
            tell(f"sweeping: run {number}")
            moved = _launch(engine, instance, limit, "")
    raise Problem(f"cases still move after {_ROUNDS} sweeps: see `orchestrate cases list --state open`")


def _launch(engine: Engine, instance: dg.DagsterInstance, limit: int | None, source: str) -> int:
    """One Dagster run of the job; returns how many visits it ended."""
    from orchestration_pipelines.defs.jobs import workflow_job
    from orchestration_pipelines.defs.resources import run_sweep_resource

    runs = run_sweep_resource(engine)
    shipped = {applications.SOURCE: partial(applications.submit, limit=limit)}
    result = workflow_job(engine.workflow, shipped, resource=runs.definition).execute_in_process(
        instance=instance,
        run_config={
            "ops": {"receive": {"config": {"source": source}}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        tags={"orchestration/asked_by": "orchestrate pilot"},
        raise_on_error=False,
    )
    if _interrupted(result):
        tell("stopped. What was done is kept: run it again, and it goes on from there")
        raise click.Abort
    if not result.success:
        said = "; ".join(runs.last().errors) if runs.opened else "it ended before its first step"
        tell(f"the run {result.run_id} failed: {said or 'cases died, see orchestrate dead-letters list'}")
    return runs.last().tally.moved if runs.opened else 0


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C ended the run: Dagster takes it for a failure of the step at work."""
    failures = [event.event_specific_data for event in result.all_events if event.is_failure]
    errors = [error for failure in failures if (error := getattr(failure, "error", None)) is not None]
    return any(error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt") for error in errors)


@contextmanager
def _progress(engine: Engine) -> Iterator[None]:
    """How many cases there are and how many have ended, whenever that is something else."""
    over = threading.Event()

    def show() -> None:
        told = None
        while not over.wait(_PROGRESS_S):
            try:
                with engine.connect() as connection:
                    row = connection.execute(
                        "SELECT count(*), count(*) FILTER (WHERE state <> 'open') FROM cases WHERE workflow = %s",
                        (engine.workflow.name,),
                    ).fetchone()
            except psycopg.OperationalError:
                return  # the run itself tells that the database is lost
            if row is not None and row != told:
                tell(f"  {row[0]:,} cases, {row[1]:,} ended")
                told = row

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _counts(found: Results) -> dict[str, Any]:
    return {name: value for name, value in vars(found).items() if name not in ("why", "violations")}


def _show(found: Results, engine: Engine, refused: list[str], wall_s: float, *, waiting: bool) -> None:
    out = console()
    table = Table(title="What became of the applications", title_justify="left", header_style="bold")
    table.add_column("what")
    table.add_column("why")
    table.add_column("cases", justify="right")
    last = ""
    for what, why, count in found.why:
        table.add_row(what if what != last else "", _readable(why), f"{count:,}")
        last = what
    table.add_section()
    table.add_row("offered", "", f"{found.submitted:,}")
    out.print(table)
    out.print(
        f"{found.auto_approved:,} were approved by the grid alone, {found.reviewed:,} were decided by people, "
        f"{found.compensated:,} were undone step by step before they ended. {found.dead:,} dead letters. "
        f"The lender's ledger {'balances' if found.ledger_balanced else 'DOES NOT BALANCE'}; "
        f"{found.audit_entries:,} entries in the record.",
        highlight=False,
    )
    agreed = record.agreement(engine)
    print_rows(
        "How the automation compares with the underwriters of 1990",
        ["group", "value", "cases", "auto-approved", "blocked", "agreed", "humans approved"],
        [
            [
                g.attribute,
                g.value,
                g.cases,
                g.auto_approved,
                g.blocked,
                _share(g.agreed, g.automated),
                _share(g.humans_approved, g.cases),
            ]
            for g in (agreed.overall, *agreed.groups)
        ],
        False,
    )
    if refused:
        out.print(f"A broker tried to decide their own case: {refused[0]}")
    out.print(f"{wall_s} s in all. Try next:")
    key = applications.applications()[0]["case_key"]
    steps = [
        (f"orchestrate case {key}", "everything that happened to one application"),
        ("orchestrate model describe mortgage_underwriting", "who decides what, by when, and what is undone"),
        ("make up", "Dagster's UI with the runs of this pilot, the sensors at work, the reviewers' console"),
    ]
    if waiting:
        steps.insert(0, ("orchestrate reviews list", "the applications that wait for you"))
        steps.append(("orchestrate users pilot", "passwords of the test people, to sign in to the console with"))
    else:
        steps.append(("make run ARGS='--fresh --reviewers wait'", "the same, and the flagged cases wait for you"))
    for command, what in steps:
        out.print(f"  {command:<52} {what}", highlight=False)


def _readable(why: str | None) -> str:
    return (why or "").replace("_", " ")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
