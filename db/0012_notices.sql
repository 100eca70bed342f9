-- What somebody is told: that a patient has arrived, that an import has ended. Says nothing that another event does not say.
CREATE TABLE clinic.notice (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- whom it tells
  created_at timestamptz NOT NULL,
  read_at timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX notice_by_reader ON clinic.notice (tenant_id, subject_id, id);
SELECT platform.protect('clinic.notice', 'tells one person of what other events say; nothing is decided by it');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.notice TO chaperone_app;
