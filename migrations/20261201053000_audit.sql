-- What was done and who was told what, apart from the tenants' logs: a chain of entries for each tenant, and one for whoever
-- runs daybook, whose tenant is ''. It has ids and no content. See store/src/audit.
--
-- One table, and not a partition a month: months that are kept no longer are deleted by `at`, which rows are in the order of,
-- so that no program needs the right to make tables.
CREATE TABLE audit_entries (
    tenant_id text        NOT NULL,
    seq       bigint      NOT NULL,
    -- What can be asked for; all of it stands in the entry, too.
    at        timestamptz NOT NULL,
    actor     text        NOT NULL,
    kind      text        NOT NULL,
    subjects  uuid[]      NOT NULL,
    -- As JSON, byte for byte: over that the hash is.
    entry     text        NOT NULL,
    previous  bytea       NOT NULL,
    hash      bytea       NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);

CREATE INDEX audit_entries_by_time ON audit_entries (tenant_id, at, seq);
CREATE INDEX audit_entries_of_subject ON audit_entries USING gin (subjects);
CREATE INDEX audit_entries_old ON audit_entries USING brin (at);

-- Where each chain ends, and up to where it was kept long enough.
CREATE TABLE audit_heads (
    tenant_id text   NOT NULL PRIMARY KEY,
    seq       bigint NOT NULL,
    hash      bytea  NOT NULL,
    forgotten bigint NOT NULL DEFAULT 0
);
