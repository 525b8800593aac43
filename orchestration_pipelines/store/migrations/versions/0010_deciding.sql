-- What helps to decide: reasons that are used again, what a decision was made on, questions to colleagues.

CREATE TABLE decision_reason (         -- the policy's, spread out: what a decision may name, so that reasons can be counted
    workflow    text NOT NULL REFERENCES workflow (name),
    code        text NOT NULL CHECK (code <> ''),
    no          smallint NOT NULL,     -- the order in which they are shown
    words       text NOT NULL CHECK (words <> ''),
    outcomes    text[] NOT NULL CHECK (outcomes <@ ARRAY['approve', 'reject', 'return', 'escalate'] AND outcomes <> '{}'),
    steps       text[] NOT NULL,       -- empty: at every step
    needs_text  boolean NOT NULL,
    offered     boolean NOT NULL DEFAULT true,  -- one that no policy offers any more keeps its words
    PRIMARY KEY (workflow, code)
);
ALTER TABLE review_decision ADD COLUMN reasons text[] NOT NULL DEFAULT '{}';

-- What was shown to whoever decided: a decision names the digest of it, and the case goes on to say something else.
CREATE TABLE shown_facts (             -- append only
    case_id     bigint NOT NULL,
    digest      text NOT NULL,
    facts       jsonb NOT NULL,
    PRIMARY KEY (case_id, digest),
    CHECK (digest = shown_digest(facts))
);

-- Somebody who has a task in hand asks a colleague. The task stays where it is, and moves by no answer.
CREATE TABLE inquiry (                 -- append only
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id     bigint NOT NULL REFERENCES review_task (id),
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    asked_by    text NOT NULL,
    asked_of    text NOT NULL REFERENCES reviewer (person),
    text        text NOT NULL CHECK (btrim(text) <> '' AND char_length(text) <= 4000),
    asked_at    timestamptz NOT NULL,
    asserted_by text                   -- the operating-system user who said that it is asked_by
);
CREATE INDEX inquiry_visit ON inquiry (case_id, visit, asked_of);
CREATE INDEX inquiry_task ON inquiry (task_id, asked_of);
CREATE INDEX inquiry_of ON inquiry (asked_of, id);
CREATE TABLE advice (                  -- append only: what they answered
    inquiry_id  bigint PRIMARY KEY REFERENCES inquiry (id),
    given_by    text NOT NULL,
    text        text NOT NULL CHECK (btrim(text) <> '' AND char_length(text) <= 4000),
    given_at    timestamptz NOT NULL,
    asserted_by text
);

CREATE FUNCTION inquiry_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task; verdict record;
BEGIN
    SELECT * INTO t FROM review_task WHERE id = NEW.task_id;
    PERFORM FROM cases WHERE id = t.case_id FOR UPDATE;
    SELECT * INTO verdict FROM can(NEW.asked_by, 'ask', NEW.task_id);
    IF verdict.allowed THEN
        SELECT * INTO verdict FROM can(NEW.asked_of, 'advise', NEW.task_id);
    END IF;
    IF NOT verdict.allowed THEN
        RAISE EXCEPTION 'refused: %', verdict.rule USING ERRCODE = 'OP002';
    END IF;
    NEW.case_id := t.case_id;
    NEW.visit := t.visit;
    RETURN NEW;
END $$;
CREATE FUNCTION inquiry_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task;
BEGIN
    SELECT * INTO STRICT t FROM review_task WHERE id = NEW.task_id;
    PERFORM append_audit(NEW.case_id, NEW.asked_by, 'reviewer', 'asked', 'inquiry:' || NEW.id, NEW.asked_at,
        jsonb_build_object('task', NEW.task_id, 'element', t.element, 'visit', NEW.visit, 'of', NEW.asked_of,
            'text', NEW.text, 'asserted_by', NEW.asserted_by));
    PERFORM pg_notify('orchestration_hands', t.workflow);
    RETURN NULL;
