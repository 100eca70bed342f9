-- Investigations: a case with chosen events, people and records, notes that are only added, and a conclusion. While a case is open, and until two people agreed to its
-- conclusion, its events do not end (decision 0029).

-- team: who may read it beside the owners. Somebody whom the case names may not, whatever their role: see the resource in Investigations/CaseRules.cs.
CREATE TABLE clinic.investigation (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  number int NOT NULL CHECK (number > 0),
  state text NOT NULL CHECK (state IN ('open', 'concluding', 'concluded')),
  opened_by uuid NOT NULL,
  opened_at timestamptz NOT NULL,
  assigned_to uuid,
  team uuid[] NOT NULL,
  aware_at timestamptz,                 -- since when a breach of personal data is suspected: GDPR Art. 33 gives 72 hours from then
  concluded_by uuid,                    -- who wrote the conclusion, and below who agreed to it
  confirmed_by uuid,
  ended_at timestamptz,
  reopened_at timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT investigation_number UNIQUE (tenant_id, number),
  CHECK (confirmed_by IS DISTINCT FROM concluded_by OR confirmed_by IS NULL),
  CHECK ((state = 'concluded') = (ended_at IS NOT NULL))
);
SELECT platform.protect('clinic.investigation');
GRANT SELECT, INSERT, UPDATE ON clinic.investigation TO chaperone_app;

-- What a case points at. What is taken out stays here, with who did it and why.
CREATE TABLE clinic.investigation_item (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  investigation_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('event', 'person', 'record')),
  ref_id uuid NOT NULL,
  ref_type text NOT NULL,
  added_by uuid NOT NULL,
  added_at timestamptz NOT NULL,
  removed_by uuid,
  removed_at timestamptz,
  removed_because text,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, investigation_id) REFERENCES clinic.investigation (tenant_id, id),
  CHECK ((removed_at IS NULL) = (removed_by IS NULL) AND (removed_at IS NULL) = (removed_because IS NULL))
);
CREATE UNIQUE INDEX investigation_item_once ON clinic.investigation_item (tenant_id, investigation_id, kind, ref_id) WHERE removed_at IS NULL;
CREATE INDEX investigation_item_by_ref ON clinic.investigation_item (tenant_id, ref_id);
SELECT platform.protect('clinic.investigation_item');
GRANT SELECT, INSERT, UPDATE ON clinic.investigation_item TO chaperone_app;

-- Notes, conclusions and why a case was reopened: only added, never changed.
CREATE TABLE clinic.investigation_note (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  investigation_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('note', 'conclusion', 'reopened')),
  outcome text,
  written_by uuid NOT NULL,
  written_at timestamptz NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, investigation_id) REFERENCES clinic.investigation (tenant_id, id),
  CHECK ((kind = 'conclusion') = (outcome IS NOT NULL))
);
CREATE INDEX investigation_note_by_case ON clinic.investigation_note (tenant_id, investigation_id, id);
SELECT platform.protect('clinic.investigation_note');
GRANT SELECT, INSERT ON clinic.investigation_note TO chaperone_app;

-- Whether an event of the clinic that is set is under a hold or a lengthened term, or was ever put into a case that is not concluded: taking it out of the case frees nothing.
CREATE OR REPLACE FUNCTION ledger.is_held(p_id uuid, p_action text, p_actor uuid, p_entity uuid) RETURNS boolean
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
    OR EXISTS (
      SELECT FROM clinic.investigation_item i JOIN clinic.investigation c ON c.tenant_id = i.tenant_id AND c.id = i.investigation_id
      WHERE i.tenant_id = platform.tenant_id() AND i.ref_id = p_id AND i.kind = 'event' AND c.state <> 'concluded')
$$;

-- As before, and until the transaction is over nobody opens, fills or concludes a case either.
CREATE OR REPLACE FUNCTION ledger.going(p_month date) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_before text := current_setting('chaperone.tenant_id', true);
  v_tenant uuid;
BEGIN
  LOCK TABLE clinic.legal_hold, clinic.log_term, clinic.investigation, clinic.investigation_item IN SHARE MODE;
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
