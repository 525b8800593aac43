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

-- What was asked bars from signing the same visit; whoever is asked sees the case as long as the task is open.
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
    UNION ALL SELECT i.asked_of, 'advised' FROM inquiry i
        WHERE p_signatures > 1 AND i.case_id = p_case AND i.visit = p_visit
    UNION ALL SELECT n.person, 'declined' FROM decline n WHERE n.task_id = p_task
    UNION ALL SELECT d.decided_by, 'decided_before' FROM review_decision d
        WHERE 'decided_before' = ANY (p_excludes) AND d.case_id = p_case
    UNION ALL SELECT d.decided_by, 'decided_before' FROM review_decision d
        WHERE p_signatures = 1 AND d.case_id = p_case
          AND (SELECT k.kind = 'quality' FROM review_task k WHERE k.id = p_task)
    UNION ALL SELECT r.person, 'team_of_requester' FROM reviewer s JOIN reviewer r ON r.team = s.team
        WHERE 'team_of_requester' = ANY (p_excludes) AND s.person = p_requester
$$;
CREATE OR REPLACE FUNCTION sees(p_person text, p_cases bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.id FROM reviewer r CROSS JOIN unnest(p_cases) AS asked (id) JOIN cases c ON c.id = asked.id
    WHERE r.person = p_person AND r.active AND NOT 'admin' = ANY (r.roles) AND (
        r.roles && ARRAY['senior', 'manager', 'auditor']
        OR c.requested_by = p_person
        OR EXISTS (SELECT FROM review_task t WHERE t.case_id = c.id AND t.assignee = p_person)
        OR EXISTS (SELECT FROM review_decision d WHERE d.case_id = c.id AND d.decided_by = p_person)
        OR EXISTS (SELECT FROM inquiry i JOIN review_task t ON t.id = i.task_id
                   WHERE i.case_id = c.id AND i.asked_of = p_person AND t.ended_at IS NULL)
        OR EXISTS (SELECT FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
                   WHERE t.case_id = c.id AND t.ended_at IS NULL AND q.role = ANY (r.roles)
                     AND (SELECT u.reason FROM unfit(p_person, q.role, t.skill, t.level, t.region) u) IS NULL))
$$;

-- ask: about a task in hand. advise: be asked about it, and answer.
CREATE OR REPLACE FUNCTION can_many(p_person text[], p_act text, p_task bigint[], p_at timestamptz DEFAULT NULL)
RETURNS TABLE (no int, person text, task bigint, allowed boolean, reason text, rule text)
LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT a.no::int, a.person, a.task, v.reason IS NULL, v.reason, CASE v.reason
        WHEN 'no_act' THEN format('there is no act %s', p_act)
        WHEN 'no_task' THEN format('there is no task %s', a.task)
        WHEN 'ended' THEN CASE
            WHEN t.status = 'expired' THEN format(
                'task %s is no longer open: its time ran out, it was expired at %s and the case no longer waits for it',
                t.id, t.ended_at)
            WHEN NOT EXISTS (SELECT FROM review_task o WHERE o.case_id = t.case_id AND o.visit = t.visit
                             AND o.ended_at IS NULL)
                THEN format('task %s is no longer open: it was %s%s', t.id, t.status, coalesce(
                    (SELECT format(' by %s at %s', d.decided_by, d.decided_at) FROM review_decision d
                     WHERE d.task_id = t.id), format(' at %s', t.ended_at)))
            -- What was chosen stays unsaid until all have signed.
            ELSE format('task %s is no longer open: it was signed by %s at %s', t.id, t.assignee, t.ended_at) END
        WHEN 'held' THEN format('task %s is %s %s since %s: ask them to release it, or a manager to reassign it',
            t.id, CASE t.status WHEN 'assigned' THEN 'assigned to' ELSE 'claimed by' END, t.assignee,
            coalesce(t.claimed_at, t.assigned_at))
        WHEN 'has_it' THEN format('%s has task %s already, since %s', a.person, t.id,
            coalesce(t.claimed_at, t.assigned_at))
        WHEN 'not_theirs' THEN format('task %s is not in the hands of %s: it is %s', t.id, a.person, t.status)
            || coalesce(CASE t.status WHEN 'assigned' THEN ' to ' ELSE ' by ' END || t.assignee || ' since ' || coalesce(t.claimed_at, t.assigned_at), '')
        WHEN 'not_claimed' THEN format('%s has not begun with task %s: claim it first', a.person, t.id)
        WHEN 'paused' THEN format('task %s is paused already', t.id)
        WHEN 'running' THEN format('task %s is not paused', t.id)
        WHEN 'not_manager' THEN format('only a manager reassigns, and %s is none', a.person)
        WHEN 'not_requester' THEN format('only %s, who submitted the case, answers for it', t.requested_by)
        WHEN 'of_requester' THEN format('task %s is asked of %s, who submitted the case: it is given to nobody', t.id,
            t.requested_by)
        WHEN 'requester' THEN format('%s submitted this case: nobody decides their own', a.person)
        WHEN 'standing' THEN format('%s is an admin or an auditor: they change nothing in a case', a.person)
        WHEN 'inactive' THEN format('%s is not an active reviewer', a.person)
        WHEN 'role' THEN format('queue %s asks for the role %s, which %s has not', t.queue, q.role, a.person)
        WHEN 'skill' THEN format('task %s asks for the skill %s, which %s has not', t.id, t.skill, a.person)
        WHEN 'level' THEN format('task %s asks for level %s%s, which %s has not reached', t.id, t.level,
            coalesce(' in ' || t.skill, ''), a.person)
        WHEN 'region' THEN format('task %s is of the region %s, which is not among those of %s', t.id, t.region, a.person)
        WHEN 'signed' THEN format('%s has signed in this round already: four eyes are two people', a.person)
        WHEN 'stands_in' THEN format('%s and somebody who submitted or signed this case stand in for one another: '
            'four eyes are two people', a.person)
        WHEN 'holds_other' THEN format('%s has another signature of this case in hand: four eyes are two people', a.person)
        WHEN 'declined' THEN format('%s has declined task %s', a.person, t.id)
        WHEN 'decided_before' THEN format('%s has decided this case before, and queue %s asks for somebody new', a.person,
            t.queue)
        WHEN 'team_of_requester' THEN format('%s is of the team of %s, who submitted this case', a.person, t.requested_by)
        WHEN 'advised' THEN format('%s was asked about this case by one of its signers: four eyes are two people', a.person)
        WHEN 'own_judgement' THEN 'a quality review is one person''s own judgement: nobody is asked about it'
        WHEN 'themselves' THEN format('%s has task %s in hand: ask somebody else', a.person, t.id)
        WHEN 'asks_requester' THEN format('%s submitted this case: return it with what is wanted of them', a.person)
        WHEN 'reads_only' THEN format('%s decides nothing: ask somebody who reviews', a.person)
        WHEN 'may_sign' THEN format('%s may sign this case too, and its signers must not know of one another: ask '
            'somebody who may not', a.person)
        WHEN 'absent' THEN format('%s is absent', a.person)
        WHEN 'off_shift' THEN format('%s is off shift', a.person)
        WHEN 'unseen' THEN format('%s neither has the role of queue %s nor had task %s in hand', a.person, t.queue, t.id)
        ELSE CASE WHEN p_act IN ('release', 'pause', 'resume', 'ask') THEN format('%s has task %s in hand', a.person, t.id)
                  WHEN p_act = 'advise' THEN format('%s may be asked', a.person)
                  WHEN p_act = 'reassign' THEN CASE a.person WHEN 'system' THEN 'a timer reassigns'
                       ELSE 'role manager' END
                  WHEN q.role = 'requester' THEN format('%s submitted the case and answers for it', t.requested_by)
                  ELSE format('role %s of queue %s', q.role, t.queue) END END
    FROM (SELECT n.*, max(n.missing) OVER (PARTITION BY n.person) AS away FROM (
              -- Whether somebody is there is asked once for each person.
              SELECT u.*, CASE WHEN p_act = 'assign' AND row_number() OVER (PARTITION BY u.person ORDER BY u.no) = 1
                  THEN (SELECT m.reason FROM unavailable(u.person, p_at) m LIMIT 1) END AS missing
              FROM unnest(p_person, p_task) WITH ORDINALITY AS u (person, task, no)) n) a
    LEFT JOIN review_task t ON t.id = a.task
    LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    CROSS JOIN LATERAL (SELECT CASE
        WHEN p_act NOT IN ('see', 'claim', 'decide', 'decline', 'assign', 'release', 'pause', 'resume', 'reassign',
                          'ask', 'advise')
            THEN 'no_act'
        WHEN t.id IS NULL THEN 'no_task'
        WHEN p_act = 'see' THEN CASE
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND 'admin' = ANY (r.roles)) THEN 'unseen'
            WHEN t.assignee = a.person OR q.role = 'requester' AND a.person = t.requested_by THEN NULL
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND r.active
                         AND r.roles && ARRAY[q.role, 'senior', 'manager', 'auditor']) THEN NULL
            WHEN t.ended_at IS NULL AND EXISTS (SELECT FROM inquiry i WHERE i.task_id = t.id AND i.asked_of = a.person)
                THEN NULL
            ELSE 'unseen' END
        WHEN t.ended_at IS NOT NULL THEN 'ended'
        WHEN p_act = 'ask' THEN CASE
            WHEN t.kind = 'quality' THEN 'own_judgement'
            WHEN t.assignee IS DISTINCT FROM a.person THEN 'not_theirs' END
        WHEN p_act = 'advise' THEN CASE
            WHEN t.kind = 'quality' THEN 'own_judgement'
            WHEN a.person = t.assignee THEN 'themselves'
            WHEN a.person = t.requested_by THEN 'asks_requester'
            WHEN NOT EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND r.active) THEN 'inactive'
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND r.roles && ARRAY['auditor', 'admin'])
                THEN 'reads_only'
            -- Whoever fits a signature of the visit, or gave one, or stands in for one who did.
            WHEN t.signatures > 1 AND (
                EXISTS (SELECT FROM review_decision d
                        WHERE d.case_id = t.case_id AND d.visit = t.visit AND d.decided_by = a.person)
                OR EXISTS (SELECT FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at,
                                            q.excludes) b WHERE b.person = a.person AND b.reason = 'stands_in')
                OR EXISTS (SELECT FROM review_task o JOIN queue p ON p.workflow = o.workflow AND p.name = o.queue
                           CROSS JOIN LATERAL unfit(a.person, p.role, o.skill, o.level, o.region) u
                           WHERE o.case_id = t.case_id AND o.visit = t.visit AND o.ended_at IS NULL
                             AND u.reason IS NULL)) THEN 'may_sign' END
        WHEN p_act = 'reassign' THEN CASE
            WHEN a.person = 'system' THEN NULL
            WHEN a.person = t.requested_by THEN 'requester'
            WHEN NOT (manages(a.person, 'tasks')).allowed THEN 'not_manager' END
        WHEN p_act IN ('release', 'pause', 'resume') THEN CASE
            WHEN NOT t.status IN ('assigned', 'claimed') OR t.assignee <> a.person THEN 'not_theirs'
            WHEN p_act = 'release' THEN NULL
            WHEN t.status <> 'claimed' THEN 'not_claimed'
            WHEN p_act = 'resume' AND EXISTS (SELECT FROM touch u WHERE u.task_id = t.id AND u.stopped_at IS NULL)
                THEN 'running'
            WHEN p_act = 'pause' AND NOT EXISTS (SELECT FROM touch u WHERE u.task_id = t.id AND u.stopped_at IS NULL)
                THEN 'paused' END
        WHEN t.status IN ('assigned', 'claimed') AND t.assignee <> a.person AND p_act <> 'assign' THEN 'held'
        WHEN t.status IN ('assigned', 'claimed') AND t.assignee = a.person AND (p_act = 'assign' OR p_act = 'claim' AND t.status = 'claimed')
            THEN 'has_it'
        WHEN t.status IN ('assigned', 'claimed') AND t.assignee = a.person AND p_act = 'decline' THEN NULL
        WHEN q.role = 'requester' THEN CASE
            WHEN p_act IN ('assign', 'decline') THEN 'of_requester'
            WHEN a.person <> t.requested_by THEN 'not_requester'
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND r.roles && ARRAY['admin', 'auditor'])
                THEN 'standing' END
        WHEN a.person = t.requested_by THEN 'requester'
        ELSE coalesce(
            (SELECT u.reason FROM unfit(a.person, q.role, t.skill, t.level, t.region) u),
            (SELECT b.reason FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at,
                                       q.excludes) b WHERE b.person = a.person LIMIT 1),
            a.away)
        END AS reason OFFSET 0) v  -- OFFSET 0: the rules are asked once for a row, not once for each use of the answer
    ORDER BY a.no;
END $$;

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
