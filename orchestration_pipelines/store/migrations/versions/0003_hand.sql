-- The one move of tasks to people and back, whoever asks and for however many; and pulling the next one.

ALTER TABLE reviewer ADD CHECK (person <> 'system');  -- the name under which timers and the routing act
ALTER TABLE review_task
    ADD CHECK (status NOT IN ('assigned', 'claimed') OR assignee IS NOT NULL),
    ADD CHECK (status <> 'claimed' OR claimed_at IS NOT NULL),
    ADD CHECK (status <> 'open' OR assignee IS NULL);

-- Append an entry to the record of each of these cases, each named once. Their rows must be locked by the caller.
CREATE FUNCTION append_audit_many(p_case bigint[], p_actor text, p_role text, p_act text, p_record text[],
                                  p_at timestamptz, p_detail jsonb[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    WITH entry AS MATERIALIZED (
        SELECT c.id, c.audit_seq + 1 AS seq, c.audit_head AS prev, uuid_send(gen_random_uuid()) AS salt,
               convert_to((jsonb_build_object('act', p_act, 'actor', p_actor, 'role', p_role, 'record', n.record,
                   'case', c.id, 'seq', c.audit_seq + 1,
                   'at', to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || n.detail)::text,
                   'UTF8') AS body
        FROM unnest(p_case, p_record, p_detail) AS n (case_id, record, detail) JOIN cases c ON c.id = n.case_id),
    committed AS MATERIALIZED (SELECT e.*, sha256(e.salt || e.body) AS commitment FROM entry e),
    added AS (INSERT INTO audit_entry (case_id, seq, salt, body, commitment, prev)
        SELECT id, seq, salt, body, commitment, prev FROM committed)
    UPDATE cases c SET audit_seq = m.seq, audit_head = sha256(m.prev || m.commitment)
        FROM committed m WHERE c.id = m.id;
END $$;

CREATE TYPE handed AS (task bigint, person text, from_person text, moved boolean, reason text, rule text);

-- Give tasks to people, or (person NULL) back to their queues: task and person by position. Each is moved or refused
-- with the rule, and those refused change nothing. Why it is done says who may:
--   pull                            a person claims for themselves; p_by is they
--   release, decline                a person gives back what they have (declined: they are not offered it again; a task
--                                   that is open is declined without a move)
--   manager                         p_by is a manager: to somebody, or back to the queue
--   round_robin, least_load, best_skill, stuck, sla, absence     the engine: p_by is 'system'
-- Limits are counted under locks: cases, then reviewers, queues and stations, each in order.
CREATE FUNCTION hand(p_task bigint[], p_person text[], p_cause text, p_by text, p_at timestamptz,
                     p_candidates jsonb[] DEFAULT NULL, p_excluded jsonb[] DEFAULT NULL, p_reason text DEFAULT '')
RETURNS TABLE (task bigint, person text, from_person text, moved boolean, reason text, rule text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_by_system boolean := p_cause NOT IN ('pull', 'release', 'decline', 'manager');
    v_cases bigint[]; v_records text[]; v_details jsonb[]; v_handed handed[]; v_workflows text[]; v_workflow text;
BEGIN
    IF v_by_system <> (p_by = 'system') THEN
        RAISE EXCEPTION 'refused: % is not done by %', p_cause, p_by USING ERRCODE = 'OP002';
    END IF;
    IF p_cause IN ('manager', 'decline') AND btrim(p_reason) = '' THEN
        RAISE EXCEPTION 'refused: a reason is needed to % a task',
            CASE p_cause WHEN 'manager' THEN 'reassign' ELSE p_cause END USING ERRCODE = 'OP004';
    END IF;
    IF p_cause IN ('release', 'decline') AND array_remove(p_person, NULL) <> '{}'
        OR p_cause IN ('pull', 'round_robin', 'least_load', 'best_skill') AND array_position(p_person, NULL) IS NOT NULL
        OR p_cause = 'pull' AND p_person <> array_fill(p_by, ARRAY[cardinality(p_task)]) THEN
        RAISE EXCEPTION 'refused: nobody can % for somebody else, or for nobody', p_cause USING ERRCODE = 'OP002';
    END IF;
    PERFORM FROM cases WHERE id IN (SELECT t.case_id FROM review_task t WHERE t.id = ANY (p_task))
        ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM reviewer r WHERE r.person = ANY (p_person) ORDER BY r.person FOR NO KEY UPDATE;
    PERFORM FROM queue q WHERE q.wip_limit IS NOT NULL AND (q.workflow, q.name) IN (
        SELECT t.workflow, t.queue FROM review_task t WHERE t.id = ANY (p_task))
        ORDER BY q.workflow, q.name FOR NO KEY UPDATE;
    PERFORM FROM station_limit l WHERE (l.workflow, l.element) IN (
        SELECT t.workflow, t.element FROM review_task t WHERE t.id = ANY (p_task))
        ORDER BY l.workflow, l.element FOR NO KEY UPDATE;

    WITH asked AS (
        SELECT u.no, u.task, u.person, u.candidates, u.excluded, t.case_id, t.visit, t.workflow, t.queue, t.element,
               t.status, t.assignee, u.person IS NOT NULL AND t.assignee IS DISTINCT FROM u.person AS gains,
               CASE WHEN u.refusal IS NOT NULL THEN u.refusal
                    WHEN u.person IS NOT NULL THEN u.taking
                    WHEN t.status = 'open' AND p_cause <> 'decline' THEN 'in_no_hand' END AS reason,
               CASE WHEN u.refusal IS NOT NULL THEN u.refused
                    WHEN u.person IS NOT NULL THEN u.taken
                    WHEN t.status = 'open' AND p_cause <> 'decline' THEN format('task %s is in the hands of nobody', u.task)
                    ELSE format('back to queue %s', t.queue) END AS rule
        FROM ROWS FROM (
            unnest(p_task, p_person, p_candidates, p_excluded),
            can_many(CASE p_cause WHEN 'pull' THEN '{}' ELSE array_fill(p_by, ARRAY[cardinality(p_task)]) END,
                     CASE WHEN p_cause IN ('release', 'decline') THEN p_cause ELSE 'reassign' END,
                     CASE p_cause WHEN 'pull' THEN '{}' ELSE p_task END),
            can_many(p_person, CASE p_cause WHEN 'pull' THEN 'claim' ELSE 'assign' END, p_task, p_at)
        ) WITH ORDINALITY AS u (task, person, candidates, excluded,
                                no_1, mover, task_1, allowed_1, refusal, refused,
                                no_2, taker, task_2, allowed_2, taking, taken, no)
        LEFT JOIN review_task t ON t.id = u.task),
    -- Nobody gets two signatures of one case, and no task is moved twice.
    numbered AS (
        SELECT a.*, row_number() OVER (PARTITION BY task ORDER BY no) AS nth,
               count(*) FILTER (WHERE reason IS NULL) OVER (PARTITION BY case_id, visit, person ORDER BY no) AS twin,
               row_number() OVER (PARTITION BY person ORDER BY no) = 1 AS of_person,
               row_number() OVER (PARTITION BY workflow, queue ORDER BY no) = 1 AS of_queue,
               row_number() OVER (PARTITION BY workflow, element ORDER BY no) = 1 AS of_station
        FROM asked a),
    single AS (
        SELECT no, task, person, candidates, excluded, case_id, visit, workflow, queue, element, status, assignee, gains,
               of_person, of_queue, of_station, CASE
                   WHEN reason IS NOT NULL THEN reason
                   WHEN nth > 1 THEN 'twice'
                   WHEN twin > 1 AND person IS NOT NULL THEN 'holds_other' END AS reason,
               CASE WHEN reason IS NOT NULL THEN rule
                   WHEN nth > 1 THEN format('task %s is named twice', task)
                   WHEN twin > 1 AND person IS NOT NULL
                       THEN format('%s is to have another signature of this case: four eyes are two people', person)
                   ELSE rule END AS rule
        FROM numbered),
    -- What each limit leaves: what is in hand already is counted once for each person, queue and station.
    within_person AS (
        SELECT s.*, coalesce(reason, CASE WHEN gains AND had + nth > capacity THEN 'capacity' END) AS barred,
               CASE WHEN reason IS NULL AND gains AND had + nth > capacity
                   THEN format('%s has %s of %s in hand: decide or release one', person, greatest(had, capacity), capacity)
                   ELSE rule END AS why
        FROM (SELECT n.*, r.capacity,
                  count(*) FILTER (WHERE n.reason IS NULL AND n.gains) OVER (PARTITION BY n.person ORDER BY n.no) AS nth,
                  max(CASE WHEN n.of_person AND r.capacity IS NOT NULL THEN (
                      SELECT count(*) FROM review_task h
                      WHERE h.assignee = n.person AND h.status IN ('assigned', 'claimed')) END)
                      OVER (PARTITION BY n.person) AS had
              FROM single n LEFT JOIN reviewer r ON r.person = n.person) s),
    within_queue AS (
        SELECT s.*, coalesce(barred, CASE WHEN adds AND had_q + nth_q > limit_q THEN 'queue_full' END) AS barred_q,
               CASE WHEN barred IS NULL AND adds AND had_q + nth_q > limit_q
                   THEN format('queue %s has %s of %s in hand: one must be decided or released first', queue,
                               greatest(had_q, limit_q), limit_q)
                   ELSE why END AS why_q
        FROM (SELECT n.*, q.wip_limit AS limit_q, n.gains AND n.status = 'open' AS adds,
                  count(*) FILTER (WHERE n.barred IS NULL AND n.gains AND n.status = 'open')
                      OVER (PARTITION BY n.workflow, n.queue ORDER BY n.no) AS nth_q,
                  max(CASE WHEN n.of_queue AND q.wip_limit IS NOT NULL THEN (
                      SELECT count(*) FROM review_task h WHERE h.workflow = n.workflow AND h.queue = n.queue
                          AND h.status IN ('assigned', 'claimed')) END)
                      OVER (PARTITION BY n.workflow, n.queue) AS had_q
              FROM within_person n LEFT JOIN queue q ON q.workflow = n.workflow AND q.name = n.queue) s),
    within_station AS (
        SELECT s.no, s.task, s.person, s.candidates, s.excluded, s.case_id, s.workflow, s.element, s.status, s.assignee,
               coalesce(barred_q, CASE WHEN adds AND had_s + nth_s > limit_s THEN 'station_full' END) AS reason,
               CASE WHEN barred_q IS NULL AND adds AND had_s + nth_s > limit_s
                   THEN format('step %s has %s of %s in hand: one must be decided or released first', element,
                               greatest(had_s, limit_s), limit_s)
                   ELSE why_q END AS rule
        FROM (SELECT n.*, l.wip_limit AS limit_s,
                  count(*) FILTER (WHERE n.barred_q IS NULL AND n.adds)
                      OVER (PARTITION BY n.workflow, n.element ORDER BY n.no) AS nth_s,
                  max(CASE WHEN n.of_station AND l.wip_limit IS NOT NULL THEN (
                      SELECT count(*) FROM review_task h WHERE h.workflow = n.workflow AND h.element = n.element
                          AND h.status IN ('assigned', 'claimed')) END)
                      OVER (PARTITION BY n.workflow, n.element) AS had_s
              FROM within_queue n LEFT JOIN station_limit l ON l.workflow = n.workflow AND l.element = n.element) s),
    verdict AS MATERIALIZED (SELECT * FROM within_station),
    moving AS MATERIALIZED (SELECT * FROM verdict WHERE reason IS NULL),
    moves AS (
        UPDATE review_task t SET
            status = CASE WHEN m.person IS NULL THEN 'open' WHEN p_cause = 'pull' THEN 'claimed' ELSE 'assigned' END,
            assignee = m.person,
            assigned_at = CASE WHEN m.person IS NULL THEN NULL WHEN m.person = m.assignee THEN t.assigned_at ELSE p_at END,
            claimed_at = CASE WHEN p_cause = 'pull' THEN p_at END,
            touched_at = CASE WHEN p_cause = 'pull' THEN p_at END
        FROM moving m WHERE t.id = m.task AND (m.person IS NOT NULL OR m.assignee IS NOT NULL)),
    stopping AS (
        UPDATE touch u SET stopped_at = greatest(u.started_at, p_at)
        FROM moving m WHERE m.status = 'claimed' AND u.task_id = m.task AND u.stopped_at IS NULL),
    starting AS (
        INSERT INTO touch (task_id, person, started_at) SELECT task, person, p_at FROM moving WHERE p_cause = 'pull'
        ON CONFLICT (task_id, started_at) DO UPDATE SET person = excluded.person, stopped_at = NULL),
    declining AS (
        INSERT INTO decline (task_id, person, reason, at)
        SELECT task, p_by, p_reason, p_at FROM moving WHERE p_cause = 'decline'),
    recording AS (
        INSERT INTO assignment (task_id, person, from_person, cause, by, at, reason, candidates, excluded)
        SELECT task, person, assignee, p_cause, p_by, p_at, p_reason, coalesce(candidates, '[]'), coalesce(excluded, '{}')
        FROM moving),
    noting AS (
        SELECT case_id, 'task:' || string_agg(task::text, ',' ORDER BY no) AS record, jsonb_build_object(
                   'cause', p_cause, 'reason', p_reason, 'element', min(element), 'from', jsonb_agg(assignee ORDER BY no),
                   'given_to', jsonb_agg(person ORDER BY no)) AS detail
        FROM moving GROUP BY case_id)
    SELECT n.cases, n.records, n.details, v.handed, v.workflows INTO v_cases, v_records, v_details, v_handed, v_workflows
    FROM (SELECT array_agg(case_id) AS cases, array_agg(record) AS records, array_agg(detail) AS details FROM noting) n,
         (SELECT array_agg(ROW (task, person, assignee, reason IS NULL, reason, rule)::handed ORDER BY no) AS handed,
                 array_agg(DISTINCT workflow) FILTER (WHERE reason IS NULL) AS workflows FROM verdict) v;
    PERFORM append_audit_many(v_cases, p_by,
        CASE WHEN v_by_system THEN 'machine' WHEN p_cause = 'manager' THEN 'manager' ELSE 'reviewer' END,
        CASE WHEN p_cause = 'pull' THEN 'claimed' WHEN p_cause = 'release' THEN 'released'
             WHEN p_cause = 'decline' THEN 'declined'
             WHEN p_cause IN ('round_robin', 'least_load', 'best_skill') THEN 'assigned' ELSE 'reassigned' END,
        v_records, p_at, v_details);
    -- Lists of open tasks are out of date now, for whoever shows one.
    FOREACH v_workflow IN ARRAY coalesce(v_workflows, '{}') LOOP
        PERFORM pg_notify('orchestration_hands', v_workflow);
    END LOOP;
    RETURN QUERY SELECT h.* FROM unnest(v_handed) h;
END $$;

-- Take the next task: first what was assigned to them, then the first in order of all lanes that are theirs. Each lane
-- is walked along its index to the first task that nothing bars them from. Whoever is at work on the same one meanwhile
-- is passed by, not waited for. No task: the rule says why.
CREATE FUNCTION pull(p_person text, p_at timestamptz, p_workflow text DEFAULT NULL, p_queue text DEFAULT NULL,
                     OUT task bigint, OUT reason text, OUT rule text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_task bigint; v_case bigint; v_queue text; v_element text;
    v_past bigint[] := '{}'; v_full text[]; v_busy text[] := '{}'; v_said text;
BEGIN
    SELECT coalesce(array_agg(q.name), '{}') INTO v_full FROM queue q
        WHERE q.wip_limit IS NOT NULL AND (p_queue IS NULL OR q.name = p_queue) AND q.wip_limit <= (
            SELECT count(*) FROM review_task h WHERE h.workflow = q.workflow AND h.queue = q.name
                AND h.status IN ('assigned', 'claimed'));
    LOOP
        SELECT t.id, t.case_id, t.queue, t.element INTO v_task, v_case, v_queue, v_element FROM review_task t
            WHERE t.assignee = p_person AND t.status = 'assigned' AND NOT t.id = ANY (v_past)
              AND (p_workflow IS NULL OR t.workflow = p_workflow) AND (p_queue IS NULL OR t.queue = p_queue)
            ORDER BY t.order_key, t.id LIMIT 1;
        IF v_task IS NULL THEN
            SELECT t.id, t.case_id, l.queue, t.element INTO v_task, v_case, v_queue, v_element
                FROM queue q JOIN work_lane l ON l.workflow = q.workflow AND l.queue = q.name
                CROSS JOIN LATERAL unfit(p_person, q.role, l.skill, l.level, l.region) u
                CROSS JOIN LATERAL (
                    SELECT t.id, t.case_id, t.element, t.order_key FROM review_task t
                    WHERE t.lane = l.id AND t.status = 'open' AND NOT t.id = ANY (v_past)
                      AND NOT t.element = ANY (v_busy)
                      AND NOT EXISTS (
                          SELECT FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at,
                                           q.excludes) b WHERE b.person = p_person)
                    ORDER BY t.order_key, t.id LIMIT 1) t
                WHERE u.reason IS NULL AND q.role <> 'requester' AND NOT q.name = ANY (v_full)
                  AND (p_workflow IS NULL OR q.workflow = p_workflow) AND (p_queue IS NULL OR q.name = p_queue)
                ORDER BY t.order_key, t.id LIMIT 1;
        END IF;
        IF v_task IS NULL THEN
            reason := coalesce(reason, CASE WHEN v_full <> '{}' THEN 'queue_full' ELSE 'nothing' END);
            rule := coalesce(rule, format('nothing waits that %s may do%s%s', p_person, ' in queue ' || p_queue,
                CASE WHEN v_full <> '{}' THEN ': full, until something of them is decided or released, is '
                    || array_to_string(v_full, ', ') ELSE '' END));
            RETURN;
        END IF;
        BEGIN  -- what an attempt locked is let go when it fails: the next one locks in order again
            PERFORM FROM cases WHERE id = v_case FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'busy' USING ERRCODE = 'OP010';
            END IF;
            SELECT h.reason, h.rule INTO reason, rule
                FROM hand(ARRAY[v_task], ARRAY[p_person], 'pull', p_person, p_at) h;
            IF reason IS NOT NULL THEN
                RAISE EXCEPTION '%', reason USING ERRCODE = 'OP010', DETAIL = rule;
            END IF;
            task := v_task;
            RETURN;
        EXCEPTION WHEN SQLSTATE 'OP010' THEN
            GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, rule = PG_EXCEPTION_DETAIL;
        END;
        IF reason = 'capacity' THEN
            RETURN;
        ELSIF reason = 'queue_full' THEN
            v_full := v_full || v_queue;
        ELSIF reason = 'station_full' THEN
            v_busy := v_busy || v_element;
        ELSE
            reason := NULL;
            rule := NULL;
            v_past := v_past || v_task;
        END IF;
    END LOOP;
END $$;

-- Pause work on claimed tasks, or go on with it: touch time is what lies between. Answers like hand().
CREATE FUNCTION touch_work(p_task bigint[], p_act text, p_person text, p_at timestamptz)
RETURNS TABLE (task bigint, person text, from_person text, moved boolean, reason text, rule text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE v_handed handed[];
BEGIN
    IF p_act NOT IN ('pause', 'resume') THEN
        RAISE EXCEPTION 'refused: % is no act of work: pause or resume', p_act USING ERRCODE = 'OP002';
    END IF;
    PERFORM FROM cases WHERE id IN (SELECT t.case_id FROM review_task t WHERE t.id = ANY (p_task))
        ORDER BY id FOR NO KEY UPDATE;
    SELECT array_agg(ROW (c.task, c.person, c.person, c.allowed, c.reason, c.rule)::handed ORDER BY c.no) INTO v_handed
        FROM can_many(array_fill(p_person, ARRAY[cardinality(p_task)]), p_act, p_task) c;
    UPDATE review_task t SET touched_at = p_at FROM unnest(v_handed) h WHERE h.moved AND t.id = h.task;
    IF p_act = 'pause' THEN
        UPDATE touch u SET stopped_at = greatest(u.started_at, p_at)
            FROM unnest(v_handed) h WHERE h.moved AND u.task_id = h.task AND u.stopped_at IS NULL;
    ELSE
        INSERT INTO touch (task_id, person, started_at)
            SELECT DISTINCT h.task, h.person, p_at FROM unnest(v_handed) h WHERE h.moved
            ON CONFLICT (task_id, started_at) DO UPDATE SET stopped_at = NULL;
    END IF;
    RETURN QUERY SELECT h.* FROM unnest(v_handed) h;
END $$;
