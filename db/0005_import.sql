-- Imports: the file (sealed in chunks until it is imported), how far the job is, what was found, and what columns were said to mean.

CREATE TABLE clinic.import_job (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),   -- about nobody: numbers, and in the payload the file's name, columns and mapping
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'finished', 'failed', 'cancelled')),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  started_by uuid,
  finished_at timestamptz,
  stop_asked boolean NOT NULL DEFAULT false,
  chunks int NOT NULL,
  file_key_id uuid NOT NULL,
  file_key bytea,                               -- wrapped under the clinic's data key; null once the file is gone
  rows_total int NOT NULL,
  rows_done int NOT NULL,
  created int NOT NULL,
  unchanged int NOT NULL,
  differing int NOT NULL,
  skipped int NOT NULL,
  likely_duplicates int NOT NULL,
  lease_holder uuid,                            -- the process that works on it, and until when the others leave it alone
  lease_until timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (rows_done <= rows_total),
  CHECK ((state IN ('waiting', 'running')) = (finished_at IS NULL))
);
CREATE INDEX import_job_open ON clinic.import_job (tenant_id, state, created_at);

CREATE TABLE clinic.upload_chunk (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  n int NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, job_id, n),           -- the job follows its chunks, in the same transaction
  FOREIGN KEY (tenant_id, job_id) REFERENCES clinic.import_job (tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE clinic.upload_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;   -- sealed bytes do not compress

CREATE TABLE clinic.import_finding (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  row_number int NOT NULL,
  column_number smallint NOT NULL,              -- from 0; -1 for the row as a whole
  code text NOT NULL,
  PRIMARY KEY (tenant_id, job_id, row_number, column_number, code),
  FOREIGN KEY (tenant_id, job_id) REFERENCES clinic.import_job (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE clinic.import_mapping (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  header_token bytea NOT NULL,                  -- blind index of the columns' names
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX import_mapping_header ON clinic.import_mapping (tenant_id, header_token);

SELECT platform.protect('clinic.import_job', 'the state of a job: what each batch made is in the log with that batch');
SELECT platform.protect('clinic.upload_chunk', 'a file on its way in, sealed; gone after the import or a day');
SELECT platform.protect('clinic.import_finding', 'rows, columns and codes of a report; the counts are in the log');
SELECT platform.protect('clinic.import_mapping');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.import_job TO chaperone_app;
GRANT SELECT, INSERT, DELETE ON clinic.upload_chunk, clinic.import_finding TO chaperone_app;
GRANT SELECT, INSERT, UPDATE ON clinic.import_mapping TO chaperone_app;
