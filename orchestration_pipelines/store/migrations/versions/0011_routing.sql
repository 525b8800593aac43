-- Work given out fast; work that nobody is left to do.

-- Tasks of a lane that nobody may do any more are one incident as long as it stands.
ALTER TABLE incident ADD COLUMN lane int REFERENCES work_lane (id);
CREATE UNIQUE INDEX incident_of_lane ON incident (lane) WHERE lane IS NOT NULL AND resolved_at IS NULL;

-- Where statistics are old, what one person has in hand must not be counted along what a whole queue has. The condition
-- on the workflow is true of every row, and only who asks for one workflow is known to keep to it: nobody else is led here.
DROP INDEX review_task_queue_in_hand;
CREATE INDEX review_task_queue_in_hand ON review_task (workflow, queue, element)
    WHERE status IN ('assigned', 'claimed') AND workflow IS NOT NULL;

-- Give tasks to people, or (person NULL) back to their queues: task and person by position. Each is moved or refused
-- with the rule, and those refused change nothing. Why it is done says who may:
--   pull                            a person claims for themselves; p_by is they
--   release, decline                a person gives back what they have (declined: they are not offered it again; a task
--                                   that is open is declined without a move)
--   manager                         p_by is a manager: to somebody, or back to the queue
--   round_robin, least_load, best_skill, stuck, sla, absence     the engine: p_by is 'system'
-- Limits are counted under locks: cases, then reviewers, queues and stations, each in order.
CREATE OR REPLACE FUNCTION hand(p_task bigint[], p_person text[], p_cause text, p_by text, p_at timestamptz,
                     p_candidates text[] DEFAULT NULL, p_excluded text[] DEFAULT NULL, p_reason text DEFAULT '',
                     p_asserted_by text DEFAULT NULL)
