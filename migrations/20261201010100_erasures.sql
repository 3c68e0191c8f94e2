-- Erasures that were begun. What is not finished is gone on with by whoever keeps house, whatever has ended before.
CREATE TABLE erasures (
    tenant_id    text        NOT NULL,
    client_id    uuid        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    PRIMARY KEY (tenant_id, client_id)
);

CREATE INDEX erasures_unfinished ON erasures (requested_at) WHERE finished_at IS NULL;
