-- Ending the bodies of old events: which may go, what stays held, and that naming them and dropping them are one transaction.

-- Who asked that everything about one person, or without a person everything of the clinic, is kept; and why, sealed. Two people place one and two release it.
-- It holds from the moment it is proposed: while the second person is away nothing may be lost.
CREATE TABLE clinic.legal_hold (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  state text NOT NULL CHECK (state IN ('proposed', 'placed', 'releasing', 'released', 'withdrawn')),
  proposed_by uuid NOT NULL,            -- of placing; and below of releasing
  proposed_at timestamptz NOT NULL,
  placed_by uuid,
  release_by uuid,
  ended_at timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (placed_by IS DISTINCT FROM proposed_by)
);
SELECT platform.protect('clinic.legal_hold');
GRANT SELECT, INSERT, UPDATE ON clinic.legal_hold TO chaperone_app;

-- How much longer than the catalogue says a clinic keeps a category's events. The actions stand beside it, as the database knows no categories.
CREATE TABLE clinic.log_term (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  category text NOT NULL,
  actions text[] NOT NULL,
  years int NOT NULL CHECK (years BETWEEN 3 AND 30),
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, category)
);
SELECT platform.protect('clinic.log_term');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_term TO chaperone_app;

-- Nobody could place a hold or lengthen a term before this.
DELETE FROM platform.tenant_table WHERE name IN ('ledger.hold', 'ledger.longer_term');
DROP TABLE ledger.hold, ledger.longer_term;

-- Held rows go too, once nothing holds them: by the function below, which runs as the owner, and by nobody else.
CREATE FUNCTION ledger.refuse_but_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_user = 'chaperone_owner' AND current_setting('chaperone.expiring', true) = 'held' THEN
    RETURN CASE TG_LEVEL WHEN 'ROW' THEN OLD END;
  END IF;
  RAISE EXCEPTION 'The log is append-only: % of %.% is refused.', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'CH002';
END $$;
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['event_held', 'event_subject_held'] LOOP
    EXECUTE format('DROP TRIGGER refuse_rows ON ledger.%I', t);
    EXECUTE format('DROP TRIGGER refuse ON ledger.%I', t);
    EXECUTE format('CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON ledger.%I FOR EACH ROW EXECUTE FUNCTION ledger.refuse_but_expiry()', t);
    EXECUTE format('CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_but_expiry()', t);
  END LOOP;
END $$;

