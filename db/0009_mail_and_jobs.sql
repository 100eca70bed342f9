-- Mail on its way out, runs of jobs, and the tables of the scheduler.

-- Where a clinic's mail is handed over: one row, whose id is the clinic's. Host, account and password are sealed.
CREATE TABLE clinic.mail_settings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  enabled boolean NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (id = tenant_id)
);

-- One mail to one account. The address is the account's when it is sent; what is sealed here is the one-time link, wiped once it is sent, and where an act came from.
CREATE TABLE clinic.mail_message (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,                             -- the Message-ID is made of it, so a mail sent twice can be told
  subject_id uuid,                              -- whose data is sealed here: the recipient's; null for what is yet to be spread
  template text NOT NULL,
  member_id uuid,                               -- the recipient; null: whoever the clinic's alerts go to, spread into one row each when it is due
  about_id uuid,                                -- the account it speaks about
  group_key text,                               -- at most one mail of a key: alerts are grouped by it
  state text NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'dead', 'discarded')),
  created_by uuid,
  created_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,              -- not sent after it
  attempts int NOT NULL,
  result_code text,                             -- of the last attempt: an error's code
  reply int,                                    -- and the mail server's number
  finished_at timestamptz,
  lease_holder uuid,
  lease_until timestamptz,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK ((state IN ('waiting', 'sending')) = (finished_at IS NULL)),
  CHECK ((state = 'sending') = (lease_until IS NOT NULL))
);
CREATE INDEX mail_message_due ON clinic.mail_message (tenant_id, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX mail_message_dead ON clinic.mail_message (tenant_id, id) WHERE state = 'dead';
CREATE UNIQUE INDEX mail_message_group ON clinic.mail_message (tenant_id, group_key) WHERE group_key IS NOT NULL;

-- Runs of jobs that have no table of their own. Numbers and codes only.
CREATE TABLE clinic.job_run (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('verification', 'export', 'purge')),
  what text NOT NULL,                           -- a code: which export, why a verification
  state text NOT NULL CHECK (state IN ('running', 'finished', 'failed')),
  started_by uuid,                              -- null: the scheduler
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  alive_until timestamptz NOT NULL,             -- running and past this: it broke off
  done bigint NOT NULL,
  total bigint,
  result_code text,
  PRIMARY KEY (tenant_id, id),
  CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_run_by_start ON clinic.job_run (tenant_id, started_at);

SELECT platform.protect('clinic.mail_settings');
SELECT platform.protect('clinic.mail_message', 'a mail on its way out: what came of it is an event');
SELECT platform.protect('clinic.job_run', 'that a job ran, in numbers: what it did is in the log');
GRANT SELECT, INSERT, UPDATE ON clinic.mail_settings TO chaperone_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.mail_message, clinic.job_run TO chaperone_app;

-- The scheduler's own tables, as Quartz 4 asks for them (docs/decisions/0020). Of the installation: names of jobs, times and nodes, nothing of any clinic but ids.
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO chaperone_app;

CREATE TABLE jobs.job_details (
  sched_name text NOT NULL,
  job_name text NOT NULL,
  job_group text NOT NULL,
  description text,
  job_class_name text NOT NULL,
  is_durable boolean NOT NULL,
  is_nonconcurrent boolean NOT NULL,
  is_update_data boolean NOT NULL,
  requests_recovery boolean NOT NULL,
  job_data bytea,
  PRIMARY KEY (sched_name, job_name, job_group)
);
CREATE TABLE jobs.triggers (
  sched_name text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  job_name text NOT NULL,
  job_group text NOT NULL,
  description text,
  next_fire_time bigint,
  prev_fire_time bigint,
  priority int,
  trigger_state text NOT NULL,
  trigger_type text NOT NULL,
  start_time bigint NOT NULL,
  end_time bigint,
  calendar_name text,
  misfire_instr smallint,
  misfire_orig_fire_time bigint,
  execution_group varchar(200),
  preferred_node varchar(200),
  preferred_node_auto boolean NOT NULL DEFAULT false,
  retry_policy varchar(250),
  retry_attempt int,
  continues_trigger_name text,
  continues_trigger_group text,
  continuation_condition int,
  overlap_policy int,
  pause_reason varchar(250),
  paused_by varchar(200),
  paused_at bigint,
  misfire_threshold bigint,
  fixed_delay boolean,
  job_data bytea,
  PRIMARY KEY (sched_name, trigger_name, trigger_group),
  FOREIGN KEY (sched_name, job_name, job_group) REFERENCES jobs.job_details
);
CREATE INDEX triggers_by_job ON jobs.triggers (sched_name, job_name, job_group);
CREATE INDEX triggers_due ON jobs.triggers (sched_name, trigger_state, next_fire_time, priority DESC, misfire_instr);
CREATE TABLE jobs.simple_triggers (
  sched_name text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  repeat_count bigint NOT NULL,
  repeat_interval bigint NOT NULL,
  times_triggered bigint NOT NULL,
  PRIMARY KEY (sched_name, trigger_name, trigger_group),
  FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES jobs.triggers ON DELETE CASCADE
);
CREATE TABLE jobs.cron_triggers (
  sched_name text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  cron_expression text NOT NULL,
  time_zone_id text,
  PRIMARY KEY (sched_name, trigger_name, trigger_group),
  FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES jobs.triggers ON DELETE CASCADE
);
CREATE TABLE jobs.simprop_triggers (
  sched_name text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  str_prop_1 text,
  str_prop_2 text,
  str_prop_3 text,
  int_prop_1 int,
  int_prop_2 int,
  long_prop_1 bigint,
  long_prop_2 bigint,
  dec_prop_1 numeric,
  dec_prop_2 numeric,
  bool_prop_1 boolean,
  bool_prop_2 boolean,
  time_zone_id text,
  PRIMARY KEY (sched_name, trigger_name, trigger_group),
  FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES jobs.triggers ON DELETE CASCADE
);
CREATE TABLE jobs.blob_triggers (
  sched_name text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  blob_data bytea,
  PRIMARY KEY (sched_name, trigger_name, trigger_group),
  FOREIGN KEY (sched_name, trigger_name, trigger_group) REFERENCES jobs.triggers ON DELETE CASCADE
);
CREATE TABLE jobs.calendars (
  sched_name text NOT NULL,
  calendar_name text NOT NULL,
  calendar bytea NOT NULL,
  PRIMARY KEY (sched_name, calendar_name)
);
CREATE TABLE jobs.paused_trigger_grps (
  sched_name text NOT NULL,
  trigger_group text NOT NULL,
  pause_reason varchar(250),
  paused_by varchar(200),
  paused_at bigint,
  PRIMARY KEY (sched_name, trigger_group)
);
CREATE TABLE jobs.paused_job_grps (
  sched_name text NOT NULL,
  job_group text NOT NULL,
  pause_reason varchar(250),
  paused_by varchar(200),
  paused_at bigint,
  PRIMARY KEY (sched_name, job_group)
);
CREATE TABLE jobs.fired_triggers (
  sched_name text NOT NULL,
  entry_id text NOT NULL,
  trigger_name text NOT NULL,
  trigger_group text NOT NULL,
  instance_name text NOT NULL,
  fired_time bigint NOT NULL,
  sched_time bigint NOT NULL,
  priority int NOT NULL,
  state text NOT NULL,
  job_name text,
  job_group text,
  is_nonconcurrent boolean NOT NULL,
  requests_recovery boolean,
  execution_group varchar(200),
  progress int,
  progress_message varchar(250),
  interrupt_requested_time bigint,
  PRIMARY KEY (sched_name, entry_id)
);
CREATE INDEX fired_triggers_by_node ON jobs.fired_triggers (sched_name, instance_name, requests_recovery);
CREATE INDEX fired_triggers_by_job ON jobs.fired_triggers (sched_name, job_name, job_group);
CREATE INDEX fired_triggers_by_trigger ON jobs.fired_triggers (sched_name, trigger_name, trigger_group);
CREATE TABLE jobs.scheduler_state (
  sched_name text NOT NULL,
  instance_name text NOT NULL,
  last_checkin_time bigint NOT NULL,
  checkin_interval bigint NOT NULL,
  quartz_version varchar(20),
  PRIMARY KEY (sched_name, instance_name)
);
CREATE TABLE jobs.locks (
  sched_name text NOT NULL,
  lock_name text NOT NULL,
  PRIMARY KEY (sched_name, lock_name)
);
-- What has an interval and no data needs no more: the scheduler reads the rest, and finds nothing there.
GRANT SELECT ON ALL TABLES IN SCHEMA jobs TO chaperone_app;
GRANT INSERT, UPDATE, DELETE ON jobs.job_details, jobs.triggers, jobs.simple_triggers, jobs.fired_triggers, jobs.scheduler_state, jobs.locks TO chaperone_app;
