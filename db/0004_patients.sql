-- The clinic's register of patients. Everything personal is in the sealed payload; what finds them stands in clinic.blind_index.

CREATE TABLE clinic.patient (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,                     -- UUIDv7: orders by registration
  subject_id uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'archived')),
  registered_at timestamptz NOT NULL,
  archived_at timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (subject_id = id),
  CHECK ((status = 'archived') = (archived_at IS NOT NULL))
);
CREATE INDEX patient_by_status ON clinic.patient (tenant_id, status, id);
SELECT platform.protect('clinic.patient');
-- No DELETE: patients are archived; erasure will have its own way.
GRANT SELECT, INSERT, UPDATE ON clinic.patient TO chaperone_app;
