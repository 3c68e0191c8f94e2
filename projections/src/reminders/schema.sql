-- What is booked, and was booked here: that is what clients are reminded of.
CREATE TABLE {schema}.appointments (
    tenant_id      text        NOT NULL,
    appointment_id uuid        NOT NULL,
    service_id     uuid        NOT NULL,
    client_id      uuid        NOT NULL,
    -- The first of its resources: by its clocks it is a day before.
    resource_id    uuid        NOT NULL,
    start_at       timestamptz NOT NULL,
    -- Since when it is booked at this time.
    agreed_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, appointment_id)
);

-- The rules of services that have or had any, each since when it holds.
CREATE TABLE {schema}.services (
    tenant_id  text NOT NULL,
    service_id uuid NOT NULL,
    rules      json NOT NULL,
    PRIMARY KEY (tenant_id, service_id)
);

CREATE TABLE {schema}.resources (
    tenant_id   text NOT NULL,
    resource_id uuid NOT NULL,
    time_zone   text NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
);

-- Every reminder: planned, as it follows from the tables above, or what has become of it.
CREATE TABLE {schema}.reminders (
    tenant_id      text        NOT NULL,
    reminder_id    uuid        NOT NULL,
    appointment_id uuid        NOT NULL,
    service_id     uuid        NOT NULL,
    client_id      uuid        NOT NULL,
    -- By whose clocks it is planned.
    resource_id    uuid,
    rule           text        NOT NULL,
    start_at       timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    status         text        NOT NULL
        CHECK (status IN ('planned', 'begun', 'sent', 'failed', 'skipped', 'asked', 'announced')),
    -- When there is something to be done with it.
    next_at        timestamptz,
    attempts       smallint    NOT NULL,
    code           smallint,
    failure        text        CHECK (failure IN ('transient', 'permanent', 'unknown')),
    why            text,
    -- When the last of its events was recorded.
    changed_at     timestamptz,
    version        bigint      NOT NULL,
    position       bigint      NOT NULL,
    PRIMARY KEY (tenant_id, reminder_id),
    CHECK ((status = 'planned') = (version = 0)),
    CHECK ((status = 'planned') = (resource_id IS NOT NULL))
);
