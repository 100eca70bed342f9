-- Witnesses: who outside the installation guards the clinics' logs.

-- Those that a clinic chose itself. Name, address and key are sealed: a name may be somebody's.
CREATE TABLE clinic.witness (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid CHECK (subject_id IS NULL),
  required boolean NOT NULL,                    -- whether a checkpoint counts as witnessed only with this one
  key_version int NOT NULL,
  version bigint NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
SELECT platform.protect('clinic.witness');
GRANT SELECT, INSERT, DELETE ON clinic.witness TO chaperone_app;

-- What each witness answered last, the operator's and the clinic's own. By its key, which is what makes it a witness.
CREATE TABLE ledger.witness_state (
  tenant_id uuid NOT NULL,
  witness text NOT NULL,                        -- digest of its vkey
  size bigint NOT NULL,                         -- of the checkpoint it cosigned last
  cosigned_at timestamptz,
  asked_at timestamptz NOT NULL,
  fault text,                                   -- why it did not cosign when last asked, by code; null: it did
  failing_since timestamptz,
  told text CHECK (told IN ('silent', 'objects')),  -- what people were told of this failure
  PRIMARY KEY (tenant_id, witness),
  CHECK ((fault IS NULL) = (failing_since IS NULL))
);
SELECT platform.protect('ledger.witness_state', 'what witnesses answered: their cosignatures prove it');
GRANT SELECT ON ledger.witness_state TO chaperone_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.witness_state TO chaperone_ledger;

-- Cosignatures stand under the note itself, as every verifier expects them.
ALTER TABLE ledger.checkpoint ADD COLUMN cosigned_by text[] NOT NULL DEFAULT '{}';
GRANT UPDATE (note, cosigned_by) ON ledger.checkpoint TO chaperone_ledger;

CREATE FUNCTION ledger.only_extend_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size <> OLD.size OR NEW.root <> OLD.root OR NOT starts_with(NEW.note, OLD.note) OR NOT NEW.cosigned_by @> OLD.cosigned_by THEN
    RAISE EXCEPTION 'The log is append-only: a checkpoint only ever gets more signatures.' USING ERRCODE = 'CH002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_extend BEFORE UPDATE ON ledger.checkpoint FOR EACH ROW EXECUTE FUNCTION ledger.only_extend_checkpoint();
