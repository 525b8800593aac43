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
ALTER TABLE queue
    ADD COLUMN title        text NOT NULL DEFAULT '',
    ADD COLUMN strategy     text NOT NULL DEFAULT 'pull'
        CHECK (strategy IN ('pull', 'round_robin', 'least_load', 'best_skill')),
    ADD COLUMN wip_limit    int CHECK (wip_limit >= 0),       -- tasks in hand in the queue; NULL: no limit
    ADD COLUMN fallback     text,                             -- the queue of tasks that nobody here may do
    ADD COLUMN escalates_to text,                             -- the queue of the next role
    ADD COLUMN stuck_after  interval CHECK (stuck_after > interval '0'),  -- claimed and untouched for so long
    ADD COLUMN turn         bigint NOT NULL DEFAULT 0,        -- of the rotation
    ADD FOREIGN KEY (workflow, fallback) REFERENCES queue (workflow, name),
    ADD FOREIGN KEY (workflow, escalates_to) REFERENCES queue (workflow, name);
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
