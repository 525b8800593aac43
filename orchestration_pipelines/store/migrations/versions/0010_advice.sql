-- Who may ask and be asked, beside everything else that may be done with a task: the rules of 0007 and 0006, with that.

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
        OR EXISTS (SELECT FROM inquiry i JOIN review_task t ON t.id = i.task_id
                   WHERE i.case_id = c.id AND i.asked_of = p_person AND t.ended_at IS NULL)
        OR EXISTS (SELECT FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
                   WHERE t.case_id = c.id AND t.ended_at IS NULL AND q.role = ANY (r.roles)
                     AND (SELECT u.reason FROM unfit(p_person, q.role, t.skill, t.level, t.region) u) IS NULL))
$$;

-- The rules of a task, with the standings: seniors and auditors see every task, admins none, and neither an admin nor an
-- auditor answers for a case, not even for one that they submitted.
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

REVOKE EXECUTE ON FUNCTION sees FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sees TO orchestration_app;
