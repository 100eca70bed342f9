-- Who may sign in, and what signing in leaves behind.

-- An account. For a member of staff subject_id is the account itself, for a patient's account the patient: erasing the patient erases the account's data.
CREATE TABLE clinic.member (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'suspended')),
  roles text[] NOT NULL,                -- codes of built-in roles
  patient_id uuid,
  rights_version bigint NOT NULL,       -- one more with each change of rights: compiled rights are remembered by it
  created_at timestamptz NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX member_by_patient ON clinic.member (tenant_id, patient_id) WHERE patient_id IS NOT NULL;

-- What proves that it is them: one row per account, with the account's id.
CREATE TABLE clinic.credential (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  security_stamp uuid NOT NULL,         -- changes with password and second factor: what was trusted before ends
  two_factor_enabled boolean NOT NULL,
  password_changed_at timestamptz,      -- null: never set, nobody can sign in
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

-- Attempts, counted before they are evaluated. id: an account; a trusted device, which counts for itself; or one of 256 stand-ins for addresses that nobody has.
CREATE TABLE clinic.sign_in_counter (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  failed int NOT NULL,
  locked_until timestamptz,
  last_totp_step bigint,
  PRIMARY KEY (tenant_id, id)
);

-- token_hash: SHA-256 of the 32 random bytes in the cookie. network: blind index of the network last confirmed.
-- proof, here and below: HMAC under a key that the database does not hold over what would give rights if it were changed (docs/decisions/0014).
CREATE TABLE clinic.session (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  member_id uuid NOT NULL,
  device_id uuid,
  token_hash bytea NOT NULL,
  client text NOT NULL,
  network bytea NOT NULL,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  idle_ends_at timestamptz NOT NULL,
  absolute_ends_at timestamptz NOT NULL,
  second_factor_at timestamptz,
  proof bytea NOT NULL,
  ended_at timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash)
);
CREATE INDEX session_by_member ON clinic.session (tenant_id, member_id) WHERE ended_at IS NULL;

CREATE TABLE clinic.trusted_device (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  member_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  security_stamp uuid NOT NULL,
  client text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  proof bytea NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash)
);
CREATE INDEX trusted_device_by_member ON clinic.trusted_device (tenant_id, member_id) WHERE revoked_at IS NULL;

-- Links that set a password, once: for who was invited, and for who forgot.
CREATE TABLE clinic.one_time_link (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  token_hash bytea NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('invite', 'reset')),
  member_id uuid NOT NULL,
  created_by uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  proof bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash)
);
CREATE INDEX one_time_link_by_member ON clinic.one_time_link (tenant_id, member_id) WHERE used_at IS NULL;

SELECT platform.protect('clinic.member');
SELECT platform.protect('clinic.credential');
SELECT platform.protect('clinic.sign_in_counter', 'counts attempts before they are evaluated, in commits of their own; what came of each attempt is an event');
SELECT platform.protect('clinic.session', 'written with every minute of use; that it began and ended are events');
SELECT platform.protect('clinic.trusted_device', 'last use is written at every sign-in; that it was trusted and revoked are events');
SELECT platform.protect('clinic.one_time_link', 'lives for hours and holds a hash; that it was made and used are events');
GRANT SELECT, INSERT, UPDATE ON clinic.member, clinic.credential, clinic.sign_in_counter, clinic.session, clinic.trusted_device, clinic.one_time_link TO chaperone_app;
