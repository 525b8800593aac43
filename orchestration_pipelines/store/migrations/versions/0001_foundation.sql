-- The foundation: cases, tokens, the reviewer table, effects, sagas, audit.
--
-- Two choices that look odd and are measured (docs/adr/0003-the-sweep.md):
-- * the hot tables (token, activity, effect, audit_entry) carry no foreign key to cases: a check per row
--   would cost more than the row. They are written only in the transaction that holds the case's row lock.
-- * a leased token stays 'ready': claims change no indexed column, so that they are heap-only updates.

-- ---------------------------------------------------------------- roles
-- The application may add to what is append-only, never change it. People log in as members of
-- orchestration_reviewer. Nobody but orchestration_evaluation reads what was withheld at intake.
DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['orchestration_app', 'orchestration_reviewer', 'orchestration_auditor',
                                     'orchestration_worker', 'orchestration_evaluation'] LOOP
        -- Roles belong to the whole server: another installation may just be making the same one.
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            RAISE NOTICE 'role % was made meanwhile', role_name;
        END;
    END LOOP;
    -- The owner's connections work as the application, or evaluate. A superuser may; anybody else must be a member,
    -- and from PostgreSQL 16 on one with the SET option, which the maker of a role does not get by making it.
    FOREACH role_name IN ARRAY ARRAY['orchestration_app', 'orchestration_evaluation'] LOOP
        IF current_setting('server_version_num')::int >= 160000 THEN
            IF NOT pg_has_role(current_user, role_name, 'SET') THEN
                EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', role_name, current_user);
            END IF;
        ELSIF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', role_name, current_user);
        END IF;
    END LOOP;
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO orchestration_app, orchestration_reviewer, orchestration_auditor,
    orchestration_worker, orchestration_evaluation;

-- ---------------------------------------------------------------- workflows
CREATE TABLE workflow (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    owner       text NOT NULL,
    dispatches  bigint NOT NULL DEFAULT 0,   -- the number of the last dispatch: part of a sensor's run_key
    audit_seq   int NOT NULL DEFAULT 0,
    audit_head  bytea NOT NULL DEFAULT '\x'
);
CREATE TABLE workflow_version (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL REFERENCES workflow (name),
    version     int NOT NULL,
    digest      text NOT NULL,
    bpmn        bytea NOT NULL,
    released_at timestamptz NOT NULL,
    released_by text NOT NULL,
    UNIQUE (workflow, version),
    UNIQUE (workflow, digest)
);
CREATE TABLE decision_table (
    workflow    text NOT NULL REFERENCES workflow (name),
    file_name   text NOT NULL,
    digest      text NOT NULL,
    dmn         bytea NOT NULL,
    active      boolean NOT NULL,
    released_at timestamptz NOT NULL,
    released_by text NOT NULL,
    PRIMARY KEY (workflow, file_name, digest)
);
CREATE UNIQUE INDEX decision_table_one_active ON decision_table (workflow, file_name) WHERE active;
CREATE TABLE queue (
    workflow    text NOT NULL REFERENCES workflow (name),
    name        text NOT NULL,
    owner       text NOT NULL,
    role        text NOT NULL,     -- who may decide; 'requester' means: whoever submitted the case
    PRIMARY KEY (workflow, name)
);
CREATE TABLE field (            -- the typed columns of a workflow's input: what an edit of a decision must keep to
    workflow    text NOT NULL REFERENCES workflow (name),
    name        text NOT NULL,
    type        text NOT NULL CHECK (type IN ('number', 'text', 'flag', 'date')),
    optional    boolean NOT NULL,
    PRIMARY KEY (workflow, name)
);
CREATE TABLE reviewer (
    person      text PRIMARY KEY CHECK (person <> ''),
    roles       text[] NOT NULL,
    active      boolean NOT NULL DEFAULT true
);
CREATE TABLE hold (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL REFERENCES workflow (name),
    element     text,              -- NULL: the whole workflow
    reason      text NOT NULL CHECK (reason <> ''),
    held_by     text NOT NULL,
    held_at     timestamptz NOT NULL,
    lifted_by   text,
    lifted_at   timestamptz,
    lift_reason text
);
CREATE UNIQUE INDEX hold_standing ON hold (workflow, coalesce(element, '')) WHERE lifted_at IS NULL;

