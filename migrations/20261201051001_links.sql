-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- A link is a key of one appointment, for the client: what it is good for stands in `limited`, so that a program which knows of
-- no links lets it do nothing.
ALTER TABLE api_keys
    ADD COLUMN appointment_id uuid,
    ADD CONSTRAINT links_are_limited CHECK (appointment_id IS NULL OR limited IS NOT NULL);

CREATE INDEX links_of_appointment ON api_keys (tenant_id, appointment_id, created_at)
    WHERE appointment_id IS NOT NULL;
CREATE INDEX links_by_end ON api_keys (tenant_id, expires_at) WHERE appointment_id IS NOT NULL;
