-- The lender: a system of its own, in a database of its own. Nothing here knows the engine.
--
-- Every operation has a key. The first call under a key does it and keeps the answer; a later call with the same
-- content is given that answer, one with another content is refused. Rows are only ever added.

CREATE SCHEMA lender;

-- ---------------------------------------------------------------- operations
CREATE TABLE lender.operation (
    key      text PRIMARY KEY CHECK (key <> ''),
    kind     text NOT NULL CHECK (kind IN ('lock_rate', 'release_rate', 'reserve', 'release', 'commit', 'reverse',
                                           'book', 'withdraw', 'void')),
    case_key text,
    content  jsonb NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((kind = 'void') = (case_key IS NULL))
);
CREATE TABLE lender.answer (
    key    text PRIMARY KEY REFERENCES lender.operation,
    answer jsonb NOT NULL
);
CREATE TABLE lender.voided (           -- what was done under this key does not stand, and never will again
    key text PRIMARY KEY REFERENCES lender.operation,
    at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ---------------------------------------------------------------- the ledger: dollars, double entry
CREATE TABLE lender.account (name text PRIMARY KEY, meaning text NOT NULL);
INSERT INTO lender.account VALUES
    ('available', 'what the lender can still lend; falls below zero, it is financed elsewhere'),
    ('reserved', 'held for applications under way'),
    ('committed', 'promised to borrowers'),
    ('sold', 'promised, and taken over by the investor');
CREATE TABLE lender.entry (
    id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,          -- the operation's, or void:KEY
    at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE lender.posting (
    entry_id bigint NOT NULL REFERENCES lender.entry,
    account  text NOT NULL REFERENCES lender.account,
    amount   numeric(14, 2) NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (entry_id, account)
);
CREATE FUNCTION lender.entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_entry bigint := coalesce(to_jsonb(NEW) ->> 'entry_id', to_jsonb(NEW) ->> 'id');
    v_sum numeric; v_postings int;
BEGIN
    SELECT sum(amount), count(*) INTO v_sum, v_postings FROM lender.posting WHERE entry_id = v_entry;
    IF v_postings < 2 OR v_sum <> 0 THEN
        RAISE EXCEPTION 'entry % does not balance: % postings, sum %', v_entry, v_postings, v_sum
            USING ERRCODE = 'LN009';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON lender.entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lender.entry_balances();
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON lender.posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lender.entry_balances();

-- ---------------------------------------------------------------- what was agreed
CREATE TABLE lender.rate (up_to_months int PRIMARY KEY, percent numeric(5, 3) NOT NULL);
INSERT INTO lender.rate VALUES (180, 9.750), (360, 10.125), (480, 10.500);
CREATE SEQUENCE lender.number;
CREATE TABLE lender.rate_lock (
    id       text PRIMARY KEY DEFAULT 'RL-' || nextval('lender.number'),
    key      text NOT NULL UNIQUE REFERENCES lender.operation,
    percent  numeric(5, 3) NOT NULL
);
CREATE TABLE lender.rate_release (
    rate_lock text PRIMARY KEY REFERENCES lender.rate_lock,
    key       text NOT NULL
);
CREATE TABLE lender.reservation (
    id       text PRIMARY KEY DEFAULT 'RS-' || nextval('lender.number'),
    key      text NOT NULL UNIQUE REFERENCES lender.operation,
    case_key text NOT NULL,
    amount   numeric(14, 2) NOT NULL CHECK (amount > 0)
);
CREATE TABLE lender.release (
    reservation text PRIMARY KEY REFERENCES lender.reservation,
    key         text NOT NULL
);
CREATE TABLE lender.commitment (
    id          text PRIMARY KEY DEFAULT 'CM-' || nextval('lender.number'),
    key         text NOT NULL UNIQUE REFERENCES lender.operation,
    reservation text NOT NULL UNIQUE REFERENCES lender.reservation,
    approval    text NOT NULL CHECK (btrim(approval) <> '')    -- no commitment without one
);
CREATE TABLE lender.reversal (
    commitment text PRIMARY KEY REFERENCES lender.commitment,
    key        text NOT NULL
);
CREATE TABLE lender.booking (
    id         text PRIMARY KEY DEFAULT 'BK-' || nextval('lender.number'),
    key        text NOT NULL UNIQUE REFERENCES lender.operation,
    commitment text NOT NULL UNIQUE REFERENCES lender.commitment
);
CREATE TABLE lender.withdrawal (
    booking text PRIMARY KEY REFERENCES lender.booking,
    key     text NOT NULL
);

-- ---------------------------------------------------------------- limits: the only rows that somebody may change
CREATE TABLE lender.exposure_limit (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    dollars numeric(14, 2) NOT NULL
);
INSERT INTO lender.exposure_limit (dollars) VALUES (124000000);
CREATE TABLE lender.exposure (         -- written only by who holds the limit's row: in order, without gaps in sight
    no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key     text NOT NULL UNIQUE,
    dollars numeric(14, 2) NOT NULL    -- committed and not reversed, after this
);
CREATE TABLE lender.investor (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    name            text NOT NULL,
    multi_unit_most numeric(4, 3) NOT NULL     -- the most loan to value on a property of more than one unit
);
INSERT INTO lender.investor (name, multi_unit_most) VALUES ('Bay Colony Securities', 0.950);

CREATE FUNCTION lender.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lender.% is append-only', TG_TABLE_NAME USING ERRCODE = 'LN008';
END $$;
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'lender'
                AND tablename NOT IN ('account', 'rate', 'exposure_limit', 'investor') LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lender.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION lender.append_only()', name);
    END LOOP;
END $$;
