-- People and the policy of their work. Everything is referred to by an id that never changes (person, queue name,
-- team name); what people call it is its title, and renaming changes that alone.

CREATE TABLE team (
    name        text PRIMARY KEY CHECK (name <> ''),
    title       text NOT NULL,
    lead        text REFERENCES reviewer (person)
);
ALTER TABLE reviewer
    ADD COLUMN title    text NOT NULL DEFAULT '',
    ADD COLUMN team     text REFERENCES team (name),
    ADD COLUMN level    smallint NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 9),
    ADD COLUMN regions  text[] NOT NULL DEFAULT '{}',  -- empty: every region
    ADD COLUMN zone     text NOT NULL DEFAULT 'UTC',
    ADD COLUMN capacity int CHECK (capacity >= 0),     -- tasks in hand at once; NULL: no limit
    ADD COLUMN address  text;                          -- where notifications go; NULL: to the log alone
CREATE TABLE reviewer_skill (
    person      text NOT NULL REFERENCES reviewer (person),
    skill       text NOT NULL CHECK (skill <> ''),
    level       smallint NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 9),
    PRIMARY KEY (person, skill)
);
CREATE TABLE shift (                                   -- in the person's zone; nobody without one is ever off shift
    person      text NOT NULL REFERENCES reviewer (person),
    weekday     smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),  -- ISO: Monday is 1
    starts      time NOT NULL,
    ends        time NOT NULL,                         -- at or before the start: the next day
    PRIMARY KEY (person, weekday, starts)
);
CREATE TABLE absence (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person      text NOT NULL REFERENCES reviewer (person),
    starts      timestamptz NOT NULL,
    ends        timestamptz,                           -- NULL: until they are back
    delegate    text REFERENCES reviewer (person),
    reason      text NOT NULL,
    set_by      text NOT NULL,
    set_at      timestamptz NOT NULL,
    CHECK (ends IS NULL OR ends > starts),
    CHECK (delegate <> person)
);
CREATE INDEX absence_person ON absence (person, starts);
CREATE INDEX absence_delegate ON absence (delegate) WHERE delegate IS NOT NULL;

-- ---------------------------------------------------------------- the policy, as a manager last set it
CREATE TABLE work_policy (                             -- append only: who changed what, and why
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL REFERENCES workflow (name),
    document    text NOT NULL,                         -- YAML, as it was given
    digest      text NOT NULL,
    set_by      text NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    set_at      timestamptz NOT NULL
);
CREATE INDEX work_policy_newest ON work_policy (workflow, id DESC);
CREATE TABLE calendar (                                -- business hours; the policy's, spread out for SQL
    workflow    text NOT NULL REFERENCES workflow (name),
    name        text NOT NULL,
    zone        text NOT NULL,
    PRIMARY KEY (workflow, name)
);
CREATE TABLE calendar_hours (
    workflow    text NOT NULL,
    calendar    text NOT NULL,
    weekday     smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens       time NOT NULL,
    closes      time NOT NULL,                         -- 24:00 is the end of the day
    PRIMARY KEY (workflow, calendar, weekday, opens),
    FOREIGN KEY (workflow, calendar) REFERENCES calendar (workflow, name),
    CHECK (closes > opens)
);
CREATE TABLE calendar_holiday (
    workflow    text NOT NULL,
    calendar    text NOT NULL,
    day         date NOT NULL,
    title       text NOT NULL,
    PRIMARY KEY (workflow, calendar, day),
    FOREIGN KEY (workflow, calendar) REFERENCES calendar (workflow, name)
);
CREATE TABLE known_skill (                             -- what a person may be said to know, and a task to ask
    workflow    text NOT NULL REFERENCES workflow (name),
    name        text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (workflow, name)
);
CREATE TABLE known_region (
    workflow    text NOT NULL REFERENCES workflow (name),
    name        text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (workflow, name)
);
CREATE TABLE class_weight (                            -- how far ahead of its time a class is queued
    workflow    text NOT NULL REFERENCES workflow (name),
    priority    smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
    weight      interval NOT NULL CHECK (weight >= interval '0'),
    PRIMARY KEY (workflow, priority)
);
ALTER TABLE queue
    ADD COLUMN title        text NOT NULL DEFAULT '',
    ADD COLUMN strategy     text NOT NULL DEFAULT 'pull'
        CHECK (strategy IN ('pull', 'round_robin', 'least_load', 'best_skill')),
    ADD COLUMN wip_limit    int CHECK (wip_limit >= 0),       -- tasks in hand in the queue; NULL: no limit
    ADD COLUMN fallback     text,                             -- the queue of tasks that nobody here may do
    ADD COLUMN escalates_to text,                             -- the queue of the next role
    ADD COLUMN stuck_after  interval CHECK (stuck_after > interval '0'),  -- claimed and untouched for so long
    ADD COLUMN turn         bigint NOT NULL DEFAULT 0,        -- of the rotation: how many it has given
    ADD FOREIGN KEY (workflow, fallback) REFERENCES queue (workflow, name),
    ADD FOREIGN KEY (workflow, escalates_to) REFERENCES queue (workflow, name);
