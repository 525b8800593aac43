-- Clients of the interface, and the answers that they were given.

-- A program that acts in the name of one person, who bounds it: it may never do what they may not. The row is the record:
-- who made it, who ended it and why. The token is printed once, and only its hash is here.
CREATE TABLE client (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),  -- for ever: decisions name it
    person        text NOT NULL REFERENCES reviewer (person),
    scopes        text[] NOT NULL CHECK (scopes <> '{}'
                      AND scopes <@ ARRAY['read', 'work', 'decide', 'submit', 'manage']),
    token_hash    bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_by    text,
    revoked_at    timestamptz,
    revoke_reason text,
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '366 days'),
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL)),
    CHECK ((revoked_by IS NULL) = (revoke_reason IS NULL)),
    CHECK (revoke_reason <> '')
);

-- What makes and ends a client is an admin: the rule is that of accounts.
CREATE FUNCTION client_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_by text := CASE TG_OP WHEN 'INSERT' THEN NEW.created_by ELSE NEW.revoked_by END;
    verdict record;
BEGIN
    SELECT * INTO verdict FROM manages(v_by, 'accounts');
    IF NOT verdict.allowed THEN
        RAISE EXCEPTION 'refused: %', verdict.rule USING ERRCODE = 'OP002';
    END IF;
    IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM reviewer WHERE person = NEW.person AND active) THEN
        RAISE EXCEPTION 'refused: % is not an active reviewer: a client acts in the name of somebody who is', NEW.person
            USING ERRCODE = 'OP002';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'refused: client % was revoked by % already', OLD.name, OLD.revoked_by USING ERRCODE = 'OP001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON client FOR EACH ROW EXECUTE FUNCTION client_guard();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON client FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The first answer to each request that changes something, by the client's own key for it (Idempotency-Key).
CREATE TABLE client_reply (
    client      text NOT NULL REFERENCES client (name),
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
    request     bytea NOT NULL CHECK (octet_length(request) = 32),  -- the digest of what was asked
    status      smallint NOT NULL CHECK (status BETWEEN 200 AND 499),
    headers     jsonb NOT NULL,
    body        bytea NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (client, key)
);
CREATE INDEX client_reply_old ON client_reply (at);

-- What admins do with clients is in the record of access, and so is who came with a token that is none.
ALTER TABLE access_entry DROP CONSTRAINT access_entry_act_check;
ALTER TABLE access_entry ADD CONSTRAINT access_entry_act_check CHECK (act IN ('signed in', 'refused', 'limited',
    'signed out', 'session ended', 'password changed', 'password set', 'account opened', 'account disabled',
    'account enabled', 'forbidden', 'forged', 'not found', 'client made', 'client revoked'));

GRANT SELECT, INSERT, UPDATE (revoked_by, revoked_at, revoke_reason) ON client TO orchestration_app;
GRANT SELECT, INSERT, DELETE ON client_reply TO orchestration_app;
GRANT SELECT (name, person, scopes, created_by, created_at, expires_at, revoked_by, revoked_at, revoke_reason)
    ON client TO orchestration_auditor;
REVOKE EXECUTE ON FUNCTION client_guard FROM PUBLIC;
