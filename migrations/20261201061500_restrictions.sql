-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Whether what a key opens is told to few only, as the log had it at that version of the client's stream.
ALTER TABLE personal_keys
    ADD COLUMN restricted            boolean NOT NULL DEFAULT false,
    ADD COLUMN restricted_at_version bigint  NOT NULL DEFAULT 0;

-- Restrictions that somebody is about to make or to lift. What is cut off between the log and the key is gone on with by whoever
-- keeps house.
CREATE TABLE restrictions_begun (
    tenant_id  text        NOT NULL,
    attempt_id uuid        NOT NULL,
    client_id  uuid        NOT NULL,
    begun_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, attempt_id)
);

CREATE INDEX restrictions_begun_by_age ON restrictions_begun (begun_at);
