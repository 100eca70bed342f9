-- The floor everything stands on: clinics, keys, and the rule every tenant table is put under.
-- Runs as chaperone_owner, which owns the database; the other roles own nothing.

DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO chaperone_app, chaperone_ledger, chaperone_operator', current_database()); END $$;

CREATE SCHEMA platform;
CREATE SCHEMA directory;
CREATE SCHEMA keys;
CREATE SCHEMA clinic;
GRANT USAGE ON SCHEMA platform TO chaperone_app, chaperone_ledger, chaperone_operator;
GRANT USAGE ON SCHEMA directory TO chaperone_app, chaperone_ledger, chaperone_operator;
GRANT USAGE ON SCHEMA keys TO chaperone_app, chaperone_ledger, chaperone_operator;
GRANT USAGE ON SCHEMA clinic TO chaperone_app, chaperone_operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA platform, directory, keys, clinic GRANT SELECT ON TABLES TO chaperone_operator;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The clinic of this transaction. nullif: a reset setting is '' and must show nothing rather than raise.
CREATE FUNCTION platform.tenant_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('chaperone.tenant_id', true), '')::uuid;
GRANT EXECUTE ON FUNCTION platform.tenant_id() TO chaperone_app, chaperone_ledger, chaperone_operator;

-- Counts the rows this transaction changed in tracked tables, so that ledger.append can refuse a
-- transaction whose event does not name them all (a bug's net; the verifier is the attacker's).
CREATE FUNCTION platform.count_changed_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  SELECT count(*) INTO n FROM touched;
  PERFORM set_config('chaperone.changed_rows', (platform.changed_rows() + n)::text, true);
  RETURN NULL;
END $$;
CREATE FUNCTION platform.changed_rows() RETURNS bigint LANGUAGE sql STABLE
  RETURN coalesce(nullif(current_setting('chaperone.changed_rows', true), ''), '0')::bigint;
GRANT EXECUTE ON FUNCTION platform.changed_rows(), platform.count_changed_rows() TO chaperone_app, chaperone_ledger;

-- Every tenant table stands here: under row-level security, and tracked (its rows' digests are in the
-- ledger) or not, with the reason.
CREATE TABLE platform.tenant_table (
  name text PRIMARY KEY,
  tracked boolean NOT NULL,
  untracked_because text,
  CHECK (tracked = (untracked_because IS NULL))
);
GRANT SELECT ON platform.tenant_table TO chaperone_app, chaperone_ledger;

CREATE FUNCTION platform.protect(target text, untracked_because text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE op text;
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant ON %s USING (tenant_id = nullif(current_setting(''chaperone.tenant_id'', true), '''')::uuid)', target);
  INSERT INTO platform.tenant_table VALUES (target, untracked_because IS NULL, untracked_because);
  IF untracked_because IS NULL THEN
    FOREACH op IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
      EXECUTE format('CREATE TRIGGER count_%s AFTER %s ON %s REFERENCING %s TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION platform.count_changed_rows()',
        lower(op), op, target, CASE op WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END);
    END LOOP;
  END IF;
END $$;

-- Directory: which clinics this installation has. Not a tenant table: it is what a host name is looked up in.
CREATE TABLE directory.installation (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id uuid NOT NULL,
  root_key_mark uuid NOT NULL,          -- tells a wrong root key by name; tells nothing about the right one
  created_at timestamptz NOT NULL
);
CREATE TABLE directory.tenant (
  id uuid PRIMARY KEY,
  host text NOT NULL UNIQUE CHECK (host = lower(host) AND host !~ '[:/ ]'),
  name text NOT NULL,
  zone text NOT NULL DEFAULT 'Europe/London',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
  require_two_factor boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL
);
-- ASP.NET Core's key ring, each element sealed under the root key.
CREATE TABLE directory.data_protection_key (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL,
  sealed bytea NOT NULL
);
-- The operator's one-time links (first clinic); only the hash is here.
-- proof: hash and end, sealed by Data Protection, so that whoever can only write here cannot make a link.
CREATE TABLE directory.setup_link (
  token_hash bytea PRIMARY KEY,
  proof text NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
GRANT SELECT ON directory.installation, directory.tenant TO chaperone_app, chaperone_ledger;
GRANT INSERT ON directory.installation, directory.tenant TO chaperone_app;
GRANT UPDATE (name, zone, require_two_factor) ON directory.tenant TO chaperone_app;
GRANT SELECT, INSERT, DELETE ON directory.data_protection_key TO chaperone_app;
GRANT SELECT, INSERT, UPDATE ON directory.setup_link TO chaperone_app;

-- Keys, each wrapped: never in a data backup.
CREATE TABLE keys.clinic_key (
  tenant_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('clinic', 'log', 'data', 'audit', 'index', 'backup_code', 'proof')),
  purpose text NOT NULL DEFAULT '',     -- audit: the expiry month, 2028-11; index: its name
  version int NOT NULL,
  id uuid NOT NULL,
  wrapped bytea,                        -- null once destroyed
  created_at timestamptz NOT NULL,
  destroyed_at timestamptz,
  PRIMARY KEY (tenant_id, kind, purpose, version),
  UNIQUE (tenant_id, id),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE TABLE keys.subject_key (
  tenant_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  version int NOT NULL,
  id uuid NOT NULL,
  wrapped bytea,
  created_at timestamptz NOT NULL,
  destroyed_at timestamptz,
  PRIMARY KEY (tenant_id, subject_id, version),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
SELECT platform.protect('keys.clinic_key', 'wrapped keys: an altered one opens nothing, and rotation re-wraps without touching records');
SELECT platform.protect('keys.subject_key', 'wrapped keys: an altered one opens nothing, and rotation re-wraps without touching records');
GRANT SELECT, INSERT ON keys.clinic_key, keys.subject_key TO chaperone_app;
GRANT SELECT, INSERT ON keys.clinic_key TO chaperone_ledger;

-- What the features share.
CREATE TABLE clinic.blind_index (
  tenant_id uuid NOT NULL,
  index_id smallint NOT NULL,
  token bytea NOT NULL,
  row_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, index_id, token, row_id)
);
CREATE INDEX blind_index_by_row ON clinic.blind_index (tenant_id, row_id);
-- Odd index ids are of fields that only one row may have (NHS number, sign-in address).
CREATE UNIQUE INDEX blind_index_unique ON clinic.blind_index (tenant_id, index_id, token) WHERE index_id % 2 = 1;
CREATE TABLE clinic.external_id (
  tenant_id uuid NOT NULL,
  source text NOT NULL,
  entity_type text NOT NULL,
  token bytea NOT NULL,
  entity_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, source, entity_type, token)
);
CREATE INDEX external_id_by_entity ON clinic.external_id (tenant_id, entity_id);
SELECT platform.protect('clinic.blind_index', 'derived from the sealed payload of the row it finds, which is tracked');
SELECT platform.protect('clinic.external_id', 'blind indexes of other systems'' ids, derived from the sealed payload');
GRANT SELECT, INSERT, DELETE ON clinic.blind_index, clinic.external_id TO chaperone_app;
