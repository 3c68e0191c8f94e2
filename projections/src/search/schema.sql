CREATE SCHEMA IF NOT EXISTS search_2;

CREATE TABLE IF NOT EXISTS search_2.appointments (
    tenant_id       text        NOT NULL,
    appointment_id  uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,
    status          text        NOT NULL,
    -- When the hold lapses; only of a held one.
    hold_expires_at timestamptz CHECK ((hold_expires_at IS NOT NULL) = (status = 'held')),
    category        text        NOT NULL,
    tags            text[]      NOT NULL,
    service_id      uuid        NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    client_id       uuid        NOT NULL,
    title           text        NOT NULL,
    -- The stream's sequence, and the log's position, of its last event.
    version         bigint      NOT NULL,
    position        bigint      NOT NULL,
    -- What it can be found by: see search/terms.rs and search/words.rs.
    terms           bigint[]    NOT NULL,
    words           tsvector    NOT NULL,
    -- Whether it can be what is searched for, as bits: see search/marks.rs.
    marks           bigint      NOT NULL,
    low_word_marks  bigint      NOT NULL,
    high_word_marks bigint      NOT NULL,
    PRIMARY KEY (tenant_id, appointment_id)
) WITH (
    -- A walk looks into the table where its pages were changed after the last vacuum.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- Why these, and no others: docs/adr/0006-search-index.md.

-- The order of every page, read without the table.
CREATE INDEX IF NOT EXISTS appointments_start
    ON search_2.appointments (tenant_id, start_at, appointment_id)
    INCLUDE (marks, low_word_marks, high_word_marks);

-- Where the appointments of a status begin: the past has few that are booked.
CREATE INDEX IF NOT EXISTS appointments_status
    ON search_2.appointments (tenant_id, status, start_at, appointment_id);

-- What to expire next.
CREATE INDEX IF NOT EXISTS appointments_holds
    ON search_2.appointments (tenant_id, hold_expires_at) WHERE status = 'held';

-- Every combination of filters. New entries gather in a list, which each query reads as well, and are
-- sorted in together: half the cost of one by one. That is done beside the batches, once a second
-- (`Search::tidy`). At 8 MiB, if ever, a batch would have to do it.
CREATE INDEX IF NOT EXISTS appointments_terms
    ON search_2.appointments USING gin (terms, words)
    WITH (fastupdate = on, gin_pending_list_limit = 8192);

-- The appointments of each client and resource, in the order of a page.
CREATE TABLE IF NOT EXISTS search_2.listed (
    tenant_id       text        NOT NULL,
    -- The id of the client or the resource.
    listed_under    uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    appointment_id  uuid        NOT NULL,
    PRIMARY KEY (tenant_id, listed_under, start_at, appointment_id)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);
