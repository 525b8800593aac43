-- Clocks of promises: where one stops, and what a tick looks for.

-- The waits of these visits are over (visit NULL: the case is): their clocks stop, and rungs that have not fired never
-- will. A promise that was broken by then is marked, whether a tick saw it or not. The cases' rows must be locked.
CREATE FUNCTION stop_clocks(p_case bigint[], p_visit int[], p_at timestamptz) RETURNS void
LANGUAGE sql AS $$
    WITH stopped AS (
        UPDATE sla_clock c SET status = 'stopped', version = c.version + 1, running_since = NULL, stopped_at = p_at,
            breached_at = CASE WHEN c.status = 'running' AND c.due_at < p_at THEN coalesce(c.breached_at, c.due_at)
                               ELSE c.breached_at END
        FROM unnest(p_case, p_visit) AS v (case_id, visit)
        WHERE c.case_id = v.case_id AND coalesce(c.visit, 0) = coalesce(v.visit, 0) AND c.status <> 'stopped'
        RETURNING c.id)
    UPDATE sla_rung r SET status = 'void' FROM stopped s WHERE r.clock_id = s.id AND r.status = 'armed'
$$;
GRANT EXECUTE ON FUNCTION stop_clocks TO orchestration_app;

CREATE INDEX review_task_stuck ON review_task (workflow, queue, touched_at) WHERE status = 'claimed';
