"""A sweep in a process of its own, for tests that end processes: ``python -m … URL FOLDER MODULE``.

MODULE is a Python file that scripts the workers: it finds the workflow's ``package`` in its globals.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow

if __name__ == "__main__":
    url, folder, script, now = sys.argv[1:]
    workflow = load_workflow(folder)
    exec(compile(Path(script).read_text(), script, "exec"), {"package": workflow.package})  # noqa: S102 - a test's own
    engine = Engine(url, workflow, clock=lambda: datetime.fromisoformat(now))
    report = engine.sweep()
    sys.exit("\n".join(report.errors) or 0)
