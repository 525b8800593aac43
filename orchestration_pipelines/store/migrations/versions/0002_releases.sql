-- Releases: which decision tables are in force, who asked for it, and who else agreed (docs/adr/0009).
--
-- A release is a row that never changes but in its state; the state changes only by an inserted act, and the trigger
-- on the acts holds the rules: as a review task and its decisions do (docs/adr/0004).

CREATE TABLE model_file (            -- every content that was ever offered, so that an evaluation can be recomputed
    digest      text PRIMARY KEY,
    content     bytea NOT NULL,
    CHECK (digest = encode(sha256(content), 'hex'))
);
CREATE TABLE release_rule (          -- the rules of a released table in words, for whoever reads the record in SQL
    digest      text NOT NULL REFERENCES model_file (digest),
    decision    text NOT NULL,
    rule_id     text NOT NULL,
    words       text NOT NULL,
    PRIMARY KEY (digest, decision, rule_id)
);
CREATE TABLE release_move (          -- the legal moves of a release; compared with domain/release.py in a test
    from_state  text NOT NULL,
    act         text NOT NULL,
    to_state    text NOT NULL,
    whose       text NOT NULL CHECK (whose IN ('requester', 'other', 'system')),
    PRIMARY KEY (from_state, act)
);
CREATE TABLE model_release (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow     text NOT NULL REFERENCES workflow (name),
    kind         text NOT NULL CHECK (kind IN ('table', 'drawing')),
    file_name    text NOT NULL CHECK (file_name <> ''),
    digest       text NOT NULL REFERENCES model_file (digest),
    decisions    text[] NOT NULL,    -- that the table decides; none of a drawing
    meaning      text NOT NULL CHECK (meaning IN ('first', 'neutral', 'tightening', 'loosening')),
    against      text,               -- the digest that was active when it was proposed: what it was compared with
    reason       text NOT NULL CHECK (btrim(reason) <> ''),
    requested_by text NOT NULL CHECK (btrim(requested_by) <> ''),
    asserted_by  text,               -- the operating-system user who said that it is requested_by
    requested_at timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'proposed'
        CHECK (state IN ('proposed', 'active', 'superseded', 'rejected', 'withdrawn'))
);
CREATE UNIQUE INDEX model_release_one_active ON model_release (workflow, kind, file_name) WHERE state = 'active';
CREATE UNIQUE INDEX model_release_one_proposed ON model_release (workflow, kind, file_name, digest)
    WHERE state = 'proposed';
CREATE INDEX model_release_of_digest ON model_release (workflow, digest);
CREATE TABLE release_act (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release_id   bigint NOT NULL REFERENCES model_release (id),
    act          text NOT NULL,
    acted_by     text NOT NULL CHECK (btrim(acted_by) <> ''),
    asserted_by  text,
    acted_at     timestamptz NOT NULL,
    reason       text NOT NULL DEFAULT '',
    to_state     text NOT NULL DEFAULT ''   -- filled in by the trigger, from release_move
);
CREATE INDEX release_act_release ON release_act (release_id, id);
CREATE TABLE pinned_table (          -- what a drawing's version is bound to, where it says orch:binding="pinned"
    version_id   int NOT NULL REFERENCES workflow_version (id),
    decision     text NOT NULL,
    digest       text NOT NULL REFERENCES model_file (digest),
    PRIMARY KEY (version_id, decision)
);

-- ---------------------------------------------------------------- what was active before there were releases
INSERT INTO model_file SELECT DISTINCT ON (digest) digest, dmn FROM decision_table ORDER BY digest;
INSERT INTO model_release (workflow, kind, file_name, digest, decisions, meaning, reason, requested_by, requested_at,
                           state)
    SELECT workflow, 'table', file_name, digest, '{}', 'first', 'active before tables were released', released_by,
           released_at, CASE WHEN active THEN 'active' ELSE 'superseded' END
    FROM decision_table ORDER BY released_at;
INSERT INTO release_act (release_id, act, acted_by, acted_at, to_state)
    SELECT id, 'install', requested_by, requested_at, 'active' FROM model_release ORDER BY id;
DROP TABLE decision_table;

