-- Quality of automatic decisions: which were drawn, what a person says who does not know what the machine chose, and the
-- cells (rules of a table) that decide nothing any more until two people lift it.

-- A quality review is a task that no token waits for: its visit is the decision's that is looked at again.
ALTER TABLE review_task
    ADD COLUMN kind text NOT NULL DEFAULT 'decision' CHECK (kind IN ('decision', 'quality')),
    ADD CHECK (kind = 'decision' OR signatures = 1 AND editable = '{}' AND round = 1);

CREATE TABLE quality_draw (            -- append only: how a cell's decisions of a day are drawn, whatever the policy says later
    workflow    text NOT NULL REFERENCES workflow (name),
    day         date NOT NULL,         -- in UTC
    cell        text NOT NULL,
    seed        text NOT NULL,
    rate        float8 NOT NULL CHECK (rate > 0 AND rate <= 1),
    drawn_at    timestamptz NOT NULL,
    PRIMARY KEY (workflow, day, cell)
);
CREATE TABLE quality_sample (          -- append only
    task_id     bigint PRIMARY KEY REFERENCES review_task (id),
    workflow    text NOT NULL,
    day         date NOT NULL,
    case_id     bigint NOT NULL,
    visit       int NOT NULL,
    element     text NOT NULL,
    cell        text NOT NULL,
    digest      text NOT NULL,         -- of the table that decided
    words       text NOT NULL,         -- of its rule: a rule that says something else is proved anew
    seed        text NOT NULL,
    rate        float8 NOT NULL,
    chosen      text NOT NULL CHECK (chosen IN ('approve', 'decline')),
    facts       jsonb NOT NULL,        -- as submitted: all that the reviewer is shown
    decided_at  timestamptz NOT NULL,
    drawn_at    timestamptz NOT NULL,
    UNIQUE (case_id, visit),
    FOREIGN KEY (workflow, day, cell) REFERENCES quality_draw (workflow, day, cell)
);
CREATE INDEX quality_sample_cell ON quality_sample (workflow, cell, decided_at);

CREATE TABLE quality_fallback (        -- a cell decides nothing any more
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL REFERENCES workflow (name),
    cell        text NOT NULL CHECK (cell <> ''),
    since       timestamptz NOT NULL,
    reason      text NOT NULL CHECK (reason <> ''),
    opened_by   text NOT NULL,
    lifted_at   timestamptz            -- set by the second who lifts it, and by nothing else
);
CREATE UNIQUE INDEX quality_fallback_standing ON quality_fallback (workflow, cell) WHERE lifted_at IS NULL;
CREATE TABLE quality_lift (            -- append only
    fallback_id bigint NOT NULL REFERENCES quality_fallback (id),
    no          smallint NOT NULL CHECK (no IN (1, 2)),
    person      text NOT NULL CHECK (person <> ''),
    asserted_by text,
    reason      text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (fallback_id, no)
);

CREATE FUNCTION quality_fallback_opened() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM append_audit(-w.id, NEW.opened_by, 'machine', 'fall back', 'fallback:' || NEW.id, NEW.since,
        jsonb_build_object('cell', NEW.cell, 'reason', NEW.reason)) FROM workflow w WHERE w.name = NEW.workflow;
    RETURN NULL;
END $$;
CREATE TRIGGER opened AFTER INSERT ON quality_fallback FOR EACH ROW EXECUTE FUNCTION quality_fallback_opened();

CREATE FUNCTION quality_lift_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    f quality_fallback; v_first quality_lift;
BEGIN
    -- Only the application may say who lifts it. Anybody else does so as the role that is logged in.
    IF coalesce(current_setting('role', true), '') <> 'orchestration_app' THEN
        NEW.person := session_user;
        NEW.at := clock_timestamp();
        NEW.asserted_by := NULL;
    END IF;
    SELECT * INTO f FROM quality_fallback WHERE id = NEW.fallback_id FOR UPDATE;
    IF f.id IS NULL OR f.lifted_at IS NOT NULL THEN
        RAISE EXCEPTION 'refused: there is no such fallback, or it is lifted already: see orchestrate quality list'
            USING ERRCODE = 'OP001';
    END IF;
    IF btrim(NEW.reason) = '' THEN
        RAISE EXCEPTION 'refused: a reason is needed to let a machine decide again' USING ERRCODE = 'OP004';
    END IF;
    SELECT * INTO v_first FROM quality_lift WHERE fallback_id = f.id;
    IF same_person(NEW.person, v_first.person) OR same_person(NEW.person, v_first.asserted_by) THEN
        RAISE EXCEPTION 'refused: % wants it lifted already: a second person must agree', v_first.person
            USING ERRCODE = 'OP002';
    END IF;
    NEW.no := CASE WHEN v_first.no IS NULL THEN 1 ELSE 2 END;
    RETURN NEW;
END $$;
CREATE FUNCTION quality_lift_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    f quality_fallback;
BEGIN
    SELECT * INTO STRICT f FROM quality_fallback WHERE id = NEW.fallback_id;
    IF NEW.no = 2 THEN
        UPDATE quality_fallback SET lifted_at = NEW.at WHERE id = f.id;
    END IF;
    PERFORM append_audit(-w.id, NEW.person, 'releaser', CASE NEW.no WHEN 2 THEN 'lift' ELSE 'ask to lift' END,
        'fallback:' || f.id, NEW.at, jsonb_build_object('cell', f.cell, 'reason', NEW.reason,
            'asserted_by', NEW.asserted_by)) FROM workflow w WHERE w.name = f.workflow;
    RETURN NULL;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON quality_lift FOR EACH ROW EXECUTE FUNCTION quality_lift_guard();
CREATE TRIGGER effect AFTER INSERT ON quality_lift FOR EACH ROW EXECUTE FUNCTION quality_lift_effect();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['quality_draw', 'quality_sample', 'quality_lift'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON quality_fallback
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT ON quality_draw, quality_sample TO orchestration_app;
GRANT SELECT, INSERT (workflow, cell, since, reason, opened_by) ON quality_fallback TO orchestration_app;
GRANT SELECT, INSERT (fallback_id, person, asserted_by, reason, at) ON quality_lift TO orchestration_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
GRANT SELECT ON quality_draw, quality_sample, quality_fallback, quality_lift TO orchestration_auditor;