RETURNS TABLE (task bigint, person text, from_person text, moved boolean, reason text, rule text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
    v_by_system boolean := p_cause NOT IN ('pull', 'release', 'decline', 'manager');
    v_routing boolean := p_cause IN ('round_robin', 'least_load', 'best_skill');  -- planned without locks
    v_mover boolean := p_cause <> 'pull' AND (NOT v_by_system OR array_position(p_person, NULL) IS NOT NULL);
    v_cases bigint[]; v_records text[]; v_details jsonb[]; v_handed handed[]; v_workflow text;
    v_workflows text[]; v_queues text[]; v_elements text[];
    v_person_room jsonb; v_queue_room jsonb; v_station_room jsonb;
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
    -- Under the lock of each reviewer, queue and station, how much more may be in hand there. NULL: no limit.
    PERFORM FROM reviewer r WHERE r.person = ANY (p_person) ORDER BY r.person FOR NO KEY UPDATE;
    SELECT jsonb_object_agg(r.person, r.capacity - h.tasks) INTO v_person_room
        FROM (SELECT DISTINCT u.person FROM unnest(p_person) AS u (person)) n
        JOIN reviewer r ON r.person = n.person
        CROSS JOIN LATERAL (SELECT count(*) AS tasks FROM review_task h
            WHERE h.assignee = r.person AND h.status IN ('assigned', 'claimed')) h
        WHERE r.capacity IS NOT NULL;
    SELECT array_agg(DISTINCT t.workflow), array_agg(DISTINCT t.queue), array_agg(DISTINCT t.element)
        INTO v_workflows, v_queues, v_elements FROM review_task t WHERE t.id = ANY (p_task);
    PERFORM FROM queue q WHERE q.wip_limit IS NOT NULL AND q.workflow = ANY (v_workflows) AND q.name = ANY (v_queues)
        ORDER BY q.workflow, q.name FOR NO KEY UPDATE;
    SELECT jsonb_object_agg(workflow, room) INTO v_queue_room FROM (
        SELECT q.workflow, jsonb_object_agg(q.name, q.wip_limit - (
            SELECT count(*) FROM review_task h WHERE h.workflow = q.workflow AND h.queue = q.name
                AND h.status IN ('assigned', 'claimed'))) AS room
        FROM queue q WHERE q.wip_limit IS NOT NULL AND q.workflow = ANY (v_workflows) AND q.name = ANY (v_queues)
        GROUP BY q.workflow) rooms;
    PERFORM FROM station_limit l WHERE l.workflow = ANY (v_workflows) AND l.element = ANY (v_elements)
        ORDER BY l.workflow, l.element FOR NO KEY UPDATE;
    SELECT jsonb_object_agg(workflow, room) INTO v_station_room FROM (
        SELECT l.workflow, jsonb_object_agg(l.element, l.wip_limit - (
            SELECT count(*) FROM review_task h WHERE h.workflow = l.workflow AND h.element = l.element
                AND h.status IN ('assigned', 'claimed'))) AS room
        FROM station_limit l WHERE l.workflow = ANY (v_workflows) AND l.element = ANY (v_elements)
        GROUP BY l.workflow) rooms;

    WITH asked AS (
        SELECT u.no, u.task, u.person, u.candidates, u.excluded, t.case_id, t.visit, t.workflow, t.queue, t.element,
               t.status, t.assignee, u.person IS NOT NULL AND t.assignee IS DISTINCT FROM u.person AS gains,
               u.person IS NOT NULL AND t.status = 'open' AS adds,
               CASE WHEN u.refusal IS NOT NULL THEN u.refusal
                    WHEN v_routing AND u.taking IS NULL AND t.status <> 'open' THEN 'held'
                    WHEN u.person IS NOT NULL THEN u.taking
                    WHEN t.status = 'open' AND p_cause <> 'decline' THEN 'in_no_hand' END AS reason,
               CASE WHEN u.refusal IS NOT NULL THEN u.refused
                    WHEN v_routing AND u.taking IS NULL AND t.status <> 'open'
                        THEN format('task %s was taken meanwhile, by %s', u.task, t.assignee)
                    WHEN u.person IS NOT NULL THEN u.taken
                    WHEN t.status = 'open' AND p_cause <> 'decline' THEN format('task %s is in the hands of nobody', u.task)
                    ELSE format('back to queue %s', t.queue) END AS rule
        FROM ROWS FROM (
            unnest(p_task, p_person, p_candidates, p_excluded),
            -- Whoever moves it; a taker is asked the rest, so that where the engine gives, nothing is asked twice.
            can_many(CASE WHEN v_mover THEN array_fill(p_by, ARRAY[cardinality(p_task)]) ELSE '{}' END,
                     CASE WHEN p_cause IN ('release', 'decline') THEN p_cause ELSE 'reassign' END,
                     CASE WHEN v_mover THEN p_task ELSE '{}' END),
            can_many(p_person, CASE p_cause WHEN 'pull' THEN 'claim' ELSE 'assign' END, p_task, p_at)
        ) WITH ORDINALITY AS u (task, person, candidates, excluded,
                                no_1, mover, task_1, allowed_1, refusal, refused,
                                no_2, taker, task_2, allowed_2, taking, taken, no)
        LEFT JOIN review_task t ON t.id = u.task),
    -- Nobody gets two signatures of one case, and no task is moved twice.
    numbered AS (
        SELECT a.*, row_number() OVER (PARTITION BY task ORDER BY no) AS nth,
               count(*) FILTER (WHERE reason IS NULL) OVER (PARTITION BY case_id, visit, person ORDER BY no) AS twin
        FROM asked a),
    single AS (
        SELECT n.*, CASE WHEN reason IS NULL AND nth > 1 THEN 'twice'
                         WHEN reason IS NULL AND twin > 1 AND person IS NOT NULL THEN 'holds_other'
                         ELSE reason END AS reason_1
        FROM numbered n),
    -- Each limit leaves so much room, which is given out in the order asked.
    of_person AS (
        SELECT s.*, CASE WHEN reason_1 IS NULL AND gains AND (v_person_room ->> person)::int < count(*)
                   FILTER (WHERE reason_1 IS NULL AND gains) OVER (PARTITION BY person ORDER BY no)
               THEN 'capacity' ELSE reason_1 END AS reason_2
        FROM single s),
    of_queue AS (
        SELECT s.*, CASE WHEN reason_2 IS NULL AND adds AND (v_queue_room -> workflow ->> queue)::int < count(*)
                   FILTER (WHERE reason_2 IS NULL AND adds) OVER (PARTITION BY workflow, queue ORDER BY no)
               THEN 'queue_full' ELSE reason_2 END AS reason_3
        FROM of_person s),
    of_station AS (
        SELECT s.*, CASE WHEN reason_3 IS NULL AND adds AND (v_station_room -> workflow ->> element)::int < count(*)
                   FILTER (WHERE reason_3 IS NULL AND adds) OVER (PARTITION BY workflow, element ORDER BY no)
               THEN 'station_full' ELSE reason_3 END AS reason_4
        FROM of_queue s),
    verdict AS MATERIALIZED (
        SELECT no, task, person, candidates, excluded, case_id, workflow, element, status, assignee, reason_4 AS reason,
               CASE WHEN reason IS NOT NULL OR reason_4 IS NULL THEN rule ELSE CASE reason_4
                   WHEN 'twice' THEN format('task %s is named twice', task)
                   WHEN 'holds_other'
                       THEN format('%s is to have another signature of this case: four eyes are two people', person)
                   WHEN 'capacity' THEN (
                       SELECT format('%s has %s of %s in hand: decide or release one', person,
                                     r.capacity - greatest((v_person_room ->> r.person)::int, 0), r.capacity)
                       FROM reviewer r WHERE r.person = of_station.person)
                   WHEN 'queue_full' THEN (
                       SELECT format('queue %s has %s of %s in hand: one must be decided or released first', queue,
                                     q.wip_limit - greatest((v_queue_room -> workflow ->> queue)::int, 0), q.wip_limit)
                       FROM queue q WHERE q.workflow = of_station.workflow AND q.name = of_station.queue)
                   ELSE (
                       SELECT format('step %s has %s of %s in hand: one must be decided or released first', element,
                                     l.wip_limit - greatest((v_station_room -> workflow ->> element)::int, 0), l.wip_limit)
                       FROM station_limit l WHERE l.workflow = of_station.workflow AND l.element = of_station.element)
               END END AS rule
        FROM of_station),
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
        SELECT task, person, assignee, p_cause, p_by, p_at, p_reason, coalesce(candidates, '[]')::json, coalesce(excluded, '{}')::json
        FROM moving),
    noting AS (
        SELECT case_id, 'task:' || string_agg(task::text, ',' ORDER BY no) AS record, jsonb_build_object(
                   'cause', p_cause, 'reason', p_reason, 'asserted_by', p_asserted_by, 'element', min(element), 'from', jsonb_agg(assignee ORDER BY no),
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

