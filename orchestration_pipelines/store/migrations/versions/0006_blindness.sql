-- Quality reviews where everybody passes: the guard of decisions, what bars people, what they see. The bodies are those of
-- before (0001_authority, 0002_releases, 0003_authority, 0003_signing) with what is said of kind 'quality'.

-- Only what a machine decided is looked at again, and only by people who may decide.
CREATE FUNCTION quality_task_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NOT EXISTS (
        SELECT FROM activity a WHERE a.case_id = NEW.case_id AND a.visit = NEW.visit AND a.detail ? 'chosen') THEN
        RAISE EXCEPTION 'refused: no machine decided at visit % of case %', NEW.visit, NEW.case_id USING ERRCODE = 'OP002';
    END IF;
    IF EXISTS (SELECT FROM queue q WHERE q.workflow = NEW.workflow AND q.name = NEW.queue AND q.role = 'requester') THEN
        RAISE EXCEPTION 'refused: a quality review is not asked of whoever submitted the case' USING ERRCODE = 'OP002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quality BEFORE INSERT OR UPDATE OF queue ON review_task FOR EACH ROW WHEN (NEW.kind = 'quality')
    EXECUTE FUNCTION quality_task_guard();

-- Every decision passes here, whoever inserts it and however. A quality review waits for no token and moves none.
CREATE OR REPLACE FUNCTION review_decision_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task; v_case cases; verdict record; v_waiting boolean; v_key text; v_wrong text;
BEGIN
    -- Only the application may say who decides. Anybody else decides as the role that is logged in.
    IF coalesce(current_setting('role', true), '') <> 'orchestration_app' THEN
        NEW.decided_by := session_user;
        NEW.decided_at := clock_timestamp();
        NEW.asserted_by := NULL;
    END IF;
    -- The case first, then its tasks: the order in which everybody locks.
    SELECT * INTO t FROM review_task WHERE id = NEW.task_id;
    IF t.id IS NULL THEN
        RAISE EXCEPTION 'there is no task %: see the view reviewer_table for the open ones', NEW.task_id
            USING ERRCODE = 'OP001';
    END IF;
    SELECT * INTO v_case FROM cases WHERE id = t.case_id FOR UPDATE;
    SELECT * INTO t FROM review_task WHERE id = NEW.task_id FOR UPDATE;
    SELECT * INTO verdict FROM can(NEW.decided_by, 'decide', NEW.task_id);
    IF NOT verdict.allowed THEN
        RAISE EXCEPTION 'refused: %', verdict.rule USING ERRCODE = 'OP002';
    END IF;
    IF t.kind = 'quality' THEN
        IF NOT NEW.outcome IN ('approve', 'reject') OR NEW.edits <> '{}' THEN
            RAISE EXCEPTION 'refused: task % is a quality review: it says approve or reject, and edits nothing', NEW.task_id
                USING ERRCODE = 'OP004';
        END IF;
        v_waiting := true;
    ELSE
        SELECT status = 'waiting' AND visit = t.visit INTO v_waiting FROM token
            WHERE case_id = t.case_id AND visit = t.visit;
    END IF;
    IF v_waiting IS NOT TRUE THEN
        RAISE EXCEPTION 'refused: the case no longer waits for task %', NEW.task_id USING ERRCODE = 'OP001';
    END IF;
    -- What a quality review is shown never changes: the case may, and may be over.
    IF NEW.digest IS DISTINCT FROM t.digest
       OR t.kind = 'decision' AND NEW.digest <> shown_digest(v_case.variables) THEN
        RAISE EXCEPTION 'refused: the case has changed since it was shown: look at task % again and decide on digest %',
            NEW.task_id, t.digest USING ERRCODE = 'OP003';
    END IF;
    IF btrim(NEW.rationale) = '' AND (NEW.outcome <> 'approve' OR NEW.edits <> '{}') THEN
        RAISE EXCEPTION 'refused: a rationale is needed for anything but a plain approval' USING ERRCODE = 'OP004';
    END IF;
    FOR v_key IN SELECT jsonb_object_keys(NEW.edits) LOOP
        IF NOT v_key = ANY (t.editable) THEN
            RAISE EXCEPTION 'refused: % cannot be edited in task % (editable: %)',
                v_key, NEW.task_id, array_to_string(t.editable, ', ') USING ERRCODE = 'OP004';
        END IF;
    END LOOP;
    SELECT format('%s must be a %s%s and is %s', f.name, f.type,
                  CASE f.type WHEN 'date' THEN ' (YYYY-MM-DD)' ELSE '' END, e.value)
        INTO v_wrong
        FROM jsonb_each(NEW.edits) e JOIN field f ON f.workflow = t.workflow AND f.name = e.key
        WHERE NOT CASE jsonb_typeof(e.value)
            WHEN 'null' THEN f.optional
            WHEN 'number' THEN f.type = 'number'
            WHEN 'boolean' THEN f.type = 'flag'
            WHEN 'string' THEN f.type = 'text' OR (f.type = 'date' AND e.value #>> '{}' ~ '^\d{4}-\d{2}-\d{2}$')
            ELSE false END
        LIMIT 1;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'refused: %', v_wrong USING ERRCODE = 'OP004';
    END IF;
    NEW.case_id := t.case_id;
    NEW.visit := t.visit;
    NEW.version_id := v_case.version_id;
    NEW.role := (SELECT role FROM queue WHERE workflow = t.workflow AND name = t.queue);
    -- An edit voids what was signed before; the editor's own signature is the first on the new digest.
    NEW.round := CASE WHEN NEW.edits = '{}' THEN t.round ELSE t.round + 1 END;
    RETURN NEW;
END $$;

-- A decision on an open task needs no claim before it: it is taken and decided in one instant, so that it is never in
-- hand and counts against no limit.
CREATE OR REPLACE FUNCTION review_decision_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task; v_digest text; v_signed int;
    v_goes_up boolean := NEW.round > 2;  -- domain.review.ROUNDS: a third round is not held, somebody higher decides
BEGIN
    SELECT * INTO STRICT t FROM review_task WHERE id = NEW.task_id;
    UPDATE review_task SET round = NEW.round, ended_at = NEW.decided_at, assignee = NEW.decided_by,
        status = CASE NEW.outcome WHEN 'return' THEN 'returned' WHEN 'escalate' THEN 'escalated' ELSE 'decided' END
        WHERE id = NEW.task_id;
    IF t.kind = 'quality' THEN
        -- It moves nothing: no token waits for it, and no clock runs.
        PERFORM append_audit(NEW.case_id, NEW.decided_by, NEW.role, 'reviewed', 'task:' || NEW.task_id, NEW.decided_at,
            jsonb_build_object('outcome', NEW.outcome, 'element', t.element, 'visit', NEW.visit, 'digest', NEW.digest,
                'version', NEW.version_id, 'rationale', NEW.rationale, 'asserted_by', NEW.asserted_by));
        RETURN NULL;
    END IF;
    IF NEW.edits <> '{}' THEN
        UPDATE cases SET variables = variables || NEW.edits WHERE id = NEW.case_id
            RETURNING shown_digest(variables) INTO v_digest;
    END IF;
    IF v_goes_up THEN
        UPDATE review_task SET status = 'escalated', ended_at = NEW.decided_at
            WHERE case_id = NEW.case_id AND visit = NEW.visit AND ended_at IS NULL;
    ELSIF NEW.edits <> '{}' THEN
        -- Those who have signed the earlier payload sign again, on the new digest: first in first out within their
        -- class as of now, so that the weight of the class is kept and no waiting is inherited.
        INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, round, queue, skill, question,
                                 editable, digest, opened_at, due_at, lane, region, level, priority, order_key,
                                 requested_by)
            SELECT case_id, workflow, element, visit, (SELECT max(signature) FROM review_task
                       WHERE case_id = NEW.case_id AND visit = NEW.visit) + row_number() OVER (ORDER BY id),
                   signatures, NEW.round, queue, skill, question, editable, v_digest, NEW.decided_at, due_at, lane,
                   region, level, priority, NEW.decided_at - (opened_at - order_key), requested_by
            FROM review_task
            WHERE case_id = NEW.case_id AND visit = NEW.visit AND round = t.round AND ended_at IS NOT NULL
              AND id <> NEW.task_id;
        UPDATE review_task SET round = NEW.round, digest = v_digest
            WHERE case_id = NEW.case_id AND visit = NEW.visit AND ended_at IS NULL;
    END IF;
    PERFORM append_audit(NEW.case_id, NEW.decided_by, NEW.role, 'signed', 'task:' || NEW.task_id, NEW.decided_at,
        jsonb_build_object('outcome', NEW.outcome, 'element', t.element, 'visit', NEW.visit, 'round', NEW.round,
            'digest', NEW.digest, 'version', NEW.version_id, 'rationale', NEW.rationale, 'edits', NEW.edits,
            'asserted_by', NEW.asserted_by));
    SELECT count(DISTINCT decided_by) INTO v_signed FROM review_decision
        WHERE case_id = NEW.case_id AND visit = NEW.visit AND round = NEW.round;
    IF v_goes_up OR v_signed >= t.signatures THEN
        -- All are in: the wait is over, and the case goes to the front of its station.
        UPDATE token SET status = 'ready', order_key = NEW.decided_at - interval '1 day', attempt = 0, crashes = 0
            WHERE case_id = NEW.case_id AND visit = NEW.visit AND status = 'waiting';
        UPDATE timer SET status = 'void' WHERE case_id = NEW.case_id AND visit = NEW.visit AND status = 'armed';
        PERFORM stop_clocks(ARRAY[NEW.case_id], ARRAY[NEW.visit], NEW.decided_at);
        PERFORM pg_notify('orchestration_decided', t.workflow);
    END IF;
    RETURN NULL;
