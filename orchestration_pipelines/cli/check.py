"""``orchestrate model check``: what is wrong with a drawing, a decision model or a whole folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows, verbatim
from orchestration_pipelines.engine.workflow import WorkflowRefused, load_workflow
from orchestration_pipelines.model import bpmn, dmn
from orchestration_pipelines.model.dmn import checks
from orchestration_pipelines.model.dmn.checks import Finding, Level
from orchestration_pipelines.model.dmn.partition import words

_COLUMNS = ("level", "kind", "where", "reason")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def check(file: Path, wants_json: bool) -> None:
    """Look at FILE (.bpmn, .dmn or a workflow's folder): problems, gaps, overlaps, rules that never fire.

    Ends with 1 if there is an error; warnings and notes alone are no failure.
    """
    found = list(checked(file))
    if wants_json:
        print_json(found)
    elif found:
        print_rows(f"{file}", _COLUMNS, [[row[name] for name in _COLUMNS] for row in found], False)
    else:
        click.echo(f"{verbatim(file)}: nothing was found")
    sys.exit(any(row["level"] == Level.ERROR for row in found))


def checked(path: Path) -> Iterator[dict[str, Any]]:
    """What is found in a file or folder, a row each."""
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in (".bpmn", ".dmn"))
        if not files:
            raise Problem(f"{path} has no .bpmn and no .dmn file")
        found = [row for each in files for row in _file(each)]
        yield from found
        if (path / "workflow.yaml").exists() and not any(row["level"] == Level.ERROR for row in found):
            yield from _workflow(path)
    elif path.is_file():
        yield from _file(path)
    else:
        raise Problem(f"there is no file {path}: name a .bpmn, a .dmn or the folder of a workflow")


def found_in(model: dmn.Model, file_name: str) -> Iterator[dict[str, Any]]:
    """What is found in the tables of a model, a row each."""
    return (_row(file_name, each) for each in checks.check(model))


def _file(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.suffix == ".bpmn":
            bpmn.load(path)
        elif path.suffix == ".dmn":
            yield from found_in(dmn.load(path), path.name)
        else:
            raise Problem(f"{path} is neither a .bpmn nor a .dmn file")
    except (bpmn.ModelRefused, dmn.DmnRefused) as refused:
        yield from (_problem(path.name, reason) for reason in refused.problems)
    except OSError as error:
        yield _problem(path.name, f"it cannot be read: {error.strerror}")


def _workflow(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        load_workflow(folder)
    except WorkflowRefused as refused:
        yield from (_problem(folder.name, reason) for reason in refused.problems)


def _problem(where: str, reason: str) -> dict[str, Any]:
    return _row(where, Finding(Level.ERROR, "problem", "", reason))


def _row(where: str, found: Finding) -> dict[str, Any]:
    """A finding in plain values; the example as FEEL writes its values."""
    return {
        "level": found.level.value,
        "kind": found.kind,
        "where": f"{where}, {found.table}" if found.table else where,
        "reason": found.reason,
        "rules": list(found.rules),
        "example": {expression: words(value) for expression, value in found.place.items()},
    }
