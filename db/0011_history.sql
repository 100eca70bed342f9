-- Imports of more than patients, and appointments that were before they came here: docs/decisions/0022.

ALTER TABLE clinic.import_job ADD COLUMN kind text NOT NULL DEFAULT 'patients' CHECK (kind IN ('patients', 'practitioners', 'appointments'));
ALTER TABLE clinic.import_job ALTER COLUMN kind DROP DEFAULT;

-- History is as long as it was: a stay in hospital lasts days. What is longer than 12 hours says so in a column of its own, so that a day finds it by an index of few rows and looks
-- back no further than 12 hours for everything else. Null for everything else: what was vouched for before stays as it was.
ALTER TABLE clinic.appointment ADD COLUMN long_until timestamptz;
ALTER TABLE clinic.appointment DROP CONSTRAINT appointment_check;
ALTER TABLE clinic.appointment ADD CONSTRAINT appointment_length CHECK (
  starts_at < ends_at AND (ends_at - starts_at <= interval '12 hours'
    OR (long_until IS NOT NULL AND long_until = ends_at AND ends_at - starts_at <= interval '366 days' AND status IN ('completed', 'cancelled', 'no_show'))));
ALTER TABLE clinic.appointment ADD CONSTRAINT appointment_long CHECK (long_until IS NULL OR ends_at - starts_at > interval '12 hours');
CREATE INDEX appointment_by_long_until ON clinic.appointment (tenant_id, long_until) WHERE long_until IS NOT NULL;
