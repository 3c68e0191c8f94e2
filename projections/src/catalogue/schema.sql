-- Each document is what the domain serialises: lists give it whole, and nothing searches in it.

CREATE TABLE {schema}.services (
    tenant_id  text   NOT NULL,
    service_id uuid   NOT NULL,
    terms      json   NOT NULL,
    status     text   NOT NULL CHECK (status IN ('active', 'retired')),
    -- The stream's sequence, and the log's position, of its last event.
    version    bigint NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (tenant_id, service_id)
);

CREATE TABLE {schema}.resources (
    tenant_id   text   NOT NULL,
    resource_id uuid   NOT NULL,
    profile     json   NOT NULL,
    status      text   NOT NULL CHECK (status IN ('active', 'retired')),
    version     bigint NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
);

CREATE TABLE {schema}.clients (
    tenant_id text   NOT NULL,
    client_id uuid   NOT NULL,
    contact   json   NOT NULL,
    status    text   NOT NULL CHECK (status = 'active'),
    version   bigint NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
);

COMMENT ON TABLE {schema}.clients IS 'Personal data. No other table of a projection has any.';

COMMENT ON COLUMN {schema}.clients.contact IS 'Personal data: name, e-mail, phone, notes.';
