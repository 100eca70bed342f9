-- What the schedule stands on besides appointments: sorts of appointment, rooms, working hours, leave, the waiting list, calendar feeds. Why: docs/decisions/0018 and 0019.

-- What a clinic changed of the usual sorts, and its own; a code that is not here is as the program has it. Never deleted: appointments name it.
CREATE TABLE clinic.appointment_type (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  code text NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT appointment_type_code UNIQUE (tenant_id, code)
);
SELECT platform.protect('clinic.appointment_type');
GRANT SELECT, INSERT, UPDATE ON clinic.appointment_type TO chaperone_app;

CREATE TABLE clinic.room (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  active boolean NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.room');
GRANT SELECT, INSERT, UPDATE ON clinic.room TO chaperone_app;

-- series_id: appointments that were booked together, as repeats of one another.
ALTER TABLE clinic.appointment
  ADD COLUMN room_id uuid,
  ADD COLUMN series_id uuid,
  ADD FOREIGN KEY (tenant_id, room_id) REFERENCES clinic.room (tenant_id, id),
  ADD CONSTRAINT appointment_room_no_overlap
    EXCLUDE USING gist (tenant_id WITH =, room_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (status IN ('booked', 'arrived', 'started') AND room_id IS NOT NULL);
CREATE INDEX appointment_by_series ON clinic.appointment (tenant_id, series_id, starts_at) WHERE series_id IS NOT NULL;
-- Whether a practitioner has had, or will have, a patient before them: asked whenever a clinician opens a record.
CREATE INDEX appointment_by_pair ON clinic.appointment (tenant_id, practitioner_id, subject_id, starts_at);

-- The weekly hours of a practitioner, under the account's id. Who has no row works when the clinic does.
CREATE TABLE clinic.working_hours (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, id) REFERENCES clinic.member (tenant_id, id),
  CHECK (subject_id = id)
);
SELECT platform.protect('clinic.working_hours');
GRANT SELECT, INSERT, UPDATE ON clinic.working_hours TO chaperone_app;

-- Why somebody is away is sealed.
CREATE TABLE clinic.leave (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- the practitioner's account
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, subject_id) REFERENCES clinic.member (tenant_id, id),
  CHECK (starts_at < ends_at)
);
CREATE INDEX leave_by_practitioner ON clinic.leave (tenant_id, subject_id, ends_at);
CREATE INDEX leave_by_end ON clinic.leave (tenant_id, ends_at);
SELECT platform.protect('clinic.leave');
-- Leave that was entered by mistake or not taken goes; the log keeps that it was there.
GRANT SELECT, INSERT, DELETE ON clinic.leave TO chaperone_app;

CREATE TABLE clinic.waiting_entry (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- the patient
  practitioner_id uuid,                 -- null: anybody
  status text NOT NULL CHECK (status IN ('waiting', 'booked', 'removed')),
  priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 3),
  earliest date NOT NULL,
  latest date,
  added_at timestamptz NOT NULL,
  appointment_id uuid,                  -- what it was booked into
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, subject_id) REFERENCES clinic.patient (tenant_id, id),
  FOREIGN KEY (tenant_id, practitioner_id) REFERENCES clinic.member (tenant_id, id),
  FOREIGN KEY (tenant_id, appointment_id) REFERENCES clinic.appointment (tenant_id, id),
  CHECK (latest >= earliest),
  CHECK ((status = 'booked') = (appointment_id IS NOT NULL))
);
CREATE INDEX waiting_entry_waiting ON clinic.waiting_entry (tenant_id, priority, added_at) WHERE status = 'waiting';
CREATE INDEX waiting_entry_by_patient ON clinic.waiting_entry (tenant_id, subject_id);
SELECT platform.protect('clinic.waiting_entry');
GRANT SELECT, INSERT, UPDATE ON clinic.waiting_entry TO chaperone_app;

-- The schedule's own settings, under the clinic's id; none until something is changed.
CREATE TABLE clinic.schedule_settings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL CHECK (id = tenant_id),
  subject_id uuid,
  feeds_name_patients boolean NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.schedule_settings');
GRANT SELECT, INSERT, UPDATE ON clinic.schedule_settings TO chaperone_app;

-- Secret links to a practitioner's calendar. token_hash: SHA-256 of the 32 random bytes in the address; proof: docs/decisions/0014.
CREATE TABLE clinic.calendar_feed (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  member_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  proof bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES clinic.member (tenant_id, id)
);
CREATE UNIQUE INDEX calendar_feed_by_token ON clinic.calendar_feed (tenant_id, token_hash);
CREATE UNIQUE INDEX calendar_feed_one ON clinic.calendar_feed (tenant_id, member_id) WHERE revoked_at IS NULL;
SELECT platform.protect('clinic.calendar_feed', 'tokens that read; making, revoking and every reading are events, and a row the server did not write has no proof');
GRANT SELECT, INSERT, UPDATE ON clinic.calendar_feed TO chaperone_app;
