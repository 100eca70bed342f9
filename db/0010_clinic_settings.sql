-- The clinic's own settings: when it is open, who is told of privacy and security matters, its logo.

-- One row for each clinic that has changed something, with the clinic's id. working_week: clear, because the log tells what it was and became.
CREATE TABLE clinic.clinic_settings (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL CHECK (id = tenant_id),
  subject_id uuid,
  working_week text NOT NULL,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
-- A picture has an id of its own, which directory.tenant names: another picture is another address, so browsers may keep each.
CREATE TABLE clinic.clinic_logo (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid,
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.clinic_settings');
SELECT platform.protect('clinic.clinic_logo');
GRANT SELECT, INSERT, UPDATE ON clinic.clinic_settings TO chaperone_app;
GRANT SELECT, INSERT, DELETE ON clinic.clinic_logo TO chaperone_app;

ALTER TABLE directory.tenant ADD COLUMN logo_id uuid;
-- A clinic may change its host name too now; that another has it already, the unique constraint says.
GRANT UPDATE (host, logo_id) ON directory.tenant TO chaperone_app;

-- The directory is not under row-level security (a host name is looked up before any clinic is known), so this keeps its rows apart:
-- a clinic's row changes only from inside that clinic.
CREATE FUNCTION directory.refuse_other_clinics() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.id IS DISTINCT FROM platform.tenant_id() AND NOT pg_has_role(current_user, 'chaperone_owner', 'USAGE') THEN
    RAISE EXCEPTION 'a clinic changes its own row of the directory only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER own_row_only BEFORE UPDATE ON directory.tenant FOR EACH ROW EXECUTE FUNCTION directory.refuse_other_clinics();
