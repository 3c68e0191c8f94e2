-- Each document is what the domain serialises: lists give it whole, and nothing searches in it, but by terms.

CREATE TABLE {schema}.services (
    tenant_id  text   NOT NULL,
    service_id uuid   NOT NULL,
    terms      json   NOT NULL,
    status     text   NOT NULL CHECK (status IN ('active', 'retired')),
    -- The stream's sequence, and the log's position, of its last event.
    version    bigint NOT NULL,
    position   bigint NOT NULL,
    -- When its first and its last event were recorded.
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- What it is found by: see catalogue/facets.rs.
    found_by   bigint[] NOT NULL,
    PRIMARY KEY (tenant_id, service_id)
);

CREATE TABLE {schema}.resources (
    tenant_id   text   NOT NULL,
    resource_id uuid   NOT NULL,
    profile     json   NOT NULL,
    status      text   NOT NULL CHECK (status IN ('active', 'retired')),
    version     bigint NOT NULL,
    position    bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    found_by    bigint[] NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
);

CREATE TABLE {schema}.clients (
    tenant_id text   NOT NULL,
    client_id uuid   NOT NULL,
    contact   json   NOT NULL,
    status    text   NOT NULL CHECK (status IN ('active', 'restricted', 'retired')),
    version   bigint NOT NULL,
    position  bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    found_by  bigint[] NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
);

COMMENT ON TABLE {schema}.clients IS 'Personal data. No other table of a projection has any.';

COMMENT ON COLUMN {schema}.clients.contact IS 'Personal data: name, e-mail, phone, notes, reference, metadata.';

COMMENT ON COLUMN {schema}.clients.found_by IS 'Personal data: hashes of the words of the name, of e-mail, phone, reference and metadata.';