END $$;

-- Whoever decided in a case knows what became of it: they are no blind reviewers of it.
CREATE OR REPLACE FUNCTION bars(p_task bigint, p_case bigint, p_visit int, p_round int, p_signatures smallint, p_requester text,
                     p_opened timestamptz, p_excludes text[])
RETURNS TABLE (person text, reason text) LANGUAGE sql STABLE AS $$
    SELECT p_requester, 'requester'
    UNION ALL SELECT d.decided_by, 'signed' FROM review_decision d
        WHERE p_signatures > 1 AND d.case_id = p_case AND d.visit = p_visit AND d.round = p_round
    UNION ALL SELECT a.delegate, 'stands_in' FROM absence a
        WHERE a.person = p_requester AND (a.ends IS NULL OR a.ends > p_opened)
    UNION ALL SELECT a.person, 'stands_in' FROM absence a
        WHERE a.delegate = p_requester AND (a.ends IS NULL OR a.ends > p_opened)
    UNION ALL SELECT a.delegate, 'stands_in' FROM review_decision d JOIN absence a ON a.person = d.decided_by
        WHERE p_signatures > 1 AND d.case_id = p_case AND d.visit = p_visit AND d.round = p_round
          AND (a.ends IS NULL OR a.ends > p_opened)
    UNION ALL SELECT a.person, 'stands_in' FROM review_decision d JOIN absence a ON a.delegate = d.decided_by
        WHERE p_signatures > 1 AND d.case_id = p_case AND d.visit = p_visit AND d.round = p_round
          AND (a.ends IS NULL OR a.ends > p_opened)
    UNION ALL SELECT o.assignee, 'holds_other' FROM review_task o
        WHERE p_signatures > 1 AND o.case_id = p_case AND o.visit = p_visit AND o.id <> p_task
          AND o.ended_at IS NULL AND o.assignee IS NOT NULL
    UNION ALL SELECT n.person, 'declined' FROM decline n WHERE n.task_id = p_task
    UNION ALL SELECT d.decided_by, 'decided_before' FROM review_decision d
        WHERE 'decided_before' = ANY (p_excludes) AND d.case_id = p_case
    UNION ALL SELECT d.decided_by, 'decided_before' FROM review_decision d
        WHERE p_signatures = 1 AND d.case_id = p_case
          AND (SELECT k.kind = 'quality' FROM review_task k WHERE k.id = p_task)
    UNION ALL SELECT r.person, 'team_of_requester' FROM reviewer s JOIN reviewer r ON r.team = s.team
        WHERE 'team_of_requester' = ANY (p_excludes) AND s.person = p_requester