CREATE TABLE rotation (                                -- whose turn was when: the longest ago is next
    workflow    text NOT NULL,
    queue       text NOT NULL,
    person      text NOT NULL REFERENCES reviewer (person),
    turn        bigint NOT NULL,
    PRIMARY KEY (workflow, queue, person),
    FOREIGN KEY (workflow, queue) REFERENCES queue (workflow, name)
);
CREATE TABLE station_limit (
    workflow    text NOT NULL REFERENCES workflow (name),
    element     text NOT NULL,
    wip_limit   int NOT NULL CHECK (wip_limit >= 0),
    PRIMARY KEY (workflow, element)
);
CREATE TABLE sla_policy (                              -- the promise of a step, or ('') of the whole case
    workflow    text NOT NULL,
    element     text NOT NULL,
    calendar    text NOT NULL,
    budget      interval NOT NULL CHECK (budget > interval '0'),  -- business time
    pauses      text[] NOT NULL DEFAULT '{}',          -- of the case's: elements in which its clock stands still
    PRIMARY KEY (workflow, element),
    FOREIGN KEY (workflow, calendar) REFERENCES calendar (workflow, name)
);
CREATE TABLE sla_ladder (
    workflow    text NOT NULL,
    element     text NOT NULL,
    no          smallint NOT NULL CHECK (no >= 1),
    act         text NOT NULL CHECK (act IN ('remind', 'reassign', 'escalate', 'fallback')),
    after       interval NOT NULL,                     -- business time since the start
    PRIMARY KEY (workflow, element, no),
    FOREIGN KEY (workflow, element) REFERENCES sla_policy (workflow, element)
);

-- Who may change the policy and the people, asked at this one place: managers. As long as there is none at all, whoever
-- holds the machine brings in the first ones; the policy waits for them.
CREATE FUNCTION manages(p_person text, p_act text, OUT allowed boolean, OUT rule text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    allowed := EXISTS (SELECT FROM reviewer WHERE person = p_person AND active AND 'manager' = ANY (roles));
    rule := 'role manager';
    IF NOT allowed AND p_act = 'people' AND NOT EXISTS (
        SELECT FROM reviewer WHERE active AND 'manager' = ANY (roles)) THEN
        allowed := true;
        rule := 'there is no manager yet';
    ELSIF NOT allowed THEN
        rule := format('only a manager changes the %s, and %s is none: act as one (--as PERSON), or have one give them '
            'the role manager (orchestrate people import)', p_act, p_person);
    END IF;
END $$;

-- When the wall clock of a zone shows a time. One that the clocks skip is the moment of the change; of one that they show
-- twice it is the first or the second. The clocks change at a full hour.
CREATE FUNCTION wall_instant(p_wall timestamp, p_zone text, p_first boolean) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN (p_wall AT TIME ZONE p_zone) AT TIME ZONE p_zone <> p_wall
            THEN date_trunc('hour', p_wall) AT TIME ZONE p_zone
        WHEN p_first AND ((p_wall AT TIME ZONE p_zone) - interval '1 hour') AT TIME ZONE p_zone = p_wall
            THEN (p_wall AT TIME ZONE p_zone) - interval '1 hour'
        ELSE p_wall AT TIME ZONE p_zone END
$$;

-- The stretches of somebody's shifts that began today or yesterday where they are. Nobody goes and comes back on the
-- night when the clocks are put back: a shift begins when its time is first shown and ends when it is last shown.
CREATE FUNCTION shift_stretches(p_person text, p_zone text, p_at timestamptz)
RETURNS TABLE (begins timestamptz, finishes timestamptz) LANGUAGE sql STABLE AS $$
    SELECT wall_instant(d.day + s.starts, p_zone, true),
           wall_instant(d.day + CASE WHEN s.ends <= s.starts THEN 1 ELSE 0 END + s.ends, p_zone, false)
    FROM shift s, LATERAL (SELECT (p_at AT TIME ZONE p_zone)::date - back AS day FROM generate_series(0, 1) AS back) d
    WHERE s.person = p_person AND s.weekday = extract(isodow FROM d.day)
$$;

-- Nobody leaves with work in hand, and an id is for ever: what people are called is the title.
CREATE FUNCTION reviewer_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_in_hand int;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.person <> OLD.person THEN
        RAISE EXCEPTION 'refused: % is an id and never changes: change the title (orchestrate people rename)', OLD.person
            USING ERRCODE = 'OP002';
    END IF;
    IF TG_OP = 'DELETE' OR OLD.active AND NOT NEW.active THEN
        SELECT count(*) INTO v_in_hand FROM review_task
            WHERE assignee = OLD.person AND status IN ('assigned', 'claimed');
        IF v_in_hand > 0 THEN
            RAISE EXCEPTION 'refused: % has % tasks in hand: orchestrate people deactivate % --release gives them back '
                'to their queues', OLD.person, v_in_hand, OLD.person USING ERRCODE = 'OP002';
        END IF;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON reviewer FOR EACH ROW EXECUTE FUNCTION reviewer_guard();

GRANT SELECT, INSERT, UPDATE, DELETE ON known_skill, known_region, class_weight, rotation TO orchestration_app;
GRANT SELECT ON known_skill, known_region, class_weight, rotation TO orchestration_auditor;
GRANT EXECUTE ON FUNCTION manages, wall_instant, shift_stretches TO orchestration_app;
