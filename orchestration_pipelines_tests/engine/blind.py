"""A workflow whose grid approves and declines by itself, with a policy that has people look at it again."""

from __future__ import annotations

from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow
from orchestration_pipelines_tests.tables import table

#: r1 approves, r2 declines, and who is declined may appeal; r3 asks people
GRID = table(("< 100", '"auto"', "1"), ("[100..200)", '"block"', "1"), (">= 200", '"review"', "1"))
LINES = (
    'rule grid "orch:otherwise=={route: \\"review\\", because: no_answer}" '
    '"orch:approvedWhen==grid.route = \\"auto\\"" "orch:declinedWhen==grid.route = \\"block\\""',
    "user review orch:queue=seniors orch:approves=true",
    "user appeal orch:queue=reviews orch:editable=amount",
    "service commit orch:requiresApproval=true",
    "end done",
    "end declined",
    "received -> grid -> which",
    'which -> commit if grid.route = "auto"',
    'which -> appeal if grid.route = "block"',
    "which -> review default",
    "review -> agreed",
    'agreed -> commit if review.outcome = "approve"',
    "agreed -> declined default",
    "appeal -> declined",
    "commit -> done",
    "timer late on review P3D -> declined",
    "timer lapsed on appeal P3D -> declined",
)
POLICY = """
quality:
  seed: s1
  queue: reviews
  question: Would you say yes?
  default: {rate: 1, limit: 0.3}
  cells: {r2: {rate: 0.5, limit: 0.2}}
"""


def blind_flow(draw: Draw, policy: str = POLICY, settings: str | None = None) -> Flow:
    """The workflow, its policy in its folder."""
    flow = draw(*LINES, grid=GRID) if settings is None else draw(*LINES, grid=GRID, settings=settings)
    (flow.engine.workflow.folder / "policy.yaml").write_text(policy)
    return flow
