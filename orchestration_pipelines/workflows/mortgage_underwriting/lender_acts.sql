-- What the lender does: one function for each operation, and the views that show whether its rule holds.

-- ---------------------------------------------------------------- keys
-- NULL: this is the first call under the key, go on. Otherwise the first call's answer.
CREATE FUNCTION lender.answered(p_key text, p_kind text, p_case text, p_content jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE o lender.operation;
BEGIN
    INSERT INTO lender.operation (key, kind, case_key, content) VALUES (p_key, p_kind, p_case, p_content)
        ON CONFLICT (key) DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT o FROM lender.operation WHERE key = p_key;
    IF o.kind = 'void' OR EXISTS (SELECT FROM lender.voided WHERE key = p_key) THEN
        RAISE EXCEPTION 'the key % was voided: nothing is done under it any more', p_key USING ERRCODE = 'LN001';
    END IF;
    IF (o.kind, o.case_key, o.content) IS DISTINCT FROM (p_kind, p_case, p_content) THEN
        RAISE EXCEPTION 'the key % was used for % %, and now for % %', p_key, o.kind, o.content, p_kind, p_content
            USING ERRCODE = 'LN002';
    END IF;
    RETURN (SELECT answer FROM lender.answer WHERE key = p_key);
END $$;

CREATE FUNCTION lender.answer(p_key text, p_answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    INSERT INTO lender.answer (key, answer) VALUES (p_key, p_answer) RETURNING answer;
$$;

CREATE FUNCTION lender.post(p_key text, p_from text, p_to text, p_amount numeric) RETURNS void LANGUAGE sql AS $$
    WITH made AS (INSERT INTO lender.entry (key) VALUES (p_key) RETURNING id)
    INSERT INTO lender.posting SELECT id, p_from, -p_amount FROM made UNION ALL SELECT id, p_to, p_amount FROM made;
$$;

-- Where a reservation stands; its row stays locked, so that nothing else is done to it meanwhile.
CREATE FUNCTION lender.standing(p_reservation text, OUT amount numeric, OUT state text) LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.amount INTO amount FROM lender.reservation r WHERE r.id = p_reservation FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no reservation %', p_reservation USING ERRCODE = 'LN004';
    END IF;
    SELECT CASE WHEN EXISTS (SELECT FROM lender.release f WHERE f.reservation = p_reservation) THEN 'released'
                WHEN c.id IS NULL THEN 'held'
                WHEN EXISTS (SELECT FROM lender.reversal v WHERE v.commitment = c.id) THEN 'reversed'
                ELSE 'committed' END INTO state
        FROM (SELECT) AS always LEFT JOIN lender.commitment c ON c.reservation = p_reservation;
END $$;

-- Adds to the exposure, or takes from it: false, and nothing is written, where the limit would be passed.
CREATE FUNCTION lender.expose(p_key text, p_amount numeric) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_limit numeric; v_now numeric;
BEGIN
    SELECT dollars INTO STRICT v_limit FROM lender.exposure_limit FOR UPDATE;
    v_now := coalesce((SELECT dollars FROM lender.exposure ORDER BY no DESC LIMIT 1), 0) + p_amount;
    IF p_amount > 0 AND v_now > v_limit THEN
        RETURN false;
    END IF;
    INSERT INTO lender.exposure (key, dollars) VALUES (p_key, v_now);
    RETURN true;
END $$;

-- ---------------------------------------------------------------- what the lender does
CREATE FUNCTION lender.lock_rate(p_key text, p_case text, p_months int) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb; made lender.rate_lock;
BEGIN
    known := lender.answered(p_key, 'lock_rate', p_case, jsonb_build_object('months', p_months));
    IF known IS NOT NULL THEN RETURN known; END IF;
    INSERT INTO lender.rate_lock (key, percent)
        SELECT p_key, percent FROM lender.rate
        ORDER BY up_to_months >= coalesce(p_months, 360) DESC, abs(up_to_months - coalesce(p_months, 360)) LIMIT 1
        RETURNING * INTO STRICT made;
    RETURN lender.answer(p_key, jsonb_build_object('id', made.id, 'percent', made.percent));
END $$;

CREATE FUNCTION lender.release_rate(p_key text, p_case text, p_lock text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb;
BEGIN
    known := lender.answered(p_key, 'release_rate', p_case, jsonb_build_object('rate_lock', p_lock));
    IF known IS NOT NULL THEN RETURN known; END IF;
    INSERT INTO lender.rate_release (rate_lock, key) VALUES (p_lock, p_key) ON CONFLICT DO NOTHING;
    RETURN lender.answer(p_key, jsonb_build_object('released', FOUND));
END $$;

CREATE FUNCTION lender.reserve(p_key text, p_case text, p_dollars numeric) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb; v_id text;
BEGIN
    known := lender.answered(p_key, 'reserve', p_case, jsonb_build_object('dollars', p_dollars));
    IF known IS NOT NULL THEN RETURN known; END IF;
    INSERT INTO lender.reservation (key, case_key, amount) VALUES (p_key, p_case, p_dollars) RETURNING id INTO v_id;
    PERFORM lender.post(p_key, 'available', 'reserved', p_dollars);
    RETURN lender.answer(p_key, jsonb_build_object('id', v_id));
END $$;

-- Frees what is still held. After a commitment and its reversal nothing is.
CREATE FUNCTION lender.free(p_key text, p_reservation text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
    s := lender.standing(p_reservation);
    IF s.state = 'committed' THEN
        RAISE EXCEPTION 'reservation % is committed: reverse the commitment first', p_reservation
            USING ERRCODE = 'LN004';
    END IF;
    IF s.state <> 'held' THEN RETURN false; END IF;
    INSERT INTO lender.release (reservation, key) VALUES (p_reservation, p_key);
    PERFORM lender.post(p_key, 'reserved', 'available', s.amount);
    RETURN true;
END $$;

CREATE FUNCTION lender.release(p_key text, p_case text, p_reservation text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb;
BEGIN
    known := lender.answered(p_key, 'release', p_case, jsonb_build_object('reservation', p_reservation));
    IF known IS NOT NULL THEN RETURN known; END IF;
    RETURN lender.answer(p_key, jsonb_build_object('released', lender.free(p_key, p_reservation)));
END $$;

CREATE FUNCTION lender.commit(p_key text, p_case text, p_reservation text, p_approval text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb; s record; v_id text;
BEGIN
    IF btrim(coalesce(p_approval, '')) = '' THEN
        RAISE EXCEPTION 'no commitment without an approval (case %)', p_case USING ERRCODE = 'LN003';
    END IF;
    known := lender.answered(p_key, 'commit', p_case,
                             jsonb_build_object('reservation', p_reservation, 'approval', p_approval));
    IF known IS NOT NULL THEN RETURN known; END IF;
    s := lender.standing(p_reservation);
    IF s.state <> 'held' THEN
        RAISE EXCEPTION 'reservation % is %: nothing is held to commit', p_reservation, s.state USING ERRCODE = 'LN004';
    END IF;
    IF NOT lender.expose(p_key, s.amount) THEN
        RETURN lender.answer(p_key, jsonb_build_object('refused', 'LIMIT_EXCEEDED',
            'message', format('%s dollars more would pass the exposure limit', round(s.amount))));
    END IF;
    INSERT INTO lender.commitment (key, reservation, approval) VALUES (p_key, p_reservation, p_approval)
        RETURNING id INTO v_id;
    PERFORM lender.post(p_key, 'reserved', 'committed', s.amount);
    RETURN lender.answer(p_key, jsonb_build_object('id', v_id));
END $$;

CREATE FUNCTION lender.take_back(p_key text, p_commitment text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
    s := lender.standing((SELECT reservation FROM lender.commitment WHERE id = p_commitment));
    IF s.state = 'reversed' THEN RETURN false; END IF;
    IF EXISTS (SELECT FROM lender.booking b WHERE b.commitment = p_commitment
               AND NOT EXISTS (SELECT FROM lender.withdrawal w WHERE w.booking = b.id)) THEN
        RAISE EXCEPTION 'commitment % is booked with the investor: withdraw the booking first', p_commitment
            USING ERRCODE = 'LN004';
    END IF;
    PERFORM lender.expose(p_key, -s.amount);
    INSERT INTO lender.reversal (commitment, key) VALUES (p_commitment, p_key);
    PERFORM lender.post(p_key, 'committed', 'available', s.amount);
    RETURN true;
END $$;

CREATE FUNCTION lender.reverse(p_key text, p_case text, p_commitment text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb;
BEGIN
    known := lender.answered(p_key, 'reverse', p_case, jsonb_build_object('commitment', p_commitment));
    IF known IS NOT NULL THEN RETURN known; END IF;
    RETURN lender.answer(p_key, jsonb_build_object('reversed', lender.take_back(p_key, p_commitment)));
END $$;

CREATE FUNCTION lender.book(p_key text, p_case text, p_commitment text, p_units numeric, p_loan_to_value numeric)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb; s record; v_id text; v_most numeric;
BEGIN
    known := lender.answered(p_key, 'book', p_case, jsonb_build_object(
        'commitment', p_commitment, 'units', p_units, 'loan_to_value', p_loan_to_value));
    IF known IS NOT NULL THEN RETURN known; END IF;
    s := lender.standing((SELECT reservation FROM lender.commitment WHERE id = p_commitment));
    IF s.state <> 'committed' THEN
        RAISE EXCEPTION 'commitment % is %: nothing stands to book', p_commitment, s.state USING ERRCODE = 'LN004';
    END IF;
    SELECT multi_unit_most INTO STRICT v_most FROM lender.investor;
    IF p_units > 1 AND coalesce(p_loan_to_value, 1) > v_most THEN   -- what is not known is taken as the worst
        RETURN lender.answer(p_key, jsonb_build_object('refused', 'REFUSED_BY_INVESTOR', 'message',
            format('the investor takes no loan above %s of the value on %s units', v_most, p_units)));
    END IF;
    INSERT INTO lender.booking (key, commitment) VALUES (p_key, p_commitment) RETURNING id INTO v_id;
    PERFORM lender.post(p_key, 'committed', 'sold', s.amount);
    RETURN lender.answer(p_key, jsonb_build_object('id', v_id));
END $$;

CREATE FUNCTION lender.hand_back(p_key text, p_booking text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
    s := lender.standing((SELECT c.reservation FROM lender.booking b JOIN lender.commitment c ON c.id = b.commitment
                          WHERE b.id = p_booking));
    INSERT INTO lender.withdrawal (booking, key) VALUES (p_booking, p_key) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM lender.post(p_key, 'sold', 'committed', s.amount);
    RETURN true;
END $$;

CREATE FUNCTION lender.withdraw(p_key text, p_case text, p_booking text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb;
BEGIN
    known := lender.answered(p_key, 'withdraw', p_case, jsonb_build_object('booking', p_booking));
    IF known IS NOT NULL THEN RETURN known; END IF;
    RETURN lender.answer(p_key, jsonb_build_object('withdrawn', lender.hand_back(p_key, p_booking)));
END $$;

-- After this, nothing stands under the key, whether it ever did or not; and nothing ever will.
CREATE FUNCTION lender.void(p_key text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE o lender.operation; v_id text; v_undo text := 'void:' || p_key;
BEGIN
    INSERT INTO lender.operation (key, kind, content) VALUES (p_key, 'void', '{}') ON CONFLICT (key) DO NOTHING;
    IF FOUND THEN RETURN 'never done'; END IF;
    SELECT * INTO STRICT o FROM lender.operation WHERE key = p_key;
    IF o.kind = 'void' THEN RETURN 'never done'; END IF;
    IF o.kind NOT IN ('lock_rate', 'reserve', 'commit', 'book') THEN
        RAISE EXCEPTION 'a % undoes something and is not voided: finish it under its key %', o.kind, p_key
            USING ERRCODE = 'LN005';
    END IF;
    INSERT INTO lender.voided (key) VALUES (p_key) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN 'undone'; END IF;
    SELECT answer ->> 'id' INTO v_id FROM lender.answer WHERE key = p_key;
    IF v_id IS NULL THEN RETURN 'refused'; END IF;
    CASE o.kind
        WHEN 'lock_rate' THEN
            INSERT INTO lender.rate_release (rate_lock, key) VALUES (v_id, v_undo) ON CONFLICT DO NOTHING;
        WHEN 'reserve' THEN PERFORM lender.free(v_undo, v_id);
        WHEN 'commit' THEN PERFORM lender.take_back(v_undo, v_id);
        ELSE PERFORM lender.hand_back(v_undo, v_id);
    END CASE;
    RETURN 'undone';
END $$;

-- ---------------------------------------------------------------- the rule, and the balance
-- Each reservation has exactly one of: release · commit · commit and reversal. (Of a case under way: at most one.)
CREATE VIEW lender.reservation_rule AS
    SELECT r.id AS reservation, r.case_key, r.amount,
           (f.reservation IS NOT NULL) AS released, (c.id IS NOT NULL) AS committed,
           (v.commitment IS NOT NULL) AS reversed,
           CASE WHEN f.reservation IS NOT NULL AND c.id IS NULL THEN 'release'
                WHEN f.reservation IS NULL AND v.commitment IS NOT NULL THEN 'commit and reversal'
                WHEN f.reservation IS NULL AND c.id IS NOT NULL THEN 'commit'
                WHEN f.reservation IS NULL THEN 'held'
                ELSE 'released and committed' END AS ended
    FROM lender.reservation r
    LEFT JOIN lender.release f ON f.reservation = r.id
    LEFT JOIN lender.commitment c ON c.reservation = r.id
    LEFT JOIN lender.reversal v ON v.commitment = c.id;
CREATE VIEW lender.balance AS
    SELECT a.name AS account, coalesce(sum(p.amount), 0) AS dollars
    FROM lender.account a LEFT JOIN lender.posting p ON p.account = a.name GROUP BY a.name;

-- ---------------------------------------------------------------- who may do what
REVOKE ALL ON ALL TABLES IN SCHEMA lender FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA lender FROM PUBLIC;
GRANT USAGE ON SCHEMA lender TO orchestration_lender;
GRANT EXECUTE ON FUNCTION lender.lock_rate, lender.release_rate, lender.reserve, lender.release(text, text, text),
    lender.commit, lender.reverse, lender.book, lender.withdraw, lender.void TO orchestration_lender;
