"""Whether the record holds: every chain of audit entries, checked where it lies."""

from __future__ import annotations

import psycopg

#: The same arithmetic as domain.audit.broken_at, over all cases (and workflows, by negative id) at once.
_BROKEN = """
WITH linked AS (
    SELECT case_id, seq, sha256(prev || commitment) AS hash,
           sha256(salt || body) = commitment AND seq = row_number() OVER chain
               AND prev = coalesce(lag(sha256(prev || commitment)) OVER chain, ''::bytea) AS sound
    FROM audit_entry WINDOW chain AS (PARTITION BY case_id ORDER BY seq)),
chains AS (SELECT case_id, bool_and(sound) AS sound, max(seq) AS seq FROM linked GROUP BY case_id),
ends AS (SELECT c.case_id, c.sound, c.seq, l.hash FROM chains c JOIN linked l USING (case_id, seq)),
heads AS (
    SELECT id AS case_id, audit_seq, audit_head FROM cases
    UNION ALL SELECT -id, audit_seq, audit_head FROM workflow WHERE audit_seq > 0)
SELECT case_id FROM heads FULL JOIN ends USING (case_id)
WHERE (sound AND seq = audit_seq AND hash = audit_head) IS NOT TRUE ORDER BY case_id
"""


def broken_chains(connection: psycopg.Connection) -> list[int]:
    """The cases (and, negative, the workflows) whose record was changed, or is not all there."""
    return [row[0] for row in connection.execute(_BROKEN)]
