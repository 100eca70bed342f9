-- What people keep of the log's pages, who follows the log at this moment, and the clinic's plan.

-- A filter somebody has named for themselves. Name and filter are sealed: they may speak of people.
CREATE TABLE clinic.log_view (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- whose it is
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX log_view_by_person ON clinic.log_view (tenant_id, subject_id, id);
SELECT platform.protect('clinic.log_view');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_view TO chaperone_app;

-- A page that follows the log: from when on, when it last asked, how many events it was given. Its filter is sealed.
CREATE TABLE clinic.log_tail (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,             -- who follows
  seen_at timestamptz NOT NULL,
  ended_at timestamptz,
  shown bigint NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX log_tail_open ON clinic.log_tail (tenant_id, seen_at) WHERE ended_at IS NULL;
SELECT platform.protect('clinic.log_tail', 'who follows the log at this moment; start and end are events, with how much was shown');
GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.log_tail TO chaperone_app;

-- What the clinic pays for. Who runs their own server pays nobody and has everything.
ALTER TABLE directory.tenant ADD COLUMN plan text NOT NULL DEFAULT 'self_hosted' CHECK (plan IN ('self_hosted', 'starter', 'pro', 'team'));
GRANT UPDATE (plan) ON directory.tenant TO chaperone_app;
