-- Documents of a case, and what the page of a case reads: its fact sheet, and what is found by case.

CREATE TABLE fact_sheet (              -- labels, groups, units: the owner's, as last released
    workflow    text PRIMARY KEY REFERENCES workflow (name),
    sheet       jsonb NOT NULL
);
CREATE INDEX incident_case ON incident (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX dead_letter_case ON dead_letter (case_id);
CREATE INDEX notification_case ON notification (case_id) WHERE case_id IS NOT NULL;
-- What people decided last in a workflow: among these, cases that are alike are looked for.
CREATE INDEX review_task_decided ON review_task (workflow, ended_at DESC, case_id)
    WHERE kind = 'decision' AND status IN ('decided', 'returned', 'escalated');

CREATE TABLE document (                -- append only: a file is added, never changed, never taken away
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     bigint NOT NULL REFERENCES cases (id),
    name        text NOT NULL CHECK (name <> '' AND char_length(name) <= 120),
    type        text NOT NULL CHECK (type IN ('application/pdf', 'image/png', 'image/jpeg', 'image/tiff', 'text/csv',
                                              'text/plain')),  -- as its content shows, whatever was said of it
    size        int NOT NULL CHECK (size BETWEEN 1 AND 10485760),
    digest      text NOT NULL,         -- SHA-256 of the content
    about       text,                  -- the fact that it shows
    added_by    text NOT NULL,
    role        text NOT NULL DEFAULT '',
    asserted_by text,                  -- the operating-system user who said that it is added_by
    added_at    timestamptz NOT NULL,
    UNIQUE (case_id, digest)
);
CREATE TABLE document_content (        -- apart, so that a list of documents reads none of it
    document_id bigint PRIMARY KEY REFERENCES document (id),
    content     bytea NOT NULL
);
ALTER TABLE document_content ALTER COLUMN content SET STORAGE EXTERNAL;  -- such files are compressed already

-- May somebody add a document to a case? Whoever submitted it, and those who could decide in it; never who only reads.
CREATE FUNCTION may_add_document(p_person text, p_case bigint, OUT allowed boolean, OUT rule text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_requester text; v_state text; v_roles text[];
BEGIN
    SELECT requested_by, state INTO v_requester, v_state FROM cases WHERE id = p_case;
    SELECT roles INTO v_roles FROM reviewer WHERE person = p_person AND active;
    allowed := false;
    IF v_state IS NULL OR NOT EXISTS (SELECT FROM sees(p_person, ARRAY[p_case]))
        -- whoever submits from outside is no reviewer, and sees no pages
        AND (v_requester IS DISTINCT FROM p_person OR EXISTS (SELECT FROM reviewer WHERE person = p_person)) THEN
        rule := format('%s sees no case %s', p_person, p_case);
    ELSIF v_roles && ARRAY['admin', 'auditor'] THEN
        rule := format('%s is an admin or an auditor: they change nothing in a case', p_person);
    ELSIF v_state <> 'open' THEN
        rule := format('case %s is %s: nothing is added to it any more', p_case, v_state);
    ELSIF p_person = v_requester THEN
        allowed := true;
        rule := 'requester';
    ELSE
        allowed := true;
        rule := 'reviewer';
    END IF;
END $$;

-- Every document passes here, whoever inserts it and however. What a decision is made on stays what it was: a document is
-- no variable of the case, so that its digest is the same before and after.
CREATE FUNCTION document_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    verdict record; v_count int; v_size bigint;
BEGIN
    PERFORM FROM cases WHERE id = NEW.case_id FOR UPDATE;
    SELECT * INTO verdict FROM may_add_document(NEW.added_by, NEW.case_id);
    IF NOT verdict.allowed THEN
        RAISE EXCEPTION 'refused: %', verdict.rule USING ERRCODE = 'OP002';
    END IF;
    IF EXISTS (SELECT FROM document WHERE case_id = NEW.case_id AND digest = NEW.digest) THEN
        RAISE EXCEPTION 'refused: case % has this very file already', NEW.case_id USING ERRCODE = 'OP004';
    END IF;
    SELECT count(*), coalesce(sum(size), 0) INTO v_count, v_size FROM document WHERE case_id = NEW.case_id;
    IF v_count >= 100 OR v_size + NEW.size > 104857600 THEN
        RAISE EXCEPTION 'refused: case % has % documents of % MB: a case holds 100, and 100 MB', NEW.case_id, v_count,
            v_size / 1048576 USING ERRCODE = 'OP004';
    END IF;
    NEW.role := verdict.rule;
    RETURN NEW;
END $$;
CREATE FUNCTION document_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM append_audit(NEW.case_id, NEW.added_by, NEW.role, 'document added', 'document:' || NEW.id, NEW.added_at,
        jsonb_build_object('name', NEW.name, 'type', NEW.type, 'size', NEW.size, 'digest', NEW.digest, 'about', NEW.about,
            'asserted_by', NEW.asserted_by));
    RETURN NULL;
END $$;
CREATE FUNCTION document_content_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM document d WHERE d.id = NEW.document_id AND d.size = octet_length(NEW.content)
                   AND d.digest = encode(sha256(NEW.content), 'hex')) THEN
        RAISE EXCEPTION 'refused: this is not the content of document %', NEW.document_id USING ERRCODE = 'OP003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT ON document FOR EACH ROW EXECUTE FUNCTION document_guard();
CREATE TRIGGER added AFTER INSERT ON document FOR EACH ROW EXECUTE FUNCTION document_added();
CREATE TRIGGER guard BEFORE INSERT ON document_content FOR EACH ROW EXECUTE FUNCTION document_content_guard();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON document
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON document_content
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT, UPDATE ON fact_sheet TO orchestration_app;
GRANT SELECT, INSERT (case_id, name, type, size, digest, about, added_by, asserted_by, added_at) ON document
    TO orchestration_app;
GRANT SELECT, INSERT ON document_content TO orchestration_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
GRANT SELECT ON fact_sheet, document TO orchestration_auditor;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_add_document TO orchestration_app;
