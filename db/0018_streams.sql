-- Streams: a clinic's log on its way to receivers outside. The log itself is the queue; here is only how far each receiver has acknowledged it.

-- Name, address, secret and keys are sealed, and so is the filter: it may speak of what the clinic looks out for.
CREATE TABLE clinic.log_stream (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  kind text NOT NULL CHECK (kind IN ('syslog', 'webhook')),
  shape text NOT NULL CHECK (shape IN ('native', 'ocsf', 'fhir')),
  paused boolean NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.log_stream');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_stream TO chaperone_app;

-- How far a stream is, by the stream's id. Numbers and codes only.
CREATE TABLE clinic.log_stream_state (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  next_index bigint NOT NULL CHECK (next_index >= 0),   -- everything before it is acknowledged, filtered out, or was skipped by somebody
  pending_end bigint CHECK (pending_end > next_index),  -- where the message on its way ends: it is sent again exactly so, under the same id
  single_until bigint NOT NULL DEFAULT 0,               -- one event to a message up to here: a message of several was refused
  acknowledged_at timestamptz,
  attempts int NOT NULL DEFAULT 0,                      -- in vain, since the last that was acknowledged
  fault text,                                           -- why, by code; null: the last attempt was not in vain
  answer int,                                           -- and the number the receiver answered
  failing_since timestamptz,
  retry_at timestamptz,
  told boolean NOT NULL DEFAULT false,                  -- whether an event says that it fails
  letter_id uuid,                                       -- the message that was given up and that somebody must decide about; nothing is sent meanwhile
  PRIMARY KEY (tenant_id, id),
  CHECK ((fault IS NULL) = (failing_since IS NULL)),
  CHECK (NOT told OR fault IS NOT NULL)
);
SELECT platform.protect('clinic.log_stream_state', 'how far receivers have acknowledged the log: it moves with every message, and what matters of it is an event');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_stream_state TO chaperone_app;

-- Messages that a receiver refused for good, and what somebody decided about each.
CREATE TABLE clinic.log_stream_letter (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  stream_id uuid NOT NULL,
  log_index bigint NOT NULL,
  event_id uuid NOT NULL,
  fault text NOT NULL,
  answer int,
  attempts int NOT NULL,
  given_up_at timestamptz NOT NULL,
  decided_at timestamptz,
  decision text CHECK (decision IN ('again', 'skipped')),
  PRIMARY KEY (tenant_id, id),
  CHECK ((decided_at IS NULL) = (decision IS NULL))
);
CREATE INDEX log_stream_letter_by_stream ON clinic.log_stream_letter (tenant_id, stream_id, id);
SELECT platform.protect('clinic.log_stream_letter', 'which message was given up and what was decided: each is an event');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_stream_letter TO chaperone_app;
