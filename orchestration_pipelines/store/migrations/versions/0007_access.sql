-- Who signs in to the console: accounts, sessions, and the record of both. Only what proves that somebody knows a secret
-- is kept, never the secret: an argon2id hash of a password, the SHA-256 of a session's token.

-- Standings that cannot be held together with anything else: an admin manages people and decides nothing, an auditor
-- reads everything and changes nothing. No queue asks for either, so that can() refuses them every decision.
ALTER TABLE reviewer ADD CONSTRAINT stands_alone
    CHECK (NOT roles && ARRAY['admin', 'auditor'] OR cardinality(roles) = 1);
ALTER TABLE queue ADD CONSTRAINT asks_for_no_standing CHECK (role NOT IN ('admin', 'auditor'));

CREATE TABLE account (
    person      text PRIMARY KEY REFERENCES reviewer (person),
    password    text NOT NULL,                         -- argon2id, with its parameters and salt
    temporary   boolean NOT NULL,                      -- somebody else knows it: it opens the password page alone
    set_at      timestamptz NOT NULL,
    opened_by   text NOT NULL,
    opened_at   timestamptz NOT NULL,
    disabled_by text,
    disabled_at timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
);
CREATE TABLE session (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token       bytea NOT NULL UNIQUE CHECK (length(token) = 32),  -- SHA-256 of what the browser holds
    person      text NOT NULL REFERENCES account (person),
    address     text NOT NULL,
    browser     text NOT NULL,
    began_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,                  -- the last sign of a person, to the minute
    ended_at    timestamptz
);
CREATE INDEX session_standing ON session (person, id) WHERE ended_at IS NULL;
CREATE INDEX session_seen ON session (seen_at);

-- How fast somebody may try to sign in: each attempt puts `full_at` further ahead; at the limit it is refused. (The generic
-- cell rate algorithm: one row, no history.) A key is an address, a person, or both.
CREATE TABLE sign_in_pace (
    key         text PRIMARY KEY,
    full_at     timestamptz NOT NULL                   -- when all attempts are there again
);
CREATE INDEX sign_in_pace_full ON sign_in_pace (full_at);

CREATE TABLE access_entry (                            -- append only: who came in, who was refused, who was put out
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    act         text NOT NULL CHECK (act IN ('signed in', 'refused', 'limited', 'signed out', 'session ended',
        'password changed', 'password set', 'account opened', 'account disabled', 'account enabled', 'forbidden',
        'forged', 'not found')),
    person      text,                                  -- whose account; NULL: a name that nobody has, not kept
    by          text,                                  -- who did it, where it was somebody else
    address     text NOT NULL,
    session     bigint,
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX access_entry_person ON access_entry (person, id DESC);
CREATE INDEX access_entry_limited ON access_entry (address, at) WHERE act = 'limited';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Managers and admins manage people; managers the policy and the tasks, admins the accounts. As long as there is nobody who
-- could, whoever holds the machine brings in the first ones; the policy waits for them.
CREATE OR REPLACE FUNCTION manages(p_person text, p_act text, OUT allowed boolean, OUT rule text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_roles text[] := CASE p_act WHEN 'people' THEN ARRAY['manager', 'admin'] WHEN 'accounts' THEN ARRAY['admin']
                      ELSE ARRAY['manager'] END;
BEGIN
    SELECT 'role ' || role INTO rule FROM reviewer, unnest(v_roles) AS role
        WHERE person = p_person AND active AND role = ANY (roles) LIMIT 1;
    allowed := FOUND;
    IF NOT allowed AND p_act IN ('people', 'accounts') AND NOT EXISTS (
        SELECT FROM reviewer WHERE active AND roles && v_roles) THEN
        allowed := true;
        rule := format('there is no %s yet', v_roles[1]);
    ELSIF NOT allowed AND p_act = 'accounts' THEN
        rule := format('only an admin manages accounts, and %s is none: act as one (--as PERSON)', p_person);
    ELSIF NOT allowed THEN
        rule := format('only a manager changes the %s, and %s is none: act as one (--as PERSON), or have one give them '
            'the role manager (orchestrate people import)', p_act, p_person);
    END IF;
END $$;

-- Which of these cases somebody may look at: their own work, what they could do, what they did, what they submitted. A
-- senior, a manager and an auditor see all; an admin sees none.
CREATE FUNCTION sees(p_person text, p_cases bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.id FROM reviewer r CROSS JOIN unnest(p_cases) AS asked (id) JOIN cases c ON c.id = asked.id
    WHERE r.person = p_person AND r.active AND NOT 'admin' = ANY (r.roles) AND (
        r.roles && ARRAY['senior', 'manager', 'auditor']
        OR c.requested_by = p_person
        OR EXISTS (SELECT FROM review_task t WHERE t.case_id = c.id AND t.assignee = p_person)
        OR EXISTS (SELECT FROM review_decision d WHERE d.case_id = c.id AND d.decided_by = p_person)
        OR EXISTS (SELECT FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
                   WHERE t.case_id = c.id AND t.ended_at IS NULL AND q.role = ANY (r.roles)
                     AND (SELECT u.reason FROM unfit(p_person, q.role, t.skill, t.level, t.region) u) IS NULL))
$$;

-- The rules of a task, with the standings: seniors and auditors see every task, admins none, and neither an admin nor an
-- auditor answers for a case, not even for one that they submitted.
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
        WHEN 'absent' THEN format('%s is absent', a.person)
        WHEN 'off_shift' THEN format('%s is off shift', a.person)
        WHEN 'unseen' THEN format('%s neither has the role of queue %s nor had task %s in hand', a.person, t.queue, t.id)
        ELSE CASE WHEN p_act IN ('release', 'pause', 'resume') THEN format('%s has task %s in hand', a.person, t.id)
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
        WHEN p_act NOT IN ('see', 'claim', 'decide', 'decline', 'assign', 'release', 'pause', 'resume', 'reassign')
            THEN 'no_act'
        WHEN t.id IS NULL THEN 'no_task'
        WHEN p_act = 'see' THEN CASE
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND 'admin' = ANY (r.roles)) THEN 'unseen'
            WHEN t.assignee = a.person OR q.role = 'requester' AND a.person = t.requested_by THEN NULL
            WHEN EXISTS (SELECT FROM reviewer r WHERE r.person = a.person AND r.active
                         AND r.roles && ARRAY[q.role, 'senior', 'manager', 'auditor']) THEN NULL
            ELSE 'unseen' END
        WHEN t.ended_at IS NOT NULL THEN 'ended'
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

GRANT SELECT, INSERT, UPDATE ON account TO orchestration_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON session, sign_in_pace TO orchestration_app;
GRANT SELECT, INSERT ON access_entry TO orchestration_app;
GRANT SELECT ON access_entry TO orchestration_auditor;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sees TO orchestration_app;
