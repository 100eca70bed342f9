-- The schedule. Why an exclusion constraint, and what it needs: docs/decisions/0016.

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist') THEN
    RAISE EXCEPTION 'PostgreSQL''s extension btree_gist is not on this machine. It is one of PostgreSQL''s own contrib modules: where they are a package of their own (postgresql-contrib), install it and start again.';
  END IF;
END $$;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA platform;

CREATE TABLE clinic.appointment (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- the patient
  practitioner_id uuid NOT NULL,        -- the account of who sees them
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  type text NOT NULL,                   -- a code of the program's list
  status text NOT NULL CHECK (status IN ('booked', 'arrived', 'started', 'completed', 'cancelled', 'no_show')),
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, subject_id) REFERENCES clinic.patient (tenant_id, id),
  FOREIGN KEY (tenant_id, practitioner_id) REFERENCES clinic.member (tenant_id, id),
  CHECK (starts_at < ends_at AND ends_at - starts_at <= interval '12 hours'),
  CONSTRAINT appointment_no_overlap
    EXCLUDE USING gist (tenant_id WITH =, practitioner_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN ('booked', 'arrived', 'started'))
);
-- Days compare starts: operators on ranges are not leakproof and reach no index under row-level security.
CREATE INDEX appointment_by_start ON clinic.appointment (tenant_id, starts_at);
CREATE INDEX appointment_by_practitioner ON clinic.appointment (tenant_id, practitioner_id, starts_at);
CREATE INDEX appointment_by_patient ON clinic.appointment (tenant_id, subject_id, starts_at);
SELECT platform.protect('clinic.appointment');
-- No DELETE: appointments are cancelled.
GRANT SELECT, INSERT, UPDATE ON clinic.appointment TO chaperone_app;
