-- Four eyes: blind to one another until all are in; and the grants of human work. What a decision brings about is in 0006.

-- A task makes its legal moves only: what the table allows is written into the trigger's condition (0003_human_work.py),
-- so that nothing is called for them.
CREATE OR REPLACE FUNCTION review_task_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a task cannot go from % to %: the legal moves are in the table review_move',
        OLD.status, NEW.status USING ERRCODE = 'OP005';
END $$;
-- Whoever works on a task stops when it ends, however it ends.
CREATE FUNCTION review_task_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE touch SET stopped_at = greatest(started_at, NEW.ended_at) WHERE task_id = NEW.id AND stopped_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER ended AFTER UPDATE ON review_task FOR EACH ROW
    WHEN (OLD.status = 'claimed' AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION review_task_ended();

-- ---------------------------------------------------------------- what people see
-- Until all signatures of a visit are in, nobody is shown what one of them says: neither those who sign next, nor the
-- auditor, who may be one of them. Afterwards everything is there, with what it takes to check the record.
CREATE OR REPLACE VIEW audit_trail AS
    SELECT e.case_id, seq, (b ->> 'at')::timestamptz AS at, b ->> 'actor' AS actor, b ->> 'role' AS role,
           b ->> 'act' AS act, b ->> 'record' AS record,
           CASE WHEN sealed THEN b - '{outcome,rationale,edits}'::text[] || '{"sealed": true}' ELSE b END AS b,
           sealed, commitment, prev, CASE WHEN NOT sealed THEN salt END AS salt, CASE WHEN NOT sealed THEN body END AS body
    FROM audit_entry e, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS b) AS parsed,
        LATERAL (SELECT b ->> 'act' = 'signed' AND EXISTS (
            SELECT FROM review_task o WHERE o.case_id = e.case_id AND o.visit = (b ->> 'visit')::int
                AND o.ended_at IS NULL) AS sealed) AS signing;
CREATE VIEW decision_trail AS
    SELECT d.* FROM review_decision d WHERE NOT EXISTS (
        SELECT FROM review_task o WHERE o.case_id = d.case_id AND o.visit = d.visit AND o.ended_at IS NULL);
CREATE VIEW task_trail AS
    SELECT t.id, t.case_id, t.workflow, t.element, t.visit, t.signature, t.signatures, t.round,
           CASE WHEN t.ended_at IS NOT NULL AND EXISTS (
               SELECT FROM review_task o WHERE o.case_id = t.case_id AND o.visit = t.visit AND o.ended_at IS NULL)
               THEN 'signed' ELSE t.status END AS status, t.queue, t.skill, t.region, t.level, t.priority, t.assignee,
           t.requested_by, t.opened_at, t.assigned_at, t.claimed_at, t.touched_at, t.due_at, t.ended_at
    FROM review_task t;

-- ---------------------------------------------------------------- append only
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decline
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON work_policy
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- ---------------------------------------------------------------- grants
-- A task comes into somebody's hands, and out of them, by hand() alone: the application cannot write who has it.
REVOKE UPDATE ON review_task FROM orchestration_app;
GRANT UPDATE (status, ended_at, queue, lane, skill, region, level, priority, order_key, due_at)
    ON review_task TO orchestration_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON team, reviewer_skill, shift, absence, calendar, calendar_hours,
    calendar_holiday, station_limit, sla_policy, sla_ladder, known_skill, known_region, class_weight, rotation
    TO orchestration_app;
GRANT SELECT, INSERT, UPDATE ON work_lane, sla_clock, sla_rung, sla_pause, notification TO orchestration_app;
GRANT SELECT, INSERT ON work_policy TO orchestration_app;
GRANT SELECT ON assignment, decline, touch, decision_trail, task_trail TO orchestration_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
GRANT SELECT ON team, reviewer_skill, shift, absence, work_policy, calendar, calendar_hours, calendar_holiday,
    station_limit, sla_policy, sla_ladder, work_lane, assignment, decline, touch, sla_clock, sla_rung, sla_pause,
    notification, decision_trail, task_trail, audit_trail TO orchestration_auditor;
REVOKE SELECT ON review_decision, review_task, audit_entry FROM orchestration_auditor;
GRANT SELECT (case_id, seq, commitment, prev) ON audit_entry TO orchestration_auditor;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION can, can_many, unfit, bars, unavailable, hand, pull, touch_work,
    append_audit_many TO orchestration_app;
GRANT EXECUTE ON FUNCTION can TO orchestration_reviewer;
