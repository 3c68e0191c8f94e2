-- The resources as the events that have been read leave them; the document is what the domain
-- serialises.
CREATE TABLE {schema}.resources (
    tenant_id   text NOT NULL,
    resource_id uuid NOT NULL,
    profile     json NOT NULL,
    status      text NOT NULL CHECK (status IN ('active', 'retired')),
    PRIMARY KEY (tenant_id, resource_id)
);

-- The appointments that are held or booked, and no others.
CREATE TABLE {schema}.appointments (
    tenant_id       text        NOT NULL,
    appointment_id  uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,
    hold_expires_at timestamptz,
    service_id      uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    -- A text, or what is sealed of it where titles are personal.
    title           json        NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    version         bigint      NOT NULL,
    position        bigint      NOT NULL,
    PRIMARY KEY (tenant_id, appointment_id)
);

-- Each of them under each of its resources.
CREATE TABLE {schema}.uses (
    tenant_id      text        NOT NULL,
    appointment_id uuid        NOT NULL,
    resource_id    uuid        NOT NULL,
    start_at       timestamptz NOT NULL,
    end_at         timestamptz NOT NULL,
    -- Why the resource cannot be had then; NULL: it can, or that is excused.
    conflict       text        CHECK (conflict IN ('outside-opening-hours', 'resource-retired')),
    excused        text[]      NOT NULL,
    PRIMARY KEY (tenant_id, appointment_id, resource_id)
);
