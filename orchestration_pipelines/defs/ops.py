"""The ops of a workflow's job: a few lines each. What they do is the engine's; what they show is Dagster's."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg

from orchestration_pipelines.defs.resources import RunSweep, shown
from orchestration_pipelines.engine.deployment import CONSOLE_URL
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Submitted
from orchestration_pipelines.engine.reading import UnreadableFile, read_rows
from orchestration_pipelines.engine.routing import Routed
from orchestration_pipelines.engine.sweep import Swept
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.workflow import CANCELLATION, Workflow
from orchestration_pipelines.store.home import Home

#: the outputs that lead to the report, and to the cases of earlier versions
DONE, EARLIER = "done", "earlier_versions"
_SWEEP = "sweep"


class ReceiveConfig(dg.Config):
    """What to take in before the sweep: nothing by default, so that a launch just serves what waits."""

    source: str = ""
    requested_by: str = ""


class DispatchConfig(dg.Config):
    """``urgent_only`` serves what people decided and what timers fired, and leaves bulk intake alone."""

    urgent_only: bool = False


def op_name(workflow: Workflow, node: str) -> str:
    """The name of the op behind a node of the graph: unique in a code location, which may hold several workflows."""
    return f"{workflow.name}__{node}"


def receive_op(workflow: Workflow, shipped: dict[str, Callable[[Engine], Submitted]]) -> dg.OpDefinition:
    """Take in a shipped data set, or a file of the inbox folder; never raises."""

    @dg.op(
        name=op_name(workflow, "receive"),
        required_resource_keys={_SWEEP},
        out={"submitted": dg.Out(dict)},
        description=f"Start: takes in {' or '.join(sorted(shipped)) or 'nothing'}, or a file from the inbox folder.",
    )
    def receive(context: dg.OpExecutionContext, config: ReceiveConfig) -> Iterator[dg.Output[dict[str, Any]]]:
        run: RunSweep = getattr(context.resources, _SWEEP)
        try:
            submitted = _take_in(run.engine, config, shipped)
        except Exception as error:  # noqa: BLE001 - an op that raises would stop every station behind it
            told = shown(f"{type(error).__name__}: {error}")
            run.errors.append(f"receive: {told}")
            context.log.error(f"receive: {told}")  # noqa: TRY400 - the message says what to do
            submitted = Submitted()
        counts = {
            "accepted": submitted.accepted,
            "duplicates": submitted.duplicates,
            "conflicts": submitted.conflicts,
            "quarantined": submitted.quarantined,
        }
        yield dg.Output(counts, "submitted", metadata={name: dg.MetadataValue.int(n) for name, n in counts.items()})

    return receive


def _take_in(engine: Engine, config: ReceiveConfig, shipped: dict[str, Callable[[Engine], Submitted]]) -> Submitted:
    if not config.source:
        return Submitted()
    if config.source in shipped:
        return shipped[config.source](engine)
    inbox = Home.from_environment().inbox.resolve()
    path = (inbox / config.source).resolve()
    if path.parent != inbox:
        raise UnreadableFile(
            f"{config.source!r} is not in the inbox: put the file into the inbox folder and give its name alone"
        )
    if not config.requested_by:
        raise UnreadableFile("requested_by is empty: say in whose name these cases are submitted")
    rows = read_rows(path, engine.workflow.intake)
    return engine.submit(rows, requested_by=config.requested_by, source=path.name)


def dispatch_op(workflow: Workflow, stations: tuple[str, ...]) -> dg.OpDefinition:
    """Find where work is; one optional output for each station that has some."""
    outs = {station: dg.Out(dict, is_required=False) for station in stations}

    @dg.op(
        name=op_name(workflow, "dispatch"),
        required_resource_keys={_SWEEP},
        ins={"submitted": dg.In(dict)},
        out={**outs, EARLIER: dg.Out(dict, is_required=False), DONE: dg.Out(dict)},
        description="Finds where work is: ready and due, unleased or of a dead holder. Fires due timers.",
    )
    def dispatch(
        context: dg.OpExecutionContext, config: DispatchConfig, submitted: dict[str, Any]
    ) -> Iterator[dg.Output[dict[str, Any]]]:
        run: RunSweep = getattr(context.resources, _SWEEP)
        run.urgent_only = config.urgent_only
        found = run.engine.dispatch()
        context.log.info(
            f"dispatch {found.number}: work at {', '.join(found.stations) or 'no station'}; "
            f"{found.fired} timers fired, {found.woken} retries due, {found.buried} dead sweepers buried"
        )
        for differing in run.engine.differing():
            context.log.warning(differing)
        for station, urgent in found.stations.items():
            if urgent or not config.urgent_only:
                yield dg.Output({"claimable": True, "urgent": urgent}, station)
        if found.earlier:
            yield dg.Output({"claimable": True}, EARLIER)
        yield dg.Output({"dispatch": found.number, "submitted": submitted}, DONE)

    return dispatch


def station_op(workflow: Workflow, station: str, targets: tuple[str, ...]) -> dg.OpDefinition:
    """A station: sweeps its cases, and hands on. Never raises: failures are rows, and the report tells them."""
    drawn = workflow.process.elements.get(station)
    outs = {target: dg.Out(dict, is_required=False) for target in targets}

    @dg.op(
        name=op_name(workflow, station),
        required_resource_keys={_SWEEP},
        ins={"cases": dg.In(list)},
        out={**outs, DONE: dg.Out(dict, is_required=False)},
        description=drawn.name if drawn is not None else "Undoes what a cancelled or abandoned case has done.",
        tags={"kind": drawn.kind.value if drawn is not None else CANCELLATION},
    )
    def sweep(context: dg.OpExecutionContext, cases: list[Any]) -> Iterator[dg.Output[dict[str, Any]]]:
        run: RunSweep = getattr(context.resources, _SWEEP)
        carried = run.tally.completed[station]
        swept = run.sweep(station)
        yield from _handoffs(context, run, station, targets, swept, carried)

    return sweep


def earlier_op(workflow: Workflow) -> dg.OpDefinition:
    """Sweep the cases that finish on earlier versions of the drawing."""

    @dg.op(
        name=op_name(workflow, EARLIER),
        required_resource_keys={_SWEEP},
        ins={"cases": dg.In(list)},
        out={DONE: dg.Out(dict, is_required=False)},
        description="Cases finish on the version they started on: sweeps those of earlier ones.",
    )
    def sweep_earlier(context: dg.OpExecutionContext, cases: list[Any]) -> Iterator[dg.Output[dict[str, Any]]]:
        run: RunSweep = getattr(context.resources, _SWEEP)
        yield from _handoffs(context, run, EARLIER, (), run.sweep_earlier(), 0)

    return sweep_earlier


def _handoffs(
    context: dg.OpExecutionContext,
    run: RunSweep,
    station: str,
    targets: tuple[str, ...],
    swept: list[Swept],
    carried: int,
) -> Iterator[dg.Output[dict[str, Any]]]:
    """One output to each next station that cases of this run went to, carried through this one or handed on by it."""
    tally = swept[0].tally
    for more in swept[1:]:
        tally.merge(more.tally)
    for target in targets:
        handed, passed = run.tally.handed[target], run.tally.completed[target]
        if handed or passed:
            went = {"handed": handed, "carried": passed}
            yield dg.Output(went, target, metadata={**went, "cases": case_links(run.tally.samples[target])})
    counts = {
        "completed": tally.completed[station],
        "carried here by earlier stations": carried,
        "to be retried": tally.failed[station],
        "dead letters": tally.dead[station],
        "incidents": tally.stuck[station],
        "seconds": round(sum(each.seconds for each in swept), 3),
    }
    for each in swept:
        for error in each.errors:
            context.log.error(f"{each.station}: {shown(error)}")
    yield dg.Output({"station": station, **counts}, DONE, metadata=counts)


def case_links(cases: Sequence[int]) -> dg.MetadataValue[Any]:
    """Opaque case numbers, each with its page where ``orchestrate up`` has said where the console is."""
    console = os.environ.get(CONSOLE_URL, "").rstrip("/")
    if not console:
        return dg.MetadataValue.text(", ".join(map(str, cases)))
    return dg.MetadataValue.md(", ".join(f"[{case}]({console}/cases/{case})" for case in cases))


def _routed(context: dg.OpExecutionContext, run: RunSweep) -> Routed:
    """Give out what this sweep opened; never raises: whatever went wrong is told with the rest."""
    try:
        return run.engine.route()
    except Exception as error:  # noqa: BLE001 - the report must be made
        told = shown(f"{type(error).__name__}: {error}")
        run.errors.append(f"routing: {told}")
        context.log.error(f"routing: {told}")  # noqa: TRY400 - the message says what to do
        return Routed()


def report_op(workflow: Workflow) -> dg.OpDefinition:
    """The run's end: what was done, and a failed run where something broke."""

    @dg.op(
        name=op_name(workflow, "report"),
        required_resource_keys={_SWEEP},
        ins={"done": dg.In(list)},
        description="What the sweep did. Fails the run, with a summary, if a station broke or cases died.",
    )
    def report(context: dg.OpExecutionContext, done: list[Any]) -> dict[str, Any]:
        run: RunSweep = getattr(context.resources, _SWEEP)
        tally, routed = run.tally, _routed(context, run)
        counts = {
            **{f"closed as {outcome}": count for outcome, count in tally.closed.items()},
            "visits completed": sum(tally.completed.values()),
            "tasks given to people": routed.assigned + routed.handed_on,
            "dead letters": sum(tally.dead.values()),
            "incidents": sum(tally.stuck.values()),
        }
        context.add_output_metadata({**counts, "errors": "\n".join(run.errors) or "none"})
        fail_if_broken(run.errors, tally)
        return counts

    return report


def fail_if_broken(errors: Sequence[str], tally: Tally) -> None:
    """Fail the run, with a summary, if a station broke or cases died."""
    broken = [f"{count} dead letters at {station}" for station, count in tally.dead.items() if count]
    broken += [f"{count} incidents at {station}" for station, count in tally.stuck.items() if count]
    broken += [
        f"nothing went through at {station}: {count} failed and are tried again"
        for station, count in tally.failed.items()
        if count and not tally.completed[station]
    ]
    if errors or broken:
        raise dg.Failure(
            description="; ".join([*errors, *broken])
            + ". See: orchestrate dead-letters list, orchestrate incidents list",
            allow_retries=False,
        )
