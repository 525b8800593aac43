-- One point of authority, and the functions that change several rows as one act.

CREATE FUNCTION shown_digest(variables jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(sha256(convert_to(variables::text, 'UTF8')), 'hex');

-- Appends to a case's chain. The case's row must be locked by the caller's transaction.
CREATE FUNCTION append_audit(p_case bigint, p_actor text, p_role text, p_act text, p_record text,
                             p_at timestamptz, p_detail jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_seq int; v_prev bytea; v_body bytea; v_commitment bytea;
    v_salt bytea := uuid_send(gen_random_uuid());
BEGIN
    IF p_case < 0 THEN
        SELECT audit_seq + 1, audit_head INTO STRICT v_seq, v_prev FROM workflow WHERE id = -p_case FOR UPDATE;
    ELSE
        SELECT audit_seq + 1, audit_head INTO STRICT v_seq, v_prev FROM cases WHERE id = p_case FOR UPDATE;
    END IF;
    v_body := convert_to((jsonb_build_object(
        'act', p_act, 'actor', p_actor, 'role', p_role, 'record', p_record, 'case', p_case, 'seq', v_seq,
        'at', to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || p_detail)::text, 'UTF8');
    v_commitment := sha256(v_salt || v_body);
    INSERT INTO audit_entry VALUES (p_case, v_seq, v_salt, v_body, v_commitment, v_prev);
    IF p_case < 0 THEN
        UPDATE workflow SET audit_seq = v_seq, audit_head = sha256(v_prev || v_commitment) WHERE id = -p_case;
    ELSE
        UPDATE cases SET audit_seq = v_seq, audit_head = sha256(v_prev || v_commitment) WHERE id = p_case;
    END IF;
END $$;

-- May this person do this act on this task? Yes, or no and the rule. Every path asks here.
CREATE FUNCTION can(p_person text, p_act text, p_task bigint, OUT allowed boolean, OUT rule text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t review_task; v_requester text; v_queue_role text; v_roles text[]; v_by text; v_when timestamptz;
BEGIN
    allowed := false;
    SELECT * INTO t FROM review_task WHERE id = p_task;
    IF t.id IS NULL THEN
        rule := format('there is no task %s', p_task); RETURN;
    END IF;
    IF t.ended_at IS NOT NULL THEN
        SELECT decided_by, decided_at INTO v_by, v_when FROM review_decision WHERE task_id = p_task;
        rule := format('task %s is no longer open: it was %s%s', p_task, t.status,
                       coalesce(' by ' || v_by || ' at ' || v_when, ' at ' || t.ended_at));
        RETURN;
    END IF;
    SELECT requested_by INTO v_requester FROM cases WHERE id = t.case_id;
    SELECT role INTO v_queue_role FROM queue WHERE workflow = t.workflow AND name = t.queue;
    IF v_queue_role = 'requester' THEN
        allowed := p_person = v_requester;
        rule := format('only %s, who submitted the case, answers for it', v_requester);
        RETURN;
    END IF;
    IF p_person = v_requester THEN
        rule := format('%s submitted this case: nobody decides their own', p_person); RETURN;
    END IF;
    SELECT roles INTO v_roles FROM reviewer WHERE person = p_person AND active;
    IF v_roles IS NULL THEN
        rule := format('%s is not an active reviewer', p_person); RETURN;
    END IF;
    IF NOT v_queue_role = ANY (v_roles) THEN
        rule := format('queue %s asks for the role %s, which %s has not', t.queue, v_queue_role, p_person); RETURN;
    END IF;
    IF EXISTS (SELECT FROM review_decision d WHERE d.case_id = t.case_id AND d.visit = t.visit
               AND d.round = t.round AND d.decided_by = p_person) THEN
        rule := format('%s has signed in this round already: four eyes are two people', p_person); RETURN;
    END IF;
    allowed := true;
    rule := format('role %s of queue %s', v_queue_role, t.queue);
END $$;

-- Every decision passes here, whoever inserts it and however.
CREATE FUNCTION review_decision_guard() RETURNS trigger
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
    SELECT status = 'waiting' AND visit = t.visit INTO v_waiting FROM token
        WHERE case_id = t.case_id AND visit = t.visit;
    IF v_waiting IS NOT TRUE THEN
        RAISE EXCEPTION 'refused: the case no longer waits for task %', NEW.task_id USING ERRCODE = 'OP001';
    END IF;
    IF NEW.digest IS DISTINCT FROM t.digest OR NEW.digest <> shown_digest(v_case.variables) THEN
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

CREATE FUNCTION review_decision_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task; v_digest text; v_signed int;
BEGIN
    SELECT * INTO STRICT t FROM review_task WHERE id = NEW.task_id;
    UPDATE review_task SET round = NEW.round, ended_at = NEW.decided_at, assignee = NEW.decided_by,
        status = CASE NEW.outcome WHEN 'return' THEN 'returned' WHEN 'escalate' THEN 'escalated' ELSE 'decided' END
        WHERE id = NEW.task_id;
    IF NEW.edits <> '{}' THEN
        UPDATE cases SET variables = variables || NEW.edits WHERE id = NEW.case_id
            RETURNING shown_digest(variables) INTO v_digest;
        -- Those who have signed the earlier payload sign again, on the new digest.
        INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, round, queue, skill,
                                 question, editable, digest, opened_at, due_at)
            SELECT case_id, workflow, element, visit, (SELECT max(signature) FROM review_task
                       WHERE case_id = NEW.case_id AND visit = NEW.visit) + row_number() OVER (ORDER BY id),
                   signatures, NEW.round, queue, skill, question, editable, v_digest, NEW.decided_at, due_at
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
    IF v_signed >= t.signatures THEN
        -- All are in: the wait is over, and the case goes to the front of its station.
        UPDATE token SET status = 'ready', order_key = NEW.decided_at - interval '1 day', attempt = 0, crashes = 0
            WHERE case_id = NEW.case_id AND visit = NEW.visit AND status = 'waiting';
        UPDATE timer SET status = 'void' WHERE case_id = NEW.case_id AND visit = NEW.visit AND status = 'armed';
        PERFORM pg_notify('orchestration_decided', t.workflow);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON review_decision FOR EACH ROW EXECUTE FUNCTION review_decision_guard();
CREATE TRIGGER effect AFTER INSERT ON review_decision FOR EACH ROW EXECUTE FUNCTION review_decision_effect();

CREATE FUNCTION review_task_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT EXISTS (
        SELECT FROM review_move WHERE from_status = OLD.status AND to_status = NEW.status) THEN
        RAISE EXCEPTION 'a task cannot go from % to %: the legal moves are in the table review_move',
            OLD.status, NEW.status USING ERRCODE = 'OP005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON review_task FOR EACH ROW EXECUTE FUNCTION review_task_guard();

-- Append only, whoever asks: not even the owner changes these by accident.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'OP006';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON review_decision
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- A quarantined row that became a case after all: what was withheld of it goes where withheld columns go.
CREATE FUNCTION restore_withheld(p_quarantine bigint, p_case bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO withheld_outcome SELECT p_case, coalesce(withheld -> 'outcome', '{}') ||
        coalesce(withheld -> 'leaking', '{}') FROM quarantine WHERE id = p_quarantine AND resubmitted_at IS NULL
        ON CONFLICT (case_id) DO UPDATE SET columns = excluded.columns;
    INSERT INTO withheld_protected SELECT p_case, coalesce(withheld -> 'protected', '{}')
        FROM quarantine WHERE id = p_quarantine AND resubmitted_at IS NULL
        ON CONFLICT (case_id) DO UPDATE SET columns = excluded.columns;
END $$;

-- What a reviewer reads, in any SQL client. Another's choice stays unseen until all have signed:
-- the view shows the case and the tasks, never a decision of an open round.
CREATE VIEW reviewer_table AS
    SELECT t.id AS task, t.workflow, c.case_key, t.element, t.question, t.queue, q.role AS who_may_decide, t.skill,
           t.signature || ' of ' || t.signatures AS signature, t.status, t.assignee,
           now() - t.opened_at AS age, t.due_at, t.due_at < now() AS past_due,
           c.variables AS facts, t.editable, t.digest, c.requested_by, t.opened_at, t.round
    FROM review_task t
    JOIN cases c ON c.id = t.case_id
    LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    WHERE t.ended_at IS NULL;

-- ---------------------------------------------------------------- grants
GRANT SELECT, INSERT, UPDATE ON workflow, workflow_version, decision_table, queue, field, reviewer, hold, cases,
    activity, sweeper, effect, compensation, approval, review_task, timer, incident, dead_letter TO orchestration_app;
GRANT INSERT ON quarantine TO orchestration_app;
GRANT SELECT (id, workflow, source, row_no, case_key, reason, row, at, resubmitted_at, resubmitted_by),
    UPDATE (resubmitted_at, resubmitted_by) ON quarantine TO orchestration_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON token TO orchestration_app;
GRANT SELECT ON review_move, audit_trail, reviewer_table TO orchestration_app;
GRANT SELECT, INSERT ON audit_entry, review_decision TO orchestration_app;
GRANT INSERT ON withheld_outcome, withheld_protected TO orchestration_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
GRANT SELECT ON reviewer_table TO orchestration_reviewer;
GRANT INSERT (task_id, outcome, edits, rationale, digest) ON review_decision TO orchestration_reviewer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO orchestration_auditor;
REVOKE ALL ON withheld_outcome, withheld_protected, quarantine FROM orchestration_auditor;
GRANT SELECT (id, workflow, source, row_no, case_key, reason, row, at, resubmitted_at, resubmitted_by)
    ON quarantine TO orchestration_auditor;
GRANT SELECT ON withheld_outcome, withheld_protected, cases TO orchestration_evaluation;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION can, append_audit, shown_digest, restore_withheld TO orchestration_app;
GRANT EXECUTE ON FUNCTION can, shown_digest TO orchestration_reviewer;
