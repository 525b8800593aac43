"""How the automation treated groups. Only the role of the evaluation reads what was withheld at intake."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from orchestration_pipelines.domain.fairness import Group

_GROUPS = """
SELECT attribute, coalesce(value, 'not recorded'), count(*), count(*) FILTER (WHERE automatic)
FROM (SELECT p.columns,
             EXISTS (SELECT FROM approval a WHERE a.case_id = c.id AND a.given_by[1] LIKE 'rule:%%') AS automatic
      FROM cases c JOIN withheld_protected p ON p.case_id = c.id
      WHERE c.workflow = %s) AS treated,
     LATERAL jsonb_each_text(columns) AS held (attribute, value)
WHERE attribute = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2
"""


def groups(connection: psycopg.Connection, workflow: str, attributes: Sequence[str]) -> list[Group]:
    """The groups of these attributes; the connection must be that of the role ``orchestration_evaluation``."""
    rows = connection.execute(_GROUPS, (workflow, list(attributes))).fetchall()
    return [Group(*row) for row in rows]