END $$;
CREATE FUNCTION advice_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    i inquiry; verdict record; v_when timestamptz;
BEGIN
    SELECT * INTO i FROM inquiry WHERE id = NEW.inquiry_id;
    IF i.id IS NULL OR i.asked_of <> NEW.given_by THEN
        RAISE EXCEPTION 'refused: nobody asked % this: see orchestrate reviews inquiries', NEW.given_by
            USING ERRCODE = 'OP002';
    END IF;
    PERFORM FROM cases WHERE id = i.case_id FOR UPDATE;
    SELECT given_at INTO v_when FROM advice WHERE inquiry_id = i.id;
    IF v_when IS NOT NULL THEN
        RAISE EXCEPTION 'refused: this was answered already, at %', v_when USING ERRCODE = 'OP001';
    END IF;
    SELECT * INTO verdict FROM can(NEW.given_by, 'advise', i.task_id);
    IF NOT verdict.allowed THEN
        RAISE EXCEPTION 'refused: %', verdict.rule USING ERRCODE = 'OP002';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION advice_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    i inquiry; t review_task;
BEGIN
    SELECT * INTO STRICT i FROM inquiry WHERE id = NEW.inquiry_id;
    SELECT * INTO STRICT t FROM review_task WHERE id = i.task_id;
    PERFORM append_audit(i.case_id, NEW.given_by, 'reviewer', 'advised', 'inquiry:' || i.id, NEW.given_at,
        jsonb_build_object('task', i.task_id, 'element', t.element, 'visit', i.visit, 'asked_by', i.asked_by, 'text', NEW.text,
            'asserted_by', NEW.asserted_by));
    PERFORM pg_notify('orchestration_hands', t.workflow);
    RETURN NULL;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON inquiry FOR EACH ROW EXECUTE FUNCTION inquiry_guard();
CREATE TRIGGER effect AFTER INSERT ON inquiry FOR EACH ROW EXECUTE FUNCTION inquiry_effect();
CREATE TRIGGER guard BEFORE INSERT ON advice FOR EACH ROW EXECUTE FUNCTION advice_guard();
CREATE TRIGGER effect AFTER INSERT ON advice FOR EACH ROW EXECUTE FUNCTION advice_effect();

-- The guard of decisions, with the reasons.
CREATE OR REPLACE FUNCTION review_decision_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t review_task; v_case cases; verdict record; v_waiting boolean; v_key text; v_wrong text;
    v_longest CONSTANT int := 10000;  -- domain.review.MAX_RATIONALE_CHARS
BEGIN
    NEW.reasons := coalesce(NEW.reasons, '{}');
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
    IF btrim(NEW.rationale) = '' AND NEW.reasons = '{}' AND (NEW.outcome <> 'approve' OR NEW.edits <> '{}') THEN
        RAISE EXCEPTION 'refused: a rationale is needed for anything but a plain approval' USING ERRCODE = 'OP004';
    END IF;
    IF char_length(NEW.rationale) > v_longest THEN
        RAISE EXCEPTION 'refused: the rationale has % characters; % are allowed: say it shorter, or add a document',
            char_length(NEW.rationale), v_longest USING ERRCODE = 'OP004';
    END IF;
    SELECT CASE
            WHEN r.code IS NULL THEN format('the policy offers no reason %s: see orchestrate reviews show %s', n.code, t.id)
            WHEN NOT NEW.outcome = ANY (r.outcomes) THEN format('%s (%s) is a reason to %s, not to %s', n.code, r.words,
                array_to_string(r.outcomes, ' or '), NEW.outcome)
            WHEN r.steps <> '{}' AND NOT t.element = ANY (r.steps) THEN format('%s (%s) is no reason at the step %s', n.code,
                r.words, t.element)
            WHEN n.nth > 1 THEN format('the reason %s is named twice', n.code)
            WHEN r.needs_text AND btrim(NEW.rationale) = '' THEN format('%s (%s) needs more words: say them in the rationale',
                n.code, r.words) END
        INTO v_wrong
        FROM (SELECT u.code, u.no, row_number() OVER (PARTITION BY u.code ORDER BY u.no) AS nth
              FROM unnest(NEW.reasons) WITH ORDINALITY AS u (code, no)) n
        LEFT JOIN decision_reason r ON r.workflow = t.workflow AND r.code = n.code AND r.offered
        WHERE r.code IS NULL OR n.nth > 1 OR NOT NEW.outcome = ANY (r.outcomes)
           OR r.steps <> '{}' AND NOT t.element = ANY (r.steps) OR r.needs_text AND btrim(NEW.rationale) = ''
        ORDER BY n.no LIMIT 1;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'refused: %', v_wrong USING ERRCODE = 'OP004';
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
                'version', NEW.version_id, 'rationale', NEW.rationale, 'reasons', to_jsonb(NEW.reasons),
                'asserted_by', NEW.asserted_by));
        RETURN NULL;
    END IF;
    INSERT INTO shown_facts (case_id, digest, facts)
        SELECT id, NEW.digest, variables FROM cases WHERE id = NEW.case_id ON CONFLICT DO NOTHING;
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
            'digest', NEW.digest, 'version', NEW.version_id, 'rationale', NEW.rationale, 'reasons',
            to_jsonb(NEW.reasons), 'edits', NEW.edits, 'asserted_by', NEW.asserted_by));
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

