-- Appointments whose clients are told of them: what is so at present, what they were told last, and when there is something to be done.
CREATE TABLE {schema}.notices (
    tenant_id           text        NOT NULL,
    notice_id           uuid        NOT NULL,
    appointment_id      uuid        NOT NULL,
    service_id          uuid        NOT NULL,
    client_id           uuid        NOT NULL,
    -- What is so; null: nothing that clients are told.
    present             json        NOT NULL,
    -- Since when, at which version of the appointment, and the number of its revision.
    changed_at          timestamptz NOT NULL,
    appointment_version bigint      NOT NULL,
    sequence            integer,
    -- Whether it was offered to a client who has waited.
    offered             boolean     NOT NULL,
    -- What has become of what they were to be told.
    ledger              json        NOT NULL,
    status              text        NOT NULL
        CHECK (status IN ('planned', 'begun', 'sent', 'failed', 'skipped')),
    -- When there is something to be done with it.
    next_at             timestamptz,
    PRIMARY KEY (tenant_id, notice_id)
);
