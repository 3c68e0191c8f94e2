CREATE TABLE search_3.appointments (
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
    -- What it can be found by: see search/terms.rs.
    terms           bigint[]    NOT NULL,
    -- The words of its title: see search/words.rs.
    words           text        NOT NULL,
    -- Whether it can be what is searched for, as bits: see search/marks.rs.
    marks           bigint      NOT NULL,
    low_word_marks  bigint      NOT NULL,
    high_word_marks bigint      NOT NULL
) WITH (
    -- A walk looks into the table where its pages were changed after the last vacuum.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- The appointments of each client and resource, in the order of a page.
CREATE TABLE search_3.listed (
    tenant_id       text        NOT NULL,
    -- The id of the client or the resource.
    listed_under    uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    appointment_id  uuid        NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);
