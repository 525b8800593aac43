"""What every start pays for: the command line and the code location load without the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

#: each takes from a third of a second to ten; who needs one imports it where it is needed
_HEAVY = ("pandas", "scipy", "sklearn", "jinja2", "great_expectations", "fastapi", "uvicorn", "psycopg_pool")


def test_no_start_waits_for_a_heavy_library() -> None:
    """A verb and a Dagster run start in processes of their own, thousands of times."""
    asked = (
        "import sys, orchestration_pipelines.cli.main, orchestration_pipelines.definitions; "
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