$$;

-- Of a quality review people see the question and the facts as submitted, and nothing of what the machine said.
CREATE OR REPLACE VIEW reviewer_table AS
    SELECT t.id AS task, t.workflow, c.case_key, t.element, t.question, t.queue, q.role AS who_may_decide, t.skill,
           t.signature || ' of ' || t.signatures AS signature, t.status, t.assignee,
           now() - t.opened_at AS age, t.due_at, t.due_at < now() AS past_due,
           CASE t.kind WHEN 'quality' THEN s.facts ELSE c.variables END AS facts, t.editable, t.digest, c.requested_by, t.opened_at, t.round,
           reasons.reasons, t.kind
    FROM review_task t
    JOIN cases c ON c.id = t.case_id
    LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    LEFT JOIN quality_sample s ON s.task_id = t.id AND t.kind = 'quality'
    CROSS JOIN LATERAL (SELECT coalesce(array_agg(said.words ORDER BY said.visit, said.no), '{}') AS reasons FROM (
        SELECT a.visit, 1000 * part.no + rule.no AS no,
               a.element || ': ' || coalesce(w.words, 'rule ' || rule.id) AS words
        FROM activity a
        -- what the decision itself says, then the tables that it stands on
        CROSS JOIN LATERAL jsonb_array_elements(a.detail || coalesce(a.detail -> 'asked', '[]'))
            WITH ORDINALITY AS part (said, no)
        CROSS JOIN LATERAL jsonb_array_elements_text(part.said -> 'rules') WITH ORDINALITY AS rule (id, no)
        LEFT JOIN release_rule w ON w.digest = part.said ->> 'table' AND w.rule_id = rule.id
            AND w.decision = coalesce(part.said ->> 'name', a.element)
        WHERE a.case_id = c.id AND a.detail ? 'rules' AND t.kind = 'decision'
        UNION ALL
        SELECT a.visit, told.no - 1000, a.element || ': ' || told.text
        FROM activity a
        CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'diagnostics') WITH ORDINALITY AS told (text, no)
        WHERE a.case_id = c.id AND a.detail ? 'rules' AND t.kind = 'decision') AS said
        WHERE said.visit IN (SELECT max(l.visit) FROM activity l WHERE l.case_id = c.id AND l.detail ? 'rules'
                             GROUP BY l.element)) AS reasons
    WHERE t.ended_at IS NULL;

