"""``orchestrate model draw``: a drawing as a picture, with what waits at its stations or where one case stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.session import connected, find_workflow
from orchestration_pipelines.engine import casework, drawing
from orchestration_pipelines.model import bpmn, picture
from orchestration_pipelines.model.picture import Diagram, DiagramRefused, Marks


@click.command()
@click.argument("drawn", metavar="FILE")
@click.option("--out", type=click.Path(path_type=Path), help="The picture: a file that stands alone, such as flow.svg.")
@click.option("--counts", is_flag=True, help="How many cases stand at each step, and since when the oldest.")
@click.option("--case", "key", metavar="KEY", help="Where this case stands, and its way there, on its own version.")
def draw(drawn: str, out: Path | None, counts: bool, key: str | None) -> None:
    """Draw FILE (.bpmn), or a workflow by its name or folder, as SVG; without --out it is printed.

    A file without a picture of its own is laid out from left to right.
    """
    if drawn.endswith(".bpmn"):
        if counts or key is not None:
            raise Problem("cases stand in workflows: name a workflow or its folder, not a file")
        diagram, marks = _read(Path(drawn)), Marks()
    elif key is not None:
        if counts:
            raise Problem("--counts and --case are two pictures: ask for one of them")
        diagram, marks = _case(find_workflow(drawn).name, key)
    else:
        workflow = find_workflow(drawn)
        diagram, marks = _loaded(workflow.bpmn, workflow.name), Marks()
        if counts:
            with connected() as connection:
                marks = drawing.station_marks(connection, workflow.name, datetime.now(UTC))
    told = picture.svg(diagram, marks, alone=True) + "\n"
    if out is None:
        click.echo(told, nl=False)
        return
    try:
        out.write_text(told, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"{out}: {picture.told(diagram, marks)}")


def _read(path: Path) -> Diagram:
    try:
        return picture.load(path)
    except DiagramRefused as error:
        raise Problem(str(error)) from None
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from None


def _loaded(content: bytes, name: str) -> Diagram:
    try:
        return picture.loads(content, name)
    except DiagramRefused as error:
        raise Problem(str(error)) from None


def _case(workflow: str, key: str) -> tuple[Diagram, Marks]:
    with connected() as connection:
        case = casework.find(connection, key, workflow)
        content = drawing.drawn_of(connection, case.case_id)
        marks = drawing.case_marks(connection, case.case_id, bpmn.loads(content, workflow))
    return _loaded(content, workflow), marks
