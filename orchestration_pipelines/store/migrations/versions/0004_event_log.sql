-- Event logs of how a process ran before, or elsewhere: a baseline for the same figures.
CREATE TABLE event_log (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    source      text NOT NULL,             -- the file's name
    digest      text NOT NULL,             -- of its bytes and of the mapping
    mapping     jsonb,                     -- NULL: the file says itself what is what (XES)
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL,
    skipped     int NOT NULL               -- events without a case, an activity or a readable time
);
CREATE TABLE event_log_case (
    log_id      int NOT NULL REFERENCES event_log (id),
    no          int NOT NULL,
    case_key    text NOT NULL,
    breached    boolean,
    reopened    boolean,
    PRIMARY KEY (log_id, no)
);
CREATE TABLE event_log_event (
    log_id      int NOT NULL,
    case_no     int NOT NULL,
    no          int NOT NULL,              -- in the order of time
    activity    text NOT NULL,
    at          timestamptz NOT NULL,
    resource    text,
    lifecycle   text NOT NULL,
    PRIMARY KEY (log_id, case_no, no),
    FOREIGN KEY (log_id, case_no) REFERENCES event_log_case (log_id, no)
);
GRANT SELECT, INSERT ON event_log, event_log_case, event_log_event TO orchestration_app;
GRANT SELECT ON event_log, event_log_case, event_log_event TO orchestration_auditor;
