-- How many of a clinic's witnesses must have cosigned, besides those that it requires one by one. The number is in the sealed payload: nothing filters by it. There is no row until the clinic decides.
CREATE TABLE clinic.witness_quorum (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (id = tenant_id)                        -- one at most
);
SELECT platform.protect('clinic.witness_quorum');
GRANT SELECT, INSERT, UPDATE ON clinic.witness_quorum TO chaperone_app;
