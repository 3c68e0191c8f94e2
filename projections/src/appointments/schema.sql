-- Every appointment as it was from one event of it to the next; what no event has ended yet is how it is now.
-- Personal data only as ciphertext: who a client is, the catalogue knows.
CREATE TABLE {schema}.appointments (
    tenant_id       text        NOT NULL,
    appointment_id  uuid        NOT NULL,
    -- The event that made it so, and the one that made it otherwise; none: it is so now.
    position        bigint      NOT NULL,
    recorded_at     timestamptz NOT NULL,
    -- When the first event of the appointment was recorded.
    created_at      timestamptz NOT NULL,
    until_position  bigint      CHECK (until_position > position),
    until_at        timestamptz CHECK ((until_at IS NULL) = (until_position IS NULL)),
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,
    status          text        NOT NULL
        CHECK (status IN ('held', 'booked', 'checked-in', 'fulfilled', 'cancelled', 'no-show')),
    -- When the hold lapses; only of a held one.
    hold_expires_at timestamptz CHECK ((hold_expires_at IS NOT NULL) = (status = 'held')),
    category        text        NOT NULL,
    tags            text[]      NOT NULL,
    service_id      uuid        NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    client_id       uuid        NOT NULL,
    -- A text, or what is sealed of it where titles are personal.
    title           json        NOT NULL,
    location        text,
    -- What the caller's own system calls it, and what they keep with it: pairs of texts.
    reference       text,
    metadata        json        NOT NULL,
    -- The stream's sequence of the event that made it so.
    version         bigint      NOT NULL,
    -- Its time with its buffers, and its place of each resource.
    busy_from       timestamptz NOT NULL,
    busy_until      timestamptz NOT NULL,
    seats           smallint[]  NOT NULL,
    -- The session that it is in, and that has the resources.
    session_id      uuid,
    -- NULL: a hold, or one that came to nothing.
    booked_at       timestamptz,
    times_moved     integer     NOT NULL,
    cancelled_by    text        CHECK (cancelled_by IN ('client', 'staff', 'system')),
    cancelled_at    timestamptz,
    -- Whether the client's side did so although the window for that had closed.
    cancelled_late  boolean     NOT NULL,
    -- What it can be found by: see search/terms.rs.
    terms           bigint[]    NOT NULL,
    -- Its category, its tags and the words of a public title, folded: see search/words.rs.
    folded_category text        NOT NULL,
    folded_tags     text[]      NOT NULL,
    words           text        NOT NULL,
    -- What stands for the words of a personal title, until its client is erased: see search/tokens.rs.
    word_tokens     bigint[]    NOT NULL,
    -- Whether it can be what is searched for, as bits: see search/signature.rs.
    signature           bigint  NOT NULL,
    low_word_signature  bigint  NOT NULL,
    high_word_signature bigint  NOT NULL
) WITH (
    -- A scan of an index looks into the table where its pages were changed after the last vacuum.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- Where the appointments of each party are or were, in the order of a page: a party is a client or a resource. An
-- entry stays: whether it is valid at a moment, the rows say.
CREATE TABLE {schema}.appointments_by_party (
    tenant_id       text        NOT NULL,
    party_id        uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    appointment_id  uuid        NOT NULL,
    -- The end of its time with its buffers.
    busy_until      timestamptz NOT NULL,
    -- Whether that is so long after the start that a query of a day would miss it.
    long            boolean     NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02
);

-- How many appointments have a status now, by day of the start in UTC; since when there were any, and until when
-- those were valid that no longer are.
CREATE TABLE {schema}.status_day_counts (
    tenant_id      text   NOT NULL,
    status         text   NOT NULL,
    day            date   NOT NULL,
    count          bigint NOT NULL,
    first_position bigint NOT NULL,
    last_until     bigint,
    PRIMARY KEY (tenant_id, status, day)
) WITH (fillfactor = 50); -- updated by most batches: room for HOT updates

-- Every session as it was from one event of it to the next.
CREATE TABLE {schema}.sessions (
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
