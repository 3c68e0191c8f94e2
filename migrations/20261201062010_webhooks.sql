-- Endpoints that are told a tenant's events (webhooks); how far each has been told is a row of `followers` with its id.
CREATE TABLE webhooks (
    tenant_id          text        NOT NULL,
    webhook_id         uuid        NOT NULL,
    url                text        NOT NULL,
    -- None: all.
    event_types        text[]      NOT NULL,
    categories         text[]      NOT NULL,
    -- Whether what is personal is told.
    tells_personal     boolean     NOT NULL,
    -- Sealed with the tenant's key; the one before is good for a while.
    secret             text        NOT NULL,
    previous_secret    text,
    previous_until     timestamptz,
    version            bigint      NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, webhook_id),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

-- What was sent to them, and what came of it: never what was in it.
CREATE TABLE webhook_deliveries (
    tenant_id   text        NOT NULL,
    webhook_id  uuid        NOT NULL,
    -- A UUID of version 7: in the order of time.
    delivery_id uuid        NOT NULL,
    position    bigint      NOT NULL,
    attempt     integer     NOT NULL,
    at          timestamptz NOT NULL,
    -- Of the answer, where there was one.
    status      smallint,
    -- Why it was not received, in a word.
    failure     text,
    duration_ms integer     NOT NULL,
    body_sha256 bytea       NOT NULL,
    PRIMARY KEY (tenant_id, webhook_id, delivery_id)
);

-- For forgetting old ones: rows come in the order of their time.
CREATE INDEX webhook_deliveries_at ON webhook_deliveries USING brin (at);
