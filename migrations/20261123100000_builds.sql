-- Projections that are being made, beside those that are read, and who reads which.
--
-- None of this is a tenant's: tables of projections are made for all tenants at once.

-- What is being made, or is to be. What has been made has no row.
CREATE TABLE builds (
    -- The schema in which its tables are until they are whole.
    schema_name  text        NOT NULL PRIMARY KEY,
    projection   text        NOT NULL,
    version      integer     NOT NULL,
    -- What is done at present; NULL: nobody has begun.
    phase        text        CHECK (phase IN ('filling', 'indexing', 'following')),
    requested_at timestamptz NOT NULL,
    started_at   timestamptz,
    -- It was called off, and is not to be begun again by itself.
    cancelled_at timestamptz,
    -- Why it stands still.
    failure      text
);

-- How far each tenant's rows are.
CREATE TABLE build_tenants (
    schema_name text   NOT NULL,
    tenant_id   text   NOT NULL,
    -- Where the log ended when it began: whole streams are folded up to there.
    target      bigint NOT NULL,
    -- How far the rows are; NULL: streams are being folded.
    position    bigint,
    PRIMARY KEY (schema_name, tenant_id)
);

-- What is done: streams that follow each other, and statements. A row is written in the transaction
-- of what it stands for, so that nothing is done twice, whoever does it.
CREATE TABLE build_parts (
    schema_name text    NOT NULL,
    tenant_id   text    NOT NULL,
    -- The aggregates' type, or 'index'.
    kind        text    NOT NULL,
    -- Of streams: the last one before them, and the last one of them.
    after       text    NOT NULL,
    upto        text    NOT NULL,
    more        boolean NOT NULL,
    events      bigint  NOT NULL,
    PRIMARY KEY (schema_name, tenant_id, kind, after)
);

-- Which programs read which version, and when they last said so.
CREATE TABLE projection_readers (
    program    uuid        NOT NULL,
    projection text        NOT NULL,
    version    integer     NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (program, projection, version)
);
