"""A workflow as it runs: the drawn process, its tables, its workers, and what its owner declared.

A workflow is a folder (see README, "Your own workflow"): one ``.bpmn``, any ``.dmn``, ``workers.py``,
``workflow.yaml``. Everything that would only show at three in the morning is refused here.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from orchestration_pipelines.domain.facts import FactSheet
from orchestration_pipelines.domain.intake import Intake
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.domain.worker import Worker
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.settings import Queue, read_settings
from orchestration_pipelines.model import bpmn, dmn
from orchestration_pipelines.model.process import Element, Kind, Process
from orchestration_pipelines.model.semantics import Router

_T = TypeVar("_T")
#: the station that every workflow has and nobody draws: undoes a cancelled or abandoned case
CANCELLATION = "cancellation"


class WorkflowRefused(ValueError):
    """The folder does not make a workflow that can run; the message lists every reason."""

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"workflow {name} is refused:\n{listed}")


@dataclass(frozen=True)
class Table:
    """A DMN file: its name in the folder, its bytes, and the model read from it."""

    file_name: str
    content: bytes
    model: dmn.Model


@dataclass(frozen=True)
class Workflow:
    """Everything the engine needs to run the cases of one workflow version."""

    name: str
    owner: str
    process: Process
    bpmn: bytes
    tables: Mapping[str, Table]  #: decision name to the table that has it
    workers: Mapping[str, Worker]
    tools: Mapping[str, Callable[..., Any]]
    intake: Intake
    facts: FactSheet
    queues: Mapping[str, Queue]
    reviewers: Mapping[str, Person]
    package: ModuleType
    folder: Path

    @cached_property
    def router(self) -> Router:
        """The pure token semantics of this version."""
        return Router(self.process)

    def worker_of(self, element: str) -> Worker | None:
        """The worker bound to a service task."""
        drawn = self.process.elements[element]
        return self.workers.get(drawn.calls or drawn.id)

    def owner_of(self, element: str | None) -> str:
        """Who is told when something is stuck at an element."""
        drawn = self.process.elements.get(element or "")
        return (drawn.extra.get("owner") if drawn else None) or self.owner

    def on(self, process: Process, content: bytes) -> Workflow:
        """The same workflow on another (earlier) version of its drawing."""
        return replace(self, process=process, bpmn=content)

    @cached_property
    def sheet(self) -> FactSheet:
        """How its cases are shown, with the variables that each of its steps writes."""
        return replace(self.facts, outputs={e.id: names for e in self.process.stations() if (names := self._writes(e))})

    def _writes(self, element: Element) -> tuple[str, ...]:
        if element.kind in (Kind.USER, Kind.RULE):
            return (element.id,)
        worker = self.worker_of(element.id)
        return tuple(worker.outputs) if worker is not None else ()

    def missing_workers(self) -> list[str]:
        """Service tasks that nothing binds."""
        return [
            element.id
            for element in self.process.elements.values()
            if element.kind is Kind.SERVICE and self.worker_of(element.id) is None
        ]


def load_workflow(folder: str | Path) -> Workflow:
    """Read a workflow folder; :class:`WorkflowRefused` or ``bpmn.ModelRefused`` say everything that is wrong."""
    place = Path(folder).resolve()
    drawings = sorted(place.glob("*.bpmn"))
    if len(drawings) != 1:
        raise WorkflowRefused(place.name, [f"the folder needs exactly one .bpmn file and has {len(drawings)}"])
    try:
        content = drawings[0].read_bytes()
        process = bpmn.loads(content, drawings[0].name)
        settings = read_settings(place)
        tables = _tables(place)
    except BadDocument as error:
        raise WorkflowRefused(place.name, error.problems) from error
    except OSError as error:
        raise WorkflowRefused(place.name, [f"{error.filename} cannot be read: {error.strerror}"]) from error
    module = _workers_module(place)
    name = settings.name or process.id
    workflow = Workflow(
        name=name,
        owner=settings.owner or process.extra.get("owner", ""),
        process=process,
        bpmn=content,
        tables=tables,
        workers={value.name: value for value in vars(module).values() if isinstance(value, Worker)},
        tools=_by_tool(name, module, "TOOLS"),
        intake=settings.intake,
        facts=settings.sheet,
        queues=settings.queues,
        reviewers=settings.reviewers,
        package=module,
        folder=place,
    )
    _by_tool(name, module, "TOOL_SETUP")
    if problems := list(_problems(workflow)):
        raise WorkflowRefused(name, problems)
    return workflow


def _workers_module(place: Path) -> ModuleType:
    """``workers.py``, imported under its package's name where it has one, so that it can import its siblings."""
    path = place / "workers.py"
    if not path.is_file():
        raise WorkflowRefused(place.name, ["workers.py is missing: it holds the functions behind the service tasks"])
    parts, parent = [place.name], place.parent
    while (parent / "__init__.py").is_file():
        parts.insert(0, parent.name)
        parent = parent.parent
    package = ".".join(parts)
    if (place / "__init__.py").is_file() and importlib.util.find_spec(parts[0]) is not None:
        return _imported(place, lambda: importlib.import_module(f"{package}.workers"))
    unique = f"_workflow_{place.name}_workers"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None:
        raise WorkflowRefused(place.name, [f"{path.name} cannot be imported"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    _imported(place, partial(spec.loader.exec_module, module))
    return module


def _imported(place: Path, importing: Callable[[], _T]) -> _T:
    try:
        return importing()
    except (Exception, SystemExit) as error:
        where = "" if isinstance(error, SyntaxError) else f" ({_line_in(place, error)})"
        told = f"workers.py cannot be imported: {type(error).__name__}: {error}{where}"
        raise WorkflowRefused(place.name, [told]) from error


def _line_in(place: Path, error: BaseException) -> str:
    """The last line of the workflow's own folder that was run."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == place]
    return f"{Path(lines[-1].filename).name} line {lines[-1].lineno}" if lines else "before its first line"


def _by_tool(name: str, module: ModuleType, table: str) -> dict[str, Callable[..., Any]]:
    declared = getattr(module, table, {})
    if not isinstance(declared, Mapping) or not all(map(callable, declared.values())):
        raise WorkflowRefused(name, [f"{table} in workers.py is not a mapping of tool names to functions"])
    return dict(declared)


def _tables(place: Path) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for path in sorted(place.glob("*.dmn")):
        model = dmn.load(path)
        if model.problems:
            raise WorkflowRefused(place.name, [f"{path.name}: {problem}" for problem in model.problems])
        table = Table(path.name, path.read_bytes(), model)
        for decision in model.decisions:
            if decision in tables:
                twice = f"{tables[decision].file_name} and {path.name} both have the decision {decision!r}"
                raise WorkflowRefused(place.name, [f"{twice}: give each its own name"])
            tables[decision] = table
    return tables


def _problems(workflow: Workflow) -> Iterable[str]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", workflow.name):
        yield f"its name {workflow.name!r} cannot name a Dagster job: use letters, digits and _, a letter first"
    if not workflow.owner:
        yield "it has no owner: set owner in workflow.yaml, so that somebody is told when something is stuck"
    for queue in workflow.queues.values():
        if not queue.owner or not queue.role:
            yield f"queue {queue.name} needs an owner and a role in workflow.yaml"
    drawn = workflow.process.elements.values()
    for element in drawn:
        if element.kind is Kind.SERVICE:
            yield from _worker_problems(workflow, element.id)
        elif element.kind is Kind.RULE and (element.calls or element.id) not in workflow.tables:
            yield (
                f"{element.id} ({element.name}) asks for the decision {element.calls or element.id!r}, which no "
                f".dmn file beside it has: there are {sorted(workflow.tables) or 'none'}"
            )
        elif element.kind is Kind.USER:
            yield from _queue_problems(workflow, element)
    yield from _fact_problems(workflow)
    if CANCELLATION in workflow.process.elements:
        yield f"{CANCELLATION} is the engine's own station: give the element another id"


def _fact_problems(workflow: Workflow) -> Iterable[str]:
    written = {name for names in workflow.sheet.outputs.values() for name in names}
    known = written.union(column.name for column in workflow.intake.fields)
    for fact in workflow.facts.facts:
        if fact.variable not in known:
            yield (
                f"workflow.yaml: facts shows {fact.name!r}, which is neither submitted nor written by a step: there "
                f"are {', '.join(sorted(known))}"
            )


def _queue_problems(workflow: Workflow, element: Element) -> Iterable[str]:
    routing = element.extra.get("routing")
    if routing and routing not in workflow.tables:
        yield (
            f"{element.id} ({element.name}) is routed by the decision {routing!r}, which no .dmn file beside it has: "
            f"there are {sorted(workflow.tables) or 'none'}"
        )
    named = [element.extra.get("queue", ""), element.extra.get("fallbackQueue", "")]
    for queue in named:
        if queue and not queue.startswith("=") and queue not in workflow.queues:
            yield f"{element.id} ({element.name}) sends to the queue {queue!r}, which workflow.yaml has not"
    role = workflow.process.lanes.get(element.lane or "")
    possible = named if named[0] and not named[0].startswith("=") else list(workflow.queues)
    others = [q for q in possible if q in workflow.queues and workflow.queues[q].role != role]
    if role is not None and others:
        yield (
            f"{element.id} ({element.name}) lies in the lane {element.lane}, which is the role {role}'s, and the queue "
            f"{others[0]} asks for {workflow.queues[others[0]].role}: make them agree, or take orch:role off the lane"
        )


def _worker_problems(workflow: Workflow, element: str) -> Iterable[str]:
    drawn = workflow.process.elements[element]
    worker = workflow.worker_of(element)
    if worker is None:
        yield (
            f"{element} ({drawn.name}) has no worker: write a function {drawn.calls or element!r} with @worker in "
            f"workers.py (there are {', '.join(sorted(workflow.workers)) or 'none'})"
        )
        return
    for tool in worker.tools:
        if tool not in workflow.tools:
            yield f"worker {worker.name} takes the tool {tool!r}, which TOOLS in workers.py has not"
    hidden = {name for names in workflow.intake.withheld.values() for name in names}
    if leaks := sorted(hidden & set(worker.inputs)):
        yield f"worker {worker.name} declares the input {leaks[0]!r}, which is withheld at intake"
