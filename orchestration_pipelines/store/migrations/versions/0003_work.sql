-- The reviewer table as a work-management engine: lanes, assignments, touch time, clocks with their rungs, the outbox.

-- What a task asks of whoever does it. Few rows; a puller looks through the lanes that are theirs, in order.
CREATE TABLE work_lane (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL,
    queue       text NOT NULL,
    skill       text,
    region      text,
    level       smallint NOT NULL DEFAULT 1,
    UNIQUE NULLS NOT DISTINCT (workflow, queue, skill, region, level),
    FOREIGN KEY (workflow, queue) REFERENCES queue (workflow, name)
);
ALTER TABLE review_task
    ADD COLUMN lane         int REFERENCES work_lane (id),
    ADD COLUMN region       text,
    ADD COLUMN level        smallint NOT NULL DEFAULT 1,
    ADD COLUMN priority     smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9),  -- higher goes first
    ADD COLUMN order_key    timestamptz,               -- fixed when queued: opened_at minus the weight of its class
    ADD COLUMN requested_by text,                      -- of the case: nobody does their own
    ADD COLUMN assigned_at  timestamptz,
    ADD COLUMN claimed_at   timestamptz,
    ADD COLUMN touched_at   timestamptz;               -- the last sign of work on it
-- The lane that asks just this, found or made.
CREATE FUNCTION lane_of(p_workflow text, p_queue text, p_skill text, p_region text, p_level smallint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_lane int;
BEGIN
    LOOP
        SELECT id INTO v_lane FROM work_lane WHERE workflow = p_workflow AND queue = p_queue AND level = p_level
            AND skill IS NOT DISTINCT FROM p_skill AND region IS NOT DISTINCT FROM p_region;
        EXIT WHEN v_lane IS NOT NULL;
        INSERT INTO work_lane (workflow, queue, skill, region, level)
            VALUES (p_workflow, p_queue, p_skill, p_region, p_level) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN v_lane;
END $$;
GRANT EXECUTE ON FUNCTION lane_of TO orchestration_app;
UPDATE review_task t SET order_key = t.opened_at, requested_by = c.requested_by,
    lane = lane_of(t.workflow, t.queue, t.skill, NULL, 1::smallint) FROM cases c WHERE c.id = t.case_id;
ALTER TABLE review_task
    ALTER COLUMN lane SET NOT NULL,
    ALTER COLUMN order_key SET NOT NULL,
    ALTER COLUMN requested_by SET NOT NULL;
-- Whoever sends a task to another queue need not know of lanes. The order key stays: it was fixed when it was queued.
CREATE FUNCTION review_task_lane() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    NEW.lane := lane_of(NEW.workflow, NEW.queue, NEW.skill, NEW.region, NEW.level);
    RETURN NEW;
END $$;
CREATE TRIGGER lane BEFORE UPDATE OF queue, skill, region, level ON review_task FOR EACH ROW
    WHEN ((OLD.queue, OLD.skill, OLD.region, OLD.level) IS DISTINCT FROM (NEW.queue, NEW.skill, NEW.region, NEW.level))
    EXECUTE FUNCTION review_task_lane();
CREATE INDEX review_task_pull ON review_task (lane, order_key, id) INCLUDE (requested_by, case_id, visit, round)
    WHERE status = 'open';
CREATE INDEX review_task_in_hand ON review_task (assignee, workflow, queue) WHERE status IN ('assigned', 'claimed');
CREATE INDEX review_task_queue_in_hand ON review_task (workflow, queue, element) WHERE status IN ('assigned', 'claimed');

CREATE TABLE assignment (                              -- append only: who got a task, why, and who else could have
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id     bigint NOT NULL,                       -- no foreign key: hand() alone writes here, and has locked the task
    person      text,                                  -- NULL: back to the queue
    from_person text,
    cause       text NOT NULL CHECK (cause IN ('pull', 'round_robin', 'least_load', 'best_skill', 'manager', 'release',
                                               'decline', 'stuck', 'sla', 'absence')),
    by          text NOT NULL,                         -- a person, or 'system'
    at          timestamptz NOT NULL,
    reason      text NOT NULL DEFAULT '',              -- what whoever did it says
    candidates  json NOT NULL DEFAULT '[]',            -- the five best, with what they were weighed by; json is checked
    excluded    json NOT NULL DEFAULT '{}'             -- the rest: counts by reason            (and costs half of jsonb)
);
CREATE INDEX assignment_task ON assignment (task_id, id);
CREATE TABLE decline (                                 -- theirs alone: it changes no rotation and loses no task
    task_id     bigint NOT NULL REFERENCES review_task (id),
    person      text NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    at          timestamptz NOT NULL,
    PRIMARY KEY (task_id, person)
);
CREATE TABLE touch (                                   -- work between claim, pause, resume and the end
    task_id     bigint NOT NULL REFERENCES review_task (id),
    person      text NOT NULL,
    started_at  timestamptz NOT NULL,
    stopped_at  timestamptz,
    PRIMARY KEY (task_id, started_at),
    CHECK (stopped_at >= started_at)
);
CREATE UNIQUE INDEX touch_running ON touch (task_id) WHERE stopped_at IS NULL;

-- ---------------------------------------------------------------- SLA clocks; BPMN timers are others, and never pause
CREATE TABLE sla_clock (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow      text NOT NULL,
    case_id       bigint NOT NULL,
    visit         int,                                 -- NULL: the clock of the case
    element       text NOT NULL,                       -- '': the clock of the case
    calendar      text NOT NULL,
    budget_s      bigint NOT NULL CHECK (budget_s > 0),
    left_s        bigint NOT NULL,                     -- business seconds left when it last began to run
    status        text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'paused', 'stopped')),
    version       int NOT NULL DEFAULT 1,              -- a pause voids the rungs of the version before
    started_at    timestamptz NOT NULL,
    running_since timestamptz,
    due_at        timestamptz,                         -- NULL while it stands still
    breached_at   timestamptz,
    stopped_at    timestamptz,
    CHECK ((status = 'running') = (running_since IS NOT NULL)),
    CHECK ((status = 'running') = (due_at IS NOT NULL) OR status = 'stopped'),
    CHECK ((status = 'stopped') = (stopped_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX sla_clock_once ON sla_clock (case_id, coalesce(visit, 0));
CREATE INDEX sla_clock_due ON sla_clock (due_at) WHERE status = 'running' AND breached_at IS NULL;
CREATE TABLE sla_rung (
    clock_id    bigint NOT NULL REFERENCES sla_clock (id),
    no          smallint NOT NULL,
    act         text NOT NULL CHECK (act IN ('remind', 'reassign', 'escalate', 'fallback')),
    after_s     bigint NOT NULL,                       -- business seconds since the clock's start
    version     int NOT NULL,
    due_at      timestamptz,                           -- NULL while its clock stands still
    status      text NOT NULL DEFAULT 'armed' CHECK (status IN ('armed', 'fired', 'void')),
    fired_at    timestamptz,
    late        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (clock_id, no)
) WITH (fillfactor = 80);
CREATE INDEX sla_rung_due ON sla_rung (due_at, clock_id, no) WHERE status = 'armed';
CREATE TABLE sla_pause (
    clock_id    bigint NOT NULL REFERENCES sla_clock (id),
    element     text NOT NULL,                         -- where the case waits
    paused_at   timestamptz NOT NULL,
    left_s      bigint NOT NULL,
    resumed_at  timestamptz,
    PRIMARY KEY (clock_id, paused_at)
);

-- ---------------------------------------------------------------- the outbox of notifications
CREATE TABLE notification (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,                  -- of what happened: the same is told once
    workflow    text NOT NULL,
    person      text NOT NULL,                         -- to whom: a reviewer, or an owner
    kind        text NOT NULL,
    case_id     bigint,
    task_id     bigint,
    text        text NOT NULL,                         -- opaque ids and times, no personal data
    made_at     timestamptz NOT NULL,
    status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'dead')),
    attempts    smallint NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    sent_at     timestamptz,
    error       text
);
CREATE INDEX notification_pending ON notification (next_at, id) WHERE status = 'pending';