-- Whether an event of the clinic that is set is under a hold or a lengthened term. Its own time is in its id.
CREATE FUNCTION ledger.is_held(p_id uuid, p_action text, p_actor uuid, p_entity uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
      SELECT FROM clinic.legal_hold h
      WHERE h.tenant_id = platform.tenant_id() AND h.state IN ('proposed', 'placed', 'releasing')
        AND (h.subject_id IS NULL OR h.subject_id = p_entity OR h.subject_id = p_actor
             OR EXISTS (SELECT FROM ledger.every_event_subject s WHERE s.tenant_id = platform.tenant_id() AND s.subject_id = h.subject_id AND s.event_id = p_id)))
    OR EXISTS (
      SELECT FROM clinic.log_term l
      WHERE l.tenant_id = platform.tenant_id() AND p_action = ANY (l.actions)
        AND to_timestamp(('x' || translate(left(p_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0) + make_interval(years => l.years) >= current_date)
$$;

-- The months that are over and still have a partition, the oldest first.
CREATE FUNCTION ledger.due_months() RETURNS SETOF date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
  SELECT month FROM (
    SELECT to_date(substr(relname, 7), 'YYYY_MM') AS month FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'ledger.event'::regclass AND relname ~ '^event_[0-9]{4}_[0-9]{2}$') partitions
  WHERE month + interval '1 month' <= current_date ORDER BY month
$$;

-- The events that end with this month, or, without one, the held events that nothing holds any more. Until the transaction is over nobody places or releases a
-- hold or changes a term, so that what is named here is what goes.
CREATE FUNCTION ledger.going(p_month date) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_before text := current_setting('chaperone.tenant_id', true);
  v_tenant uuid;
BEGIN
  LOCK TABLE clinic.legal_hold, clinic.log_term IN SHARE MODE;
  FOR v_tenant IN SELECT t.id FROM directory.tenant t ORDER BY t.id LOOP
    EXECUTE format('SET LOCAL chaperone.tenant_id = %L', v_tenant);
    IF p_month IS NULL THEN
      RETURN QUERY SELECT e.tenant_id, e.id FROM ledger.event_held e
        WHERE e.tenant_id = v_tenant AND date_trunc('month', e.expires_on) + interval '1 month' <= current_date AND NOT ledger.is_held(e.id, e.action, e.actor_id, e.entity_id);
    ELSE
      RETURN QUERY SELECT e.tenant_id, e.id FROM ledger.event e
        WHERE e.tenant_id = v_tenant AND e.expires_on >= p_month AND e.expires_on < p_month + interval '1 month' AND NOT ledger.is_held(e.id, e.action, e.actor_id, e.entity_id);
    END IF;
  END LOOP;
  EXECUTE format('SET LOCAL chaperone.tenant_id = %L', coalesce(v_before, ''));
END $$;

-- Drops a month whose last day is over, after copying what is held. In the same transaction the caller has named with ledger.going what goes, in ledger.expired of every clinic.
CREATE OR REPLACE FUNCTION ledger.expire(p_month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms' SET timezone = 'UTC' AS $$
DECLARE
  v_suffix text := to_char(p_month, '_YYYY_MM');
  v_before text := current_setting('chaperone.tenant_id', true);
  v_end date := p_month + interval '1 month';
  v_tenant uuid;
  v_try int := 0;
BEGIN
  IF NOT isfinite(p_month) OR p_month <> date_trunc('month', p_month) THEN
    RAISE EXCEPTION 'A month is named by its first day, not %.', p_month USING ERRCODE = 'CH003';
  END IF;
  IF v_end > current_date THEN
    RAISE EXCEPTION 'Events of % have not reached their term; % is the first day on which they may go.', to_char(p_month, 'YYYY-MM'), v_end USING ERRCODE = 'CH003';
  END IF;
  IF to_regclass('ledger.event' || v_suffix) IS NULL THEN
    RAISE EXCEPTION 'There is no partition for %.', to_char(p_month, 'YYYY-MM') USING ERRCODE = 'CH003';
  END IF;

  -- Clinic by clinic: row-level security is forced on the owner too, so a copy without a clinic would find nothing and succeed.
  FOR v_tenant IN SELECT id FROM directory.tenant LOOP
    EXECUTE format('SET LOCAL chaperone.tenant_id = %L', v_tenant);
    INSERT INTO ledger.event_held
      SELECT e.* FROM ledger.event e
      WHERE e.tenant_id = v_tenant AND e.expires_on >= p_month AND e.expires_on < v_end AND ledger.is_held(e.id, e.action, e.actor_id, e.entity_id);
    INSERT INTO ledger.event_subject_held
      SELECT s.* FROM ledger.event_subject s JOIN ledger.event_held e ON e.tenant_id = s.tenant_id AND e.id = s.event_id AND e.expires_on = s.expires_on
      WHERE s.tenant_id = v_tenant AND s.expires_on >= p_month AND s.expires_on < v_end;
  END LOOP;
  EXECUTE format('SET LOCAL chaperone.tenant_id = %L', coalesce(v_before, ''));

  -- Both locks or none, and never a queue of waiting appends behind them.
  LOOP
    BEGIN
      LOCK TABLE ledger.event, ledger.event_subject, ledger.event_default, ledger.event_subject_default IN ACCESS EXCLUSIVE MODE;
      EXECUTE format('LOCK TABLE ledger.%I, ledger.%I IN ACCESS EXCLUSIVE MODE', 'event' || v_suffix, 'event_subject' || v_suffix);
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      v_try := v_try + 1;
      IF v_try > 200 THEN RAISE; END IF;
      PERFORM pg_sleep(0.05);
    END;
  END LOOP;
  EXECUTE format('ALTER TABLE ledger.event DETACH PARTITION ledger.%I', 'event' || v_suffix);
  EXECUTE format('ALTER TABLE ledger.event_subject DETACH PARTITION ledger.%I', 'event_subject' || v_suffix);
  EXECUTE format('DROP TABLE ledger.%I, ledger.%I', 'event' || v_suffix, 'event_subject' || v_suffix);
END $$;

-- Deletes held events that nothing holds any more: those that ledger.going named in this transaction.
CREATE FUNCTION ledger.expire_held() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_before text := current_setting('chaperone.tenant_id', true);
  v_tenant uuid;
  v_ids uuid[];
BEGIN
  SET LOCAL chaperone.expiring = 'held';
  FOR v_tenant IN SELECT id FROM directory.tenant LOOP
    EXECUTE format('SET LOCAL chaperone.tenant_id = %L', v_tenant);
    SELECT coalesce(array_agg(e.id), '{}') INTO v_ids FROM ledger.event_held e
      WHERE e.tenant_id = v_tenant AND date_trunc('month', e.expires_on) + interval '1 month' <= current_date AND NOT ledger.is_held(e.id, e.action, e.actor_id, e.entity_id);
    DELETE FROM ledger.event_subject_held WHERE tenant_id = v_tenant AND event_id = ANY (v_ids);
    DELETE FROM ledger.event_held WHERE tenant_id = v_tenant AND id = ANY (v_ids);
  END LOOP;
  SET LOCAL chaperone.expiring = '';
  EXECUTE format('SET LOCAL chaperone.tenant_id = %L', coalesce(v_before, ''));
END $$;

-- Destroys the audit keys of months that are over and of which nothing is left: with them goes what copies and backups still hold of those bodies.
CREATE FUNCTION ledger.destroy_audit_keys() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_before text := current_setting('chaperone.tenant_id', true);
  v_tenant uuid;
  v_count int;
  v_all int := 0;
BEGIN
  FOR v_tenant IN SELECT id FROM directory.tenant LOOP
    EXECUTE format('SET LOCAL chaperone.tenant_id = %L', v_tenant);
    UPDATE keys.clinic_key k SET wrapped = NULL, destroyed_at = now()
      WHERE k.tenant_id = v_tenant AND k.kind = 'audit' AND k.wrapped IS NOT NULL AND k.purpose ~ '^[0-9]{4}-[0-9]{2}$'
        AND to_date(k.purpose, 'YYYY-MM') + interval '1 month' <= current_date
        AND to_regclass('ledger.event_' || replace(k.purpose, '-', '_')) IS NULL
        AND NOT EXISTS (SELECT FROM ledger.event_held e WHERE e.tenant_id = v_tenant AND to_char(e.expires_on, 'YYYY-MM') = k.purpose)
        AND NOT EXISTS (SELECT FROM ledger.event_default e WHERE e.tenant_id = v_tenant AND to_char(e.expires_on, 'YYYY-MM') = k.purpose);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_all := v_all + v_count;
  END LOOP;
  EXECUTE format('SET LOCAL chaperone.tenant_id = %L', coalesce(v_before, ''));
  RETURN v_all;
END $$;

GRANT EXECUTE ON FUNCTION ledger.due_months(), ledger.going(date), ledger.expire_held(), ledger.destroy_audit_keys(),
  ledger.append_all(uuid[], uuid[], date[], text[], text[], text[], uuid[], text[], uuid[], bytea[], bytea[], bytea[], int[], uuid[]) TO chaperone_ledger;