-- ---------------------------------------------------------------- cases and tokens
CREATE TABLE cases (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow       text NOT NULL,
    version_id     int NOT NULL,
    case_key       text NOT NULL CHECK (case_key <> ''),
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'cancelled')),
    outcome        text,           -- the end event that was reached
    requested_by   text NOT NULL CHECK (requested_by <> ''),
    payload_digest bytea NOT NULL, -- of the row as submitted, after typing
    variables      jsonb NOT NULL,
    visits         int NOT NULL,   -- how many activities have been entered
    approval       text,           -- the approval in force, if there is one
    cancel_reason  text,           -- a cancellation that waits for an effect under way
    audit_seq      int NOT NULL,
    audit_head     bytea NOT NULL,
    submitted_at   timestamptz NOT NULL,
    closed_at      timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK ((state = 'open') = (outcome IS NULL))
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX cases_key ON cases (workflow, case_key);

CREATE TABLE token (
    case_id     bigint NOT NULL,
    no          smallint NOT NULL,
    version_id  int NOT NULL,
    element     text COLLATE "C" NOT NULL,
    -- ready: a station may claim it · waiting: for people · backoff: until due_at · dead, stuck: for a person to mend
    status      text COLLATE "C" NOT NULL CHECK (status IN ('ready', 'waiting', 'backoff', 'dead', 'stuck')),
    visit       int NOT NULL,
    attempt     smallint NOT NULL DEFAULT 0,   -- counted at the claim
    crashes     smallint NOT NULL DEFAULT 0,   -- claims whose holder never reported
    claim_no    int NOT NULL DEFAULT 0,        -- the fence: grows with every claim
    holder      bigint,                        -- the sweeper that leases it
    lease_until timestamptz,
    order_key   timestamptz NOT NULL,          -- fixed when queued: enqueued_at minus the weight of its class
    entered_at  timestamptz NOT NULL,
    due_at      timestamptz,                   -- backoff: when it is ready again
    fired       text,                          -- the boundary timer that ended the wait
    throw_from  text,                          -- at a compensation handler: the throw it returns to
    saga_no     int,                           -- at a compensation handler: the entry it undoes
    PRIMARY KEY (case_id, no)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX token_ready ON token (version_id, element, order_key, case_id, no) WHERE status = 'ready';
CREATE INDEX token_backoff ON token (due_at) WHERE status = 'backoff';

CREATE TABLE activity (
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    element     text NOT NULL,
    outcome     text NOT NULL,     -- completed · error:CODE · timer:BOUNDARY · cancelled
    attempt     smallint NOT NULL,
    entered_at  timestamptz NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    sweeper     bigint NOT NULL,
    detail      jsonb,             -- of a decision: table digest, inputs as used, rules that matched
    PRIMARY KEY (case_id, visit)
);

CREATE TABLE sweeper (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run         text NOT NULL,     -- the Dagster run, or what else drives the engine
    pid         int NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    died        boolean NOT NULL DEFAULT false
);
CREATE INDEX sweeper_open ON sweeper (id) WHERE ended_at IS NULL;
CREATE INDEX sweeper_run ON sweeper (run);

-- ---------------------------------------------------------------- effects, sagas
CREATE TABLE effect (
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    element     text NOT NULL,
    tool        text NOT NULL,
    key         text NOT NULL,
    status      text NOT NULL CHECK (status IN ('intended', 'done', 'refused', 'unknown', 'voided')),
    intended_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (case_id, visit)
) WITH (fillfactor = 70);
CREATE TABLE compensation (
    case_id     bigint NOT NULL,
    no          int NOT NULL,      -- the case's audit number at completion: the order, by number and not by clock
    activity    text NOT NULL,
    visit       int NOT NULL,
    handler     text NOT NULL,
    status      text NOT NULL CHECK (status IN ('armed', 'running', 'consumed')),
    snapshot    jsonb NOT NULL,    -- the handler's inputs as they were at completion
    consumed_at timestamptz,
    PRIMARY KEY (case_id, no)
);
CREATE TABLE approval (
    id          text PRIMARY KEY,
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    given_by    text[] NOT NULL,   -- people, or the rule: 'rule:<table digest>:<rule id>'
    given_at    timestamptz NOT NULL,
    voided_at   timestamptz
);
CREATE INDEX approval_case ON approval (case_id);

-- ---------------------------------------------------------------- the reviewer table
CREATE TABLE review_move (            -- the legal moves of a task; compared with domain/review.py in a test
    from_status text NOT NULL,
    act         text NOT NULL,
    to_status   text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);
CREATE TABLE review_task (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id),
    workflow    text NOT NULL,
    element     text NOT NULL,
    visit       int NOT NULL,
    signature   smallint NOT NULL,       -- 1 … signatures
    signatures  smallint NOT NULL CHECK (signatures BETWEEN 1 AND 5),
    round       int NOT NULL DEFAULT 1,  -- an edit starts a new one
    status      text NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'assigned', 'claimed', 'decided', 'returned', 'escalated', 'expired', 'cancelled')),
    queue       text NOT NULL,
    skill       text,
    question    text NOT NULL,
    editable    text[] NOT NULL,
    digest      text NOT NULL,           -- of the variables as shown: a decision names it
    assignee    text,
    opened_at   timestamptz NOT NULL,
    due_at      timestamptz,
    ended_at    timestamptz,
    UNIQUE (case_id, visit, signature)
);
CREATE INDEX review_task_open ON review_task (workflow, queue, opened_at) WHERE ended_at IS NULL;
CREATE TABLE review_decision (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id     bigint NOT NULL UNIQUE REFERENCES review_task (id),
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    round       int NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('approve', 'reject', 'return', 'escalate')),
    edits       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(edits) = 'object'),
    rationale   text NOT NULL DEFAULT '',
    decided_by  text NOT NULL,
    role        text NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    digest      text NOT NULL,
    version_id  int NOT NULL,
    asserted_by text                     -- the operating-system user who said that it is decided_by
);
CREATE INDEX review_decision_case ON review_decision (case_id, visit);