-- ---------------------------------------------------------------- the rules
CREATE FUNCTION same_person(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(btrim(a)) = lower(btrim(b));

CREATE FUNCTION model_release_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Only the application may say who asks. Anybody else asks as the role that is logged in.
        IF coalesce(current_setting('role', true), '') <> 'orchestration_app' THEN
            NEW.requested_by := session_user;
            NEW.asserted_by := NULL;
        END IF;
        NEW.state := 'proposed';
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - 'state' <> to_jsonb(OLD) - 'state' THEN
        RAISE EXCEPTION 'a release never changes: propose another' USING ERRCODE = 'OP006';
    END IF;
    IF NOT EXISTS (SELECT FROM release_act a WHERE a.release_id = NEW.id AND a.to_state = NEW.state
                   AND a.id = (SELECT max(id) FROM release_act WHERE release_id = NEW.id)) THEN
        RAISE EXCEPTION 'a release cannot go from % to % without an act: insert it into release_act',
            OLD.state, NEW.state USING ERRCODE = 'OP005';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON model_release FOR EACH ROW EXECUTE FUNCTION model_release_guard();

-- Every act passes here, whoever inserts it and however.
CREATE FUNCTION release_act_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r model_release; m release_move; v_active text; v_other text;
BEGIN
    IF coalesce(current_setting('role', true), '') <> 'orchestration_app' THEN
        NEW.acted_by := session_user;
        NEW.acted_at := clock_timestamp();
        NEW.asserted_by := NULL;
    END IF;
    SELECT * INTO r FROM model_release WHERE id = NEW.release_id;
    IF r.id IS NULL THEN
        RAISE EXCEPTION 'there is no release %: see orchestrate model releases', NEW.release_id USING ERRCODE = 'OP001';
    END IF;
    -- The workflow first, then its releases: one act at a time.
    PERFORM FROM workflow WHERE name = r.workflow FOR UPDATE;
    SELECT * INTO r FROM model_release WHERE id = NEW.release_id FOR UPDATE;
    SELECT * INTO m FROM release_move WHERE from_state = r.state AND act = NEW.act;
    IF m.act IS NULL THEN
        RAISE EXCEPTION 'a release that is % cannot be changed by %: the legal moves are in the table release_move',
            r.state, NEW.act USING ERRCODE = 'OP005';
    END IF;
    IF m.whose = 'system' AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'refused: a release is superseded by another that becomes active, and by nothing else'
            USING ERRCODE = 'OP002';
    END IF;
    IF m.whose = 'other' AND (same_person(NEW.acted_by, r.requested_by) OR same_person(NEW.acted_by, r.asserted_by)) THEN
        RAISE EXCEPTION 'refused: % proposed this release: a second person must %', r.requested_by, NEW.act
            USING ERRCODE = 'OP002';
    END IF;
    IF m.whose = 'requester' AND NOT same_person(NEW.acted_by, r.requested_by) THEN
        RAISE EXCEPTION 'refused: only % may %, who proposed it', r.requested_by, NEW.act USING ERRCODE = 'OP002';
    END IF;
    IF NEW.act = 'reject' AND btrim(NEW.reason) = '' THEN
        RAISE EXCEPTION 'refused: a reason is needed to reject' USING ERRCODE = 'OP004';
    END IF;
    IF m.to_state = 'active' THEN
        SELECT digest INTO v_active FROM model_release
            WHERE workflow = r.workflow AND kind = r.kind AND file_name = r.file_name AND state = 'active';
        IF NEW.act = 'install' AND (r.kind <> 'table' OR EXISTS (
                SELECT FROM model_release o WHERE o.workflow = r.workflow AND o.id <> r.id
                AND o.kind = 'table' AND o.state IN ('active', 'superseded')
                -- which decisions a table had that was active before there were releases, nobody wrote down
                AND (o.file_name = r.file_name OR o.decisions && r.decisions OR o.decisions = '{}'))) THEN
            RAISE EXCEPTION 'refused: % is not the first release of its decisions: a second person must approve it',
                r.file_name USING ERRCODE = 'OP002';
        END IF;
        IF NEW.act = 'enact' AND r.meaning NOT IN ('neutral', 'tightening') THEN
            RAISE EXCEPTION 'refused: it may mean less human review: a second person must approve it'
                USING ERRCODE = 'OP002';
        END IF;
        IF v_active IS DISTINCT FROM r.against THEN
            RAISE EXCEPTION 'refused: what is active has changed since it was proposed: look again, and propose it anew'
                USING ERRCODE = 'OP003';
        END IF;
        SELECT file_name INTO v_other FROM model_release
            WHERE workflow = r.workflow AND kind = r.kind AND state = 'active' AND file_name <> r.file_name
              AND decisions && r.decisions;
        IF v_other IS NOT NULL THEN
            RAISE EXCEPTION 'refused: % has one of its decisions and is active: release it under that name', v_other
                USING ERRCODE = 'OP002';
        END IF;
    END IF;
    NEW.to_state := m.to_state;
    RETURN NEW;
END $$;

CREATE FUNCTION release_act_effect() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r model_release; v_workflow int; v_earlier bigint;
BEGIN
    SELECT * INTO STRICT r FROM model_release WHERE id = NEW.release_id;
    SELECT id INTO STRICT v_workflow FROM workflow WHERE name = r.workflow;
    IF NEW.to_state = 'active' THEN
        SELECT id INTO v_earlier FROM model_release
            WHERE workflow = r.workflow AND kind = r.kind AND file_name = r.file_name AND state = 'active';
        IF v_earlier IS NOT NULL THEN
            INSERT INTO release_act (release_id, act, acted_by, asserted_by, acted_at, reason)
                VALUES (v_earlier, 'supersede', NEW.acted_by, NEW.asserted_by, NEW.acted_at, 'by release ' || r.id);
        END IF;
    END IF;
    UPDATE model_release SET state = NEW.to_state WHERE id = r.id;
    PERFORM append_audit(-v_workflow, NEW.acted_by, 'releaser', NEW.act, 'release:' || r.id, NEW.acted_at,
        jsonb_build_object('kind', r.kind, 'file', r.file_name, 'digest', r.digest, 'meaning', r.meaning,
            'requested_by', r.requested_by, 'asserted_by', NEW.asserted_by, 'state', NEW.to_state,
            'reason', coalesce(nullif(NEW.reason, ''), r.reason)));
    RETURN NULL;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON release_act FOR EACH ROW EXECUTE FUNCTION release_act_guard();
CREATE TRIGGER effect AFTER INSERT ON release_act FOR EACH ROW EXECUTE FUNCTION release_act_effect();

CREATE FUNCTION model_release_proposed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM append_audit(-w.id, NEW.requested_by, 'releaser', 'propose', 'release:' || NEW.id, NEW.requested_at,
        jsonb_build_object('kind', NEW.kind, 'file', NEW.file_name, 'digest', NEW.digest, 'meaning', NEW.meaning,
            'asserted_by', NEW.asserted_by, 'reason', NEW.reason))
        FROM workflow w WHERE w.name = NEW.workflow;
    RETURN NULL;
END $$;
CREATE TRIGGER proposed AFTER INSERT ON model_release FOR EACH ROW EXECUTE FUNCTION model_release_proposed();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON model_release
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['model_file', 'release_rule', 'release_act', 'pinned_table'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- what people read
CREATE VIEW releases AS
    SELECT r.id AS release, r.workflow, r.kind, r.file_name, r.digest, r.state, r.meaning, r.reason,
           r.requested_by, r.requested_at, a.acted_by AS approved_by, a.acted_at AS active_since, a.act AS became_active_by,
           e.acted_by AS ended_by, e.acted_at AS ended_at, e.act AS ended_by_act, e.reason AS ended_reason, r.decisions, r.against
    FROM model_release r
    LEFT JOIN release_act a ON a.release_id = r.id AND a.to_state = 'active'
    LEFT JOIN release_act e ON e.release_id = r.id AND e.to_state IN ('superseded', 'rejected', 'withdrawn');

-- The rules behind what is suggested, in the words of the table that was in force then.
CREATE OR REPLACE VIEW reviewer_table AS
    SELECT t.id AS task, t.workflow, c.case_key, t.element, t.question, t.queue, q.role AS who_may_decide, t.skill,
           t.signature || ' of ' || t.signatures AS signature, t.status, t.assignee,
           now() - t.opened_at AS age, t.due_at, t.due_at < now() AS past_due,
           c.variables AS facts, t.editable, t.digest, c.requested_by, t.opened_at, t.round,
           reasons.reasons
    FROM review_task t
    JOIN cases c ON c.id = t.case_id
    LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    CROSS JOIN LATERAL (SELECT coalesce(array_agg(said.words ORDER BY said.visit, said.no), '{}') AS reasons FROM (
        SELECT a.visit, 1000 * part.no + rule.no AS no,
               a.element || ': ' || coalesce(w.words, 'rule ' || rule.id) AS words
        FROM activity a
        -- what the decision itself says, then the tables that it stands on
        CROSS JOIN LATERAL jsonb_array_elements(a.detail || coalesce(a.detail -> 'asked', '[]'))
            WITH ORDINALITY AS part (said, no)
        CROSS JOIN LATERAL jsonb_array_elements_text(part.said -> 'rules') WITH ORDINALITY AS rule (id, no)
        LEFT JOIN release_rule w ON w.digest = part.said ->> 'table' AND w.rule_id = rule.id
            AND w.decision = coalesce(part.said ->> 'name', a.element)
        WHERE a.case_id = c.id AND a.detail ? 'rules'
        UNION ALL
        SELECT a.visit, told.no - 1000, a.element || ': ' || told.text
        FROM activity a
        CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'diagnostics') WITH ORDINALITY AS told (text, no)
        WHERE a.case_id = c.id AND a.detail ? 'rules') AS said
        WHERE said.visit IN (SELECT max(l.visit) FROM activity l WHERE l.case_id = c.id AND l.detail ? 'rules'
                             GROUP BY l.element)) AS reasons
    WHERE t.ended_at IS NULL;

-- ---------------------------------------------------------------- grants
GRANT SELECT, INSERT ON model_file, release_rule, pinned_table TO orchestration_app;
GRANT SELECT, INSERT (workflow, kind, file_name, digest, decisions, meaning, against, reason, requested_by, asserted_by,
    requested_at) ON model_release TO orchestration_app;
GRANT SELECT, INSERT (release_id, act, acted_by, asserted_by, acted_at, reason) ON release_act TO orchestration_app;
GRANT SELECT ON release_move, releases TO orchestration_app;
GRANT SELECT ON model_file, release_rule, release_move, model_release, release_act, pinned_table, releases
    TO orchestration_auditor;
REVOKE EXECUTE ON FUNCTION same_person, model_release_guard, model_release_proposed, release_act_guard,
    release_act_effect FROM PUBLIC;
