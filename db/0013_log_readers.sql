-- Who outside may read the log's tree by its address: tokens, and whether everybody may. Tiles hold nobody's data.

-- sealed: whom the token is for. A row that the server did not write has no proof and opens nothing.
CREATE TABLE clinic.log_token (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  proof bytea NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX log_token_by_hash ON clinic.log_token (tenant_id, token_hash);
SELECT platform.protect('clinic.log_token');
GRANT SELECT, INSERT, UPDATE ON clinic.log_token TO chaperone_app;

-- At most one row for a clinic, with the clinic's id; none: only with a token.
CREATE TABLE clinic.log_publication (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL CHECK (id = tenant_id),
  changed_at timestamptz NOT NULL,
  everybody boolean NOT NULL,
  proof bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.log_publication', 'one switch; turning it is an event with before and after, and a row the server did not write has no proof');
GRANT SELECT, INSERT, UPDATE ON clinic.log_publication TO chaperone_app;