-- ---------------------------------------------------------------- timers
CREATE TABLE timer (
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    boundary    text NOT NULL,
    token_no    smallint NOT NULL,
    due_at      timestamptz NOT NULL,
    status      text NOT NULL DEFAULT 'armed' CHECK (status IN ('armed', 'fired', 'void')),
    PRIMARY KEY (case_id, visit, boundary)
);
CREATE INDEX timer_due ON timer (due_at) WHERE status = 'armed';

-- ---------------------------------------------------------------- what a person must mend
CREATE TABLE incident (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL,
    case_id     bigint,
    element     text,
    kind        text NOT NULL,
    reason      text NOT NULL,
    owner       text NOT NULL,
    opened_at   timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    resolution  text
);
CREATE INDEX incident_open ON incident (workflow, opened_at) WHERE resolved_at IS NULL;
CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL,
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    element     text NOT NULL,
    attempts    int NOT NULL,
    error       text NOT NULL,
    traceback   text NOT NULL,
    dead_at     timestamptz NOT NULL,
    status      text NOT NULL DEFAULT 'dead' CHECK (status IN ('dead', 'replayed', 'abandoned')),
    acted_by    text,
    acted_at    timestamptz,
    reason      text,
    CHECK ((status = 'dead') = (acted_by IS NULL)),
    CHECK (status = 'dead' OR reason <> '')
);
CREATE UNIQUE INDEX dead_letter_standing ON dead_letter (case_id, visit) WHERE status = 'dead';
CREATE TABLE quarantine (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow     text NOT NULL,
    source       text NOT NULL,
    row_no       bigint NOT NULL,
    case_key     text,
    reason       text NOT NULL,
    row          text NOT NULL,            -- as read, as JSON; withheld columns left out
    withheld     jsonb NOT NULL DEFAULT '{}', -- those: written by the application, and read by nobody but restore_withheld
    at           timestamptz NOT NULL,
    resubmitted_at timestamptz,
    resubmitted_by text
);
CREATE UNIQUE INDEX quarantine_once ON quarantine (workflow, source, row_no) WHERE resubmitted_at IS NULL;

-- ---------------------------------------------------------------- withheld at intake
CREATE TABLE withheld_outcome (case_id bigint PRIMARY KEY, columns jsonb NOT NULL);
CREATE TABLE withheld_protected (case_id bigint PRIMARY KEY, columns jsonb NOT NULL);

-- ---------------------------------------------------------------- audit
CREATE TABLE audit_entry (
    case_id     bigint NOT NULL,           -- or, negative, a workflow: its releases and holds
    seq         int NOT NULL,              -- dense: 1, 2, 3 …
    salt        bytea NOT NULL,
    body        bytea NOT NULL,            -- canonical JSON
    commitment  bytea NOT NULL,            -- sha256(salt ‖ body)
    prev        bytea NOT NULL,            -- the hash of the entry before: sha256(its prev ‖ its commitment)
    PRIMARY KEY (case_id, seq)
);
CREATE VIEW audit_trail AS
    SELECT case_id, seq, (b ->> 'at')::timestamptz AS at, b ->> 'actor' AS actor, b ->> 'role' AS role,
           b ->> 'act' AS act, b ->> 'record' AS record, b
    FROM audit_entry, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS b) AS parsed;