-- Until all signatures of a visit are in, nobody is shown what one of them says: neither those who sign next, nor the
-- auditor, who may be one of them. And until a quality review of a case is in, nobody is shown what became of the case.
CREATE OR REPLACE VIEW audit_trail AS
    SELECT e.case_id, seq, (b ->> 'at')::timestamptz AS at, CASE WHEN blind THEN '' ELSE b ->> 'actor' END AS actor,
           CASE WHEN blind THEN '' ELSE b ->> 'role' END AS role, CASE WHEN blind THEN 'sealed' ELSE b ->> 'act' END AS act,
           CASE WHEN blind THEN '' ELSE b ->> 'record' END AS record,
           CASE WHEN blind THEN jsonb_build_object('act', 'sealed', 'at', b -> 'at', 'case', b -> 'case', 'seq', b -> 'seq',
                                                   'sealed', true)
                WHEN sealed THEN b - '{outcome,rationale,edits}'::text[] || '{"sealed": true}' ELSE b END AS b,
           sealed OR blind AS sealed, commitment, prev, CASE WHEN NOT (sealed OR blind) THEN salt END AS salt,
           CASE WHEN NOT (sealed OR blind) THEN body END AS body
    FROM audit_entry e, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS b) AS parsed,
        LATERAL (SELECT b ->> 'act' = 'signed' AND EXISTS (
            SELECT FROM review_task o WHERE o.case_id = e.case_id AND o.visit = (b ->> 'visit')::int
                AND o.ended_at IS NULL) AS sealed) AS signing,
        LATERAL (SELECT b ->> 'act' <> 'submitted' AND EXISTS (
            SELECT FROM review_task o WHERE o.case_id = e.case_id AND o.kind = 'quality'
                AND o.ended_at IS NULL) AS blind) AS reviewing;
CREATE OR REPLACE VIEW task_trail AS
    SELECT t.id, t.case_id, t.workflow, t.element, t.visit, t.signature, t.signatures, t.round,
           CASE WHEN t.ended_at IS NOT NULL AND EXISTS (
               SELECT FROM review_task o WHERE o.case_id = t.case_id AND o.visit = t.visit AND o.ended_at IS NULL)
               THEN 'signed' ELSE t.status END AS status, t.queue, t.skill, t.region, t.level, t.priority, t.assignee,
           t.requested_by, t.opened_at, t.assigned_at, t.claimed_at, t.touched_at, t.due_at, t.ended_at, t.kind
    FROM review_task t;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
