"""``orchestrate new``: a workflow folder that runs as it is, to draw one's own from."""

from __future__ import annotations

import json
import keyword
import re
import shutil
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.model.bpmn import template
from orchestration_pipelines.store import account

_WORKERS = '''"""The machine's steps of {name}: one function for each service task of the drawing, by its id."""

from orchestration_pipelines import Case, worker


@worker(inputs=("amount",), outputs=("large",))
def check(case: Case) -> dict[str, object]:
    """What the reviewer is shown beside the amount."""
    return {{"large": case["amount"] >= 1000}}


@worker(inputs=("amount",), outputs=("finished",))
def finish(case: Case) -> dict[str, object]:
    """Runs only with an approval: the drawing says so (orch:requiresApproval)."""
    return {{"finished": case.approval}}
'''
_SETTINGS = """name: {name}
owner: {owner}  # is told when something is stuck
intake:
  key: case_key
  fields:
    amount: number
    note: text?  # a question mark: may be empty
queues:
  reviews: {{owner: {owner}, role: reviewer}}
reviewers: {{ann: [reviewer], bob: [reviewer]}}  # nobody decides on what they submitted themselves
"""
_DEFINITIONS = '''"""The Dagster code location of {name}: `dagster dev -f definitions.py` in this folder."""

from pathlib import Path

from orchestration_pipelines import workflow_definitions

defs = workflow_definitions(Path(__file__).parent)
'''
_README = """# {name}

`{name}.bpmn` is the process: open it in any BPMN modeler. `workers.py` holds its service tasks, `workflow.yaml` its
owner, input columns, queues and reviewers. `definitions.py` is its Dagster code location.

    orchestrate model describe {name}
    printf 'case_key,amount,note\\nA-1,250,first\\n' > {name}.csv
    orchestrate submit {name} {name}.csv
    orchestrate sweep {name}
    orchestrate reviews list
"""


@click.command()
@click.argument("name")
@click.option("--owner", metavar="WHO", help="Who is told when something is stuck; by default you.")
def new(name: str, owner: str | None) -> None:
    """Make a folder NAME with a workflow to start from: a drawing, workers, settings, a Dagster code location."""
    folder = make(Path(name), account.user() if owner is None else owner)
    click.echo(f"made {folder}: see {folder / 'README.md'}, and: orchestrate model describe {folder}")


def make(folder: Path, owner: str) -> Path:
    """Write the folder; :class:`Problem` where it cannot be."""
    name = folder.name
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise Problem(f"{name!r} cannot name a workflow: use letters, digits and _, a letter first")
    if not owner.strip() or not owner.isprintable():
        raise Problem(f"{owner!r} cannot be an owner: name a person or a team")
    if folder.exists():
        raise Problem(f"{folder} is there already: choose another name, or remove it")
    if not folder.parent.is_dir():
        raise Problem(f"{folder.parent} is no folder: make it first")
    try:
        folder.mkdir()
        _write(folder, name, owner)
        load_workflow(folder)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise Problem(f"{folder} cannot be made: {error.strerror}") from error
        raise
    return folder


def _write(folder: Path, name: str, owner: str) -> None:
    (folder / f"{name}.bpmn").write_bytes(template(name, owner))
    for file, content in (
        ("workers.py", _WORKERS),
        ("workflow.yaml", _SETTINGS),
        ("definitions.py", _DEFINITIONS),
        ("README.md", _README),
    ):
        written = content.format(name=name, owner=json.dumps(owner, ensure_ascii=False) if ".yaml" in file else owner)
        (folder / file).write_text(written, encoding="utf-8")
