-- Measures of flow: found by day. Rows arrive in the order of time, so that a BRIN index finds a day's blocks and costs
-- the sweep next to nothing.
CREATE INDEX activity_finished ON activity USING brin (finished_at) WITH (pages_per_range = 32);
CREATE INDEX cases_submitted ON cases USING brin (submitted_at) WITH (pages_per_range = 32);
CREATE INDEX review_decision_at ON review_decision USING brin (decided_at) WITH (pages_per_range = 16);
CREATE INDEX assignment_at ON assignment USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX sla_clock_stopped ON sla_clock USING brin (stopped_at) WITH (pages_per_range = 16);
CREATE INDEX sla_clock_breached ON sla_clock (breached_at) WHERE breached_at IS NOT NULL;

-- How many came and went, day by day: summed up, what is under way at a day's end. Derived: it can be thrown away.
CREATE TABLE flow_day (
    workflow    text NOT NULL REFERENCES workflow (name),
    day         date NOT NULL,             -- in UTC
    submitted   int NOT NULL,
    closed      int NOT NULL,
    counted_at  timestamptz NOT NULL,      -- a day counted before it was over is counted again
    PRIMARY KEY (workflow, day)
);
GRANT SELECT, INSERT, UPDATE ON flow_day TO orchestration_app;
GRANT SELECT ON flow_day TO orchestration_auditor;

-- What a rule approved, for the one role that may hold it against what was withheld at intake.
GRANT SELECT ON approval TO orchestration_evaluation;
