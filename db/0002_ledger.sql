-- The log of each clinic: sealed event bodies, the tree over them, and who may touch what. docs/formats says what the bytes are.

CREATE SCHEMA ledger;
GRANT USAGE ON SCHEMA ledger TO chaperone_app, chaperone_ledger, chaperone_operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA ledger GRANT SELECT ON TABLES TO chaperone_operator;

-- One row per event. id is a UUIDv7: the key orders by time and pages.
-- body: salt and event, sealed with the clinic's audit key of the month in which the event expires.
CREATE TABLE ledger.event (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  expires_on date NOT NULL,             -- infinity: never
  action text NOT NULL,
  severity text NOT NULL,
  outcome text NOT NULL,
  actor_id uuid,
  entity_type text,
  entity_id uuid,
  ip_index bytea,
  body bytea NOT NULL,
  PRIMARY KEY (tenant_id, id, expires_on)
) PARTITION BY RANGE (expires_on);
ALTER TABLE ledger.event ALTER body SET STORAGE EXTERNAL;   -- sealed bytes do not compress
CREATE INDEX event_by_actor ON ledger.event (tenant_id, actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX event_by_action ON ledger.event (tenant_id, action, id);
CREATE INDEX event_by_entity ON ledger.event (tenant_id, entity_id, id) WHERE entity_id IS NOT NULL;
CREATE INDEX event_by_ip ON ledger.event (tenant_id, ip_index, id) WHERE ip_index IS NOT NULL;
CREATE INDEX event_by_severity ON ledger.event (tenant_id, severity, id) WHERE severity <> 'info';
CREATE INDEX event_by_outcome ON ledger.event (tenant_id, outcome, id) WHERE outcome <> 'success';

-- Whose personal data an event showed or changed. Same transaction, same partitions.
CREATE TABLE ledger.event_subject (
  tenant_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  event_id uuid NOT NULL,
  expires_on date NOT NULL,
  PRIMARY KEY (tenant_id, subject_id, event_id, expires_on)
) PARTITION BY RANGE (expires_on);

-- Events that outlive their partition: under legal hold, or their clinic lengthened the term.
CREATE TABLE ledger.event_held (LIKE ledger.event INCLUDING STORAGE);
ALTER TABLE ledger.event_held ADD PRIMARY KEY (tenant_id, id);
CREATE INDEX event_held_by_action ON ledger.event_held (tenant_id, action, id);
CREATE INDEX event_held_by_actor ON ledger.event_held (tenant_id, actor_id, id);
CREATE INDEX event_held_by_entity ON ledger.event_held (tenant_id, entity_id, id);
CREATE TABLE ledger.event_subject_held (LIKE ledger.event_subject);
ALTER TABLE ledger.event_subject_held ADD PRIMARY KEY (tenant_id, subject_id, event_id);

-- A hold on everything about one person, or, without a subject, on the whole clinic's log.
CREATE TABLE ledger.hold (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  placed_at timestamptz NOT NULL,
  released_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ledger.longer_term (
  tenant_id uuid NOT NULL,
  action text NOT NULL,
  term interval NOT NULL,
  PRIMARY KEY (tenant_id, action)
);

-- The terms in use; 'forever' has none. A partition is made ahead for each.
CREATE TABLE ledger.term (name text PRIMARY KEY, term interval);
INSERT INTO ledger.term VALUES ('days_30', '30 days'), ('years_2', '2 years'), ('years_7', '7 years'), ('forever', NULL);

-- Appended, not yet in the tree. Emptied as fast as it fills, so vacuum must not wait for a share of it.
CREATE TABLE ledger.pending (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  expires_on date NOT NULL,
  entry bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 10);

-- How far the tree has grown. The next growth compares the size and works out the root again before it builds on it.
CREATE TABLE ledger.tree (
  tenant_id uuid PRIMARY KEY,
  size bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32)
) WITH (fillfactor = 50);

-- Which event has which index: chunk n holds the indexes 256 n and up. entry_hashes is 32 bytes for each of
-- event_ids: the entry without its constant first byte 0x01.
CREATE TABLE ledger.position (
  tenant_id uuid NOT NULL,
  n bigint NOT NULL,
  min_id uuid NOT NULL,
  max_id uuid NOT NULL,
  event_ids uuid[] NOT NULL,
  entry_hashes bytea NOT NULL,
  PRIMARY KEY (tenant_id, n),
  CHECK (cardinality(event_ids) BETWEEN 1 AND 256 AND length(entry_hashes) = 32 * cardinality(event_ids))
);
ALTER TABLE ledger.position ALTER event_ids SET STORAGE EXTERNAL, ALTER entry_hashes SET STORAGE EXTERNAL;
CREATE INDEX position_by_id ON ledger.position (tenant_id, max_id, min_id);

-- Levels 1 and up of the tiles; level 0 is computed from entry_hashes. A row is extended until it has 256 hashes.
CREATE TABLE ledger.tile (
  tenant_id uuid NOT NULL,
  level smallint NOT NULL CHECK (level > 0),
  n bigint NOT NULL,
  hashes bytea NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
  PRIMARY KEY (tenant_id, level, n)
);
ALTER TABLE ledger.tile ALTER hashes SET STORAGE EXTERNAL;

CREATE TABLE ledger.checkpoint (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  signed_at timestamptz NOT NULL,
  keep text CHECK (keep IN ('exported', 'mailed', 'witnessed')),
  PRIMARY KEY (tenant_id, size)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['event', 'event_subject', 'event_held', 'event_subject_held', 'pending', 'tree', 'position', 'tile', 'checkpoint'] LOOP
    PERFORM platform.protect('ledger.' || t, 'the log itself: the tree and its checkpoints prove it');
  END LOOP;
  PERFORM platform.protect('ledger.hold', 'placing and releasing a hold are events');
  PERFORM platform.protect('ledger.longer_term', 'lengthening a term is an event');
END $$;

-- Append-only for everybody, the owner and superusers included. A trigger can be disabled; the verifier is what finds that.
CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The log is append-only: % of %.% is refused.', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'CH002';
END $$;
CREATE FUNCTION ledger.only_extend_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF substr(NEW.entry_hashes, 1, length(OLD.entry_hashes)) <> OLD.entry_hashes OR NEW.event_ids[1:cardinality(OLD.event_ids)] <> OLD.event_ids THEN
    RAISE EXCEPTION 'The log is append-only: ledger.position is only ever extended.' USING ERRCODE = 'CH002';
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION ledger.only_extend_tile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes THEN
    RAISE EXCEPTION 'The log is append-only: ledger.tile is only ever extended.' USING ERRCODE = 'CH002';
  END IF;
  RETURN NEW;
END $$;
DO $$
DECLARE t text;
BEGIN
  -- Row triggers reach the partitions by themselves; those for TRUNCATE are put on each partition as it is made.
  FOREACH t IN ARRAY ARRAY['event', 'event_subject', 'event_held', 'event_subject_held'] LOOP
    EXECUTE format('CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON ledger.%I FOR EACH ROW EXECUTE FUNCTION ledger.refuse()', t);
    EXECUTE format('CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['position', 'tile'] LOOP
    EXECUTE format('CREATE TRIGGER refuse BEFORE DELETE OR TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', t);
    EXECUTE format('CREATE TRIGGER only_extend BEFORE UPDATE ON ledger.%I FOR EACH ROW EXECUTE FUNCTION ledger.only_extend_%s()', t, t);
  END LOOP;
END $$;

-- The way in for a change, in the change's own transaction. Raises CH001 where the transaction changed another number of tracked rows than its event names.
-- Without SET search_path, which would cost a third of the call: instead every name, type and operator in it is qualified, so no path can change what it does.
CREATE FUNCTION ledger.append(
  p_id uuid, p_expires_on date, p_action text, p_severity text, p_outcome text, p_actor uuid, p_entity_type text, p_entity_id uuid,
  p_ip_index bytea, p_body bytea, p_entry bytea, p_subjects uuid[], p_changed_rows bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_tenant pg_catalog.uuid := platform.tenant_id();
BEGIN
  IF v_tenant IS NULL THEN
    RAISE EXCEPTION 'An event needs a clinic: chaperone.tenant_id is not set.' USING ERRCODE = 'CH001';
  END IF;
  IF p_changed_rows OPERATOR(pg_catalog.<>) platform.changed_rows() THEN
    RAISE EXCEPTION 'The event names % changed rows, the transaction changed %.', p_changed_rows, platform.changed_rows() USING ERRCODE = 'CH001';
  END IF;
  -- One statement: each costs its own start and end.
  WITH event AS (
    INSERT INTO ledger.event (tenant_id, id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body)
      VALUES (v_tenant, p_id, p_expires_on, p_action, p_severity, p_outcome, p_actor, p_entity_type, p_entity_id, p_ip_index, p_body)
  ), subject AS (
    INSERT INTO ledger.event_subject (tenant_id, subject_id, event_id, expires_on)
      SELECT v_tenant, s.id, p_id, p_expires_on FROM pg_catalog.unnest(p_subjects) AS s (id)
  )
  INSERT INTO ledger.pending (tenant_id, id, expires_on, entry) VALUES (v_tenant, p_id, p_expires_on, p_entry);
END $$;

-- The way in for what changed nothing: the events of many callers, of any clinics, in one transaction. All arrays but p_subject_of and p_subjects are of one length;
-- those two name the people, each with the position of their event. No clinic is set: the rows say whose they are, as append's caller says it by the setting.
-- The same care about names as in append.
CREATE FUNCTION ledger.append_all(
  p_tenants uuid[], p_ids uuid[], p_expires_on date[], p_actions text[], p_severities text[], p_outcomes text[], p_actors uuid[], p_entity_types text[], p_entity_ids uuid[],
  p_ip_indexes bytea[], p_bodies bytea[], p_entries bytea[], p_subject_of int[], p_subjects uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF platform.changed_rows() OPERATOR(pg_catalog.<>) 0 THEN
    RAISE EXCEPTION 'These events name no changed rows, the transaction changed %.', platform.changed_rows() USING ERRCODE = 'CH001';
  END IF;
  -- unnest of several arrays is grammar, not a name to be looked up: the parser makes it pg_catalog.unnest.
  INSERT INTO ledger.event (tenant_id, id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body)
    SELECT e.* FROM unnest(p_tenants, p_ids, p_expires_on, p_actions, p_severities, p_outcomes, p_actors, p_entity_types, p_entity_ids, p_ip_indexes, p_bodies) AS e;
  INSERT INTO ledger.event_subject (tenant_id, subject_id, event_id, expires_on)
    SELECT p_tenants[s.event], s.subject, p_ids[s.event], p_expires_on[s.event] FROM unnest(p_subject_of, p_subjects) AS s (event, subject);
  INSERT INTO ledger.pending (tenant_id, id, expires_on, entry)
    SELECT e.* FROM unnest(p_tenants, p_ids, p_expires_on, p_entries) AS e;
END $$;
-- The owner alone, which only the functions here ever are.
CREATE POLICY append_all ON ledger.event FOR INSERT TO chaperone_owner WITH CHECK (true);
CREATE POLICY append_all ON ledger.event_subject FOR INSERT TO chaperone_owner WITH CHECK (true);
CREATE POLICY append_all ON ledger.pending FOR INSERT TO chaperone_owner WITH CHECK (true);

-- Makes, for every term, the month in which today's events end and the three after it. Returns whether a default
-- partition has been written to, which is an alarm: its rows cannot be expired.
CREATE FUNCTION ledger.ensure_partitions() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET timezone = 'UTC' AS $$
DECLARE
  v_month date;
  v_base text;
  v_name text;
  v_bounds text;
  v_try int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ledger.ensure_partitions'));
  FOREACH v_base IN ARRAY ARRAY['event', 'event_subject'] LOOP
    FOR v_month IN
      SELECT DISTINCT (date_trunc('month', current_date + term) + make_interval(months => ahead))::date FROM ledger.term, generate_series(0, 3) AS ahead WHERE term IS NOT NULL
      UNION ALL SELECT 'infinity' UNION ALL SELECT NULL ORDER BY 1
    LOOP
      v_name := v_base || CASE WHEN v_month IS NULL THEN '_default' WHEN v_month = 'infinity' THEN '_forever' ELSE to_char(v_month, '_YYYY_MM') END;
      v_bounds := CASE WHEN v_month IS NULL THEN 'DEFAULT' WHEN v_month = 'infinity' THEN 'FOR VALUES FROM (''9999-01-01'') TO (MAXVALUE)'
                       ELSE format('FOR VALUES FROM (%L) TO (%L)', v_month, (v_month + interval '1 month')::date) END;
      CONTINUE WHEN to_regclass('ledger.' || v_name) IS NOT NULL;
      -- Attaching instead of creating in place: appends go on meanwhile. No policy on the partition itself, so nobody passes by the parent's.
      EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING STORAGE)', v_name, v_base);
      EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_name);
      EXECUTE format('CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse()', v_name);
      v_try := 0;
      LOOP
        BEGIN
          EXECUTE format('ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I %s', v_base, v_name, v_bounds);
          EXIT;
        EXCEPTION
          WHEN lock_not_available THEN
            v_try := v_try + 1;
            IF v_try > 100 THEN RAISE; END IF;
            PERFORM pg_sleep(0.05);
          WHEN check_violation THEN       -- the default partition holds rows of this month; they stay where they are
            EXECUTE format('DROP TABLE ledger.%I', v_name);
            EXIT;
        END;
      END LOOP;
    END LOOP;
  END LOOP;
  -- The size needs no clinic: row-level security would show nothing here.
  RETURN pg_relation_size('ledger.event_default') > 0 OR pg_relation_size('ledger.event_subject_default') > 0;
END $$;

-- Drops a month whose last day is over, after copying what is held. The caller has written ledger.expired for every clinic.
CREATE FUNCTION ledger.expire(p_month date) RETURNS void
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
      WHERE e.tenant_id = v_tenant AND e.expires_on >= p_month AND e.expires_on < v_end
        AND (EXISTS (SELECT FROM ledger.hold h WHERE h.tenant_id = v_tenant AND h.released_at IS NULL
                       AND (h.subject_id IS NULL OR h.subject_id = e.entity_id OR h.subject_id = e.actor_id
                            OR EXISTS (SELECT FROM ledger.event_subject s WHERE s.tenant_id = v_tenant AND s.subject_id = h.subject_id
                                         AND s.event_id = e.id AND s.expires_on = e.expires_on)))
          OR EXISTS (SELECT FROM ledger.longer_term l WHERE l.tenant_id = v_tenant AND l.action = e.action
                       AND to_timestamp(('x' || translate(left(e.id::text, 13), '-', ''))::bit(48)::bigint / 1000.0) + l.term >= current_date));
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

-- What the viewer reads: nobody may see a difference between an event that is held and one that is not yet due.
CREATE VIEW ledger.every_event WITH (security_invoker = true) AS
  SELECT * FROM ledger.event UNION ALL SELECT * FROM ledger.event_held;
CREATE VIEW ledger.every_event_subject WITH (security_invoker = true) AS
  SELECT * FROM ledger.event_subject UNION ALL SELECT * FROM ledger.event_subject_held;

GRANT SELECT ON ledger.event, ledger.event_subject, ledger.event_held, ledger.event_subject_held, ledger.every_event, ledger.every_event_subject,
  ledger.tree, ledger.position, ledger.tile, ledger.checkpoint TO chaperone_app;
GRANT EXECUTE ON FUNCTION ledger.append(uuid, date, text, text, text, uuid, text, uuid, bytea, bytea, bytea, uuid[], bigint),
  ledger.append_all(uuid[], uuid[], date[], text[], text[], text[], uuid[], text[], uuid[], bytea[], bytea[], bytea[], int[], uuid[]) TO chaperone_app;
GRANT SELECT, DELETE ON ledger.pending TO chaperone_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger.tree, ledger.position, ledger.tile TO chaperone_ledger;
GRANT SELECT, INSERT, DELETE, UPDATE (keep) ON ledger.checkpoint TO chaperone_ledger;
GRANT EXECUTE ON FUNCTION ledger.ensure_partitions(), ledger.expire(date) TO chaperone_ledger;

SELECT ledger.ensure_partitions();
