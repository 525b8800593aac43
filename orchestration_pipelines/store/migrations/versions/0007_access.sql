-- Who signs in to the console: accounts, sessions, and the record of both. Only what proves that somebody knows a secret
-- is kept, never the secret: an argon2id hash of a password, the SHA-256 of a session's token.

-- Standings that cannot be held together with anything else: an admin manages people and decides nothing, an auditor
-- reads everything and changes nothing. No queue asks for either, so that can() refuses them every decision.
ALTER TABLE reviewer ADD CONSTRAINT stands_alone
    CHECK (NOT roles && ARRAY['admin', 'auditor'] OR cardinality(roles) = 1);
ALTER TABLE queue ADD CONSTRAINT asks_for_no_standing CHECK (role NOT IN ('admin', 'auditor'));

CREATE TABLE account (
    person      text PRIMARY KEY REFERENCES reviewer (person),
    password    text NOT NULL,                         -- argon2id, with its parameters and salt
    temporary   boolean NOT NULL,                      -- somebody else knows it: it opens the password page alone
    set_at      timestamptz NOT NULL,
    opened_by   text NOT NULL,
    opened_at   timestamptz NOT NULL,
    disabled_by text,
    disabled_at timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_by IS NULL))
);
CREATE TABLE session (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token       bytea NOT NULL UNIQUE CHECK (length(token) = 32),  -- SHA-256 of what the browser holds
    person      text NOT NULL REFERENCES account (person),
    address     text NOT NULL,
    browser     text NOT NULL,
    began_at    timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,                  -- the last sign of a person, to the minute
    ended_at    timestamptz
);
CREATE INDEX session_standing ON session (person, id) WHERE ended_at IS NULL;
CREATE INDEX session_seen ON session (seen_at);

-- How fast somebody may try to sign in: each attempt puts `full_at` further ahead; at the limit it is refused. (The generic
-- cell rate algorithm: one row, no history.) A key is an address, a person, or both.
CREATE TABLE sign_in_pace (
    key         text PRIMARY KEY,
    full_at     timestamptz NOT NULL                   -- when all attempts are there again
);
CREATE INDEX sign_in_pace_full ON sign_in_pace (full_at);

CREATE TABLE access_entry (                            -- append only: who came in, who was refused, who was put out
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    act         text NOT NULL CHECK (act IN ('signed in', 'refused', 'limited', 'signed out', 'session ended',
        'password changed', 'password set', 'account opened', 'account disabled', 'account enabled', 'forbidden',
        'forged', 'not found')),
    person      text,                                  -- whose account; NULL: a name that nobody has, not kept
    by          text,                                  -- who did it, where it was somebody else
    address     text NOT NULL,
    session     bigint,
    detail      text NOT NULL DEFAULT ''
);
CREATE INDEX access_entry_person ON access_entry (person, id DESC);
CREATE INDEX access_entry_limited ON access_entry (address, at) WHERE act = 'limited';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Managers and admins manage people; managers the policy and the tasks, admins the accounts. As long as there is nobody who
-- could, whoever holds the machine brings in the first ones; the policy waits for them.
CREATE OR REPLACE FUNCTION manages(p_person text, p_act text, OUT allowed boolean, OUT rule text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_roles text[] := CASE p_act WHEN 'people' THEN ARRAY['manager', 'admin'] WHEN 'accounts' THEN ARRAY['admin']
                      ELSE ARRAY['manager'] END;
BEGIN
    SELECT 'role ' || role INTO rule FROM reviewer, unnest(v_roles) AS role
        WHERE person = p_person AND active AND role = ANY (roles) LIMIT 1;
    allowed := FOUND;
    IF NOT allowed AND p_act IN ('people', 'accounts') AND NOT EXISTS (
        SELECT FROM reviewer WHERE active AND roles && v_roles) THEN
        allowed := true;
        rule := format('there is no %s yet', v_roles[1]);
    ELSIF NOT allowed AND p_act = 'accounts' THEN
        rule := format('only an admin manages accounts, and %s is none: act as one (--as PERSON)', p_person);
    ELSIF NOT allowed THEN
        rule := format('only a manager changes the %s, and %s is none: act as one (--as PERSON), or have one give them '
            'the role manager (orchestrate people import)', p_act, p_person);
    END IF;
END $$;

GRANT SELECT, INSERT, UPDATE ON account TO orchestration_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON session, sign_in_pace TO orchestration_app;
GRANT SELECT, INSERT ON access_entry TO orchestration_app;
GRANT SELECT ON access_entry TO orchestration_auditor;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orchestration_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
