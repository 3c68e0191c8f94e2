-- Every appointment as it was from one event of it to the next. A row is written once, and closed once:
-- what closes it is in no index, so closing it writes none.
CREATE TABLE history_2.appointments (
    tenant_id       text        NOT NULL,
    appointment_id  uuid        NOT NULL,
    -- The event that made it so, and the one that made it otherwise; none: it is so now.
    position        bigint      NOT NULL,
    recorded_at     timestamptz NOT NULL,
    until_position  bigint      CHECK (until_position > position),
    until_at        timestamptz CHECK ((until_at IS NULL) = (until_position IS NULL)),
    -- As in search_3.appointments.
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,
    status          text        NOT NULL,
    hold_expires_at timestamptz CHECK ((hold_expires_at IS NOT NULL) = (status = 'held')),
    category        text        NOT NULL,
    tags            text[]      NOT NULL,
    service_id      uuid        NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    client_id       uuid        NOT NULL,
    title           text        NOT NULL,
    version         bigint      NOT NULL,
    terms           bigint[]    NOT NULL,
    words           text        NOT NULL,
    marks           bigint      NOT NULL,
    low_word_marks  bigint      NOT NULL,
    high_word_marks bigint      NOT NULL,
    -- Its time with its buffers, and its place of each resource.
    busy_from       timestamptz NOT NULL,
    busy_until      timestamptz NOT NULL,
    seats           smallint[]  NOT NULL,
    -- The session that it is in, and that has the resources.
    session_id      uuid
) WITH (
    -- Room for a row to be closed in its page.
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- Where the appointments of each client and resource are or were, in the order of a page. An entry stays:
-- whether it is valid at a moment, the rows say.
CREATE TABLE history_2.listed (
    tenant_id       text        NOT NULL,
    -- The id of the client or the resource.
    listed_under    uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    appointment_id  uuid        NOT NULL,
    -- The end of its time with its buffers.
    busy_until      timestamptz NOT NULL,
    -- Whether that is so long after the start that a look at a day would miss it.
    long            boolean     NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- Every session as it was from one event of it to the next.
CREATE TABLE history_2.sessions (
    tenant_id       text        NOT NULL,
    session_id      uuid        NOT NULL,
    position        bigint      NOT NULL,
    recorded_at     timestamptz NOT NULL,
    until_position  bigint      CHECK (until_position > position),
    until_at        timestamptz CHECK ((until_at IS NULL) = (until_position IS NULL)),
    start_at        timestamptz NOT NULL,
    busy_until      timestamptz NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    -- The session, whole.
    session         json        NOT NULL,
    version         bigint      NOT NULL
);

-- How many rows of history_2.appointments are valid now, by status and day of the start in UTC; since when
-- there were any, and until when those that are closed were valid.
CREATE TABLE history_2.standing (
    tenant_id      text   NOT NULL,
    status         text   NOT NULL,
    day            date   NOT NULL,
    standing       bigint NOT NULL,
    first_position bigint NOT NULL,
    last_until     bigint,
    PRIMARY KEY (tenant_id, status, day)
) WITH (fillfactor = 50); -- updated by most batches: room for HOT updates