-- The reasons stay unsaid as long as the rationale does, and so does what the signers of a visit ask of others.
CREATE OR REPLACE VIEW audit_trail AS
    SELECT e.case_id, seq, (b ->> 'at')::timestamptz AS at, CASE WHEN blind THEN '' ELSE b ->> 'actor' END AS actor,
           CASE WHEN blind THEN '' ELSE b ->> 'role' END AS role, CASE WHEN blind THEN 'sealed' ELSE b ->> 'act' END AS act,
           CASE WHEN blind THEN '' ELSE b ->> 'record' END AS record,
           CASE WHEN blind THEN jsonb_build_object('act', 'sealed', 'at', b -> 'at', 'case', b -> 'case', 'seq', b -> 'seq',
                                                   'sealed', true)
                WHEN sealed THEN b - '{outcome,rationale,reasons,edits,text}'::text[] || '{"sealed": true}' ELSE b END AS b,
           sealed OR blind AS sealed, commitment, prev, CASE WHEN NOT (sealed OR blind) THEN salt END AS salt,
           CASE WHEN NOT (sealed OR blind) THEN body END AS body
    FROM audit_entry e, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS b) AS parsed,
        LATERAL (SELECT b ->> 'act' IN ('signed', 'asked', 'advised') AND EXISTS (
            SELECT FROM review_task o WHERE o.case_id = e.case_id AND o.visit = (b ->> 'visit')::int
                AND o.ended_at IS NULL) AS sealed) AS signing,
        LATERAL (SELECT b ->> 'act' <> 'submitted' AND EXISTS (
            SELECT FROM review_task o WHERE o.case_id = e.case_id AND o.kind = 'quality'
                AND o.ended_at IS NULL) AS blind) AS reviewing;
CREATE OR REPLACE VIEW decision_trail AS
    SELECT d.* FROM review_decision d WHERE NOT EXISTS (
        SELECT FROM review_task o WHERE o.case_id = d.case_id AND o.visit = d.visit AND o.ended_at IS NULL);
CREATE VIEW shown_trail AS
    SELECT d.id AS decision, s.case_id, s.digest, s.facts FROM decision_trail d JOIN shown_facts s USING (case_id, digest);
CREATE VIEW inquiry_trail AS
    SELECT i.id, i.task_id, i.case_id, i.visit, i.asked_by, i.asked_of, i.text, i.asked_at, a.text AS answer, a.given_at
    FROM inquiry i LEFT JOIN advice a ON a.inquiry_id = i.id WHERE NOT EXISTS (
        SELECT FROM review_task o WHERE o.case_id = i.case_id AND o.visit = i.visit AND o.ended_at IS NULL);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['shown_facts', 'inquiry', 'advice'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON decision_reason TO orchestration_app;
GRANT SELECT ON decision_reason TO orchestration_reviewer, orchestration_auditor;
GRANT INSERT (reasons) ON review_decision TO orchestration_reviewer;
GRANT SELECT ON shown_facts, shown_trail, inquiry_trail TO orchestration_app;
GRANT SELECT, INSERT ON inquiry, advice TO orchestration_app;
GRANT SELECT ON shown_trail, inquiry_trail TO orchestration_auditor;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
