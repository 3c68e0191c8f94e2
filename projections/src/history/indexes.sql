-- Why these, and no others: docs/adr/0017-what-was-is-kept-in-rows.md.
-- What takes longest stands first: a rebuild makes the others beside it.

-- Every combination of filters; `History::maintenance` sorts new entries in.
CREATE INDEX appointments_terms
    ON history_2.appointments USING gin (terms)
    WITH (fastupdate = on, gin_pending_list_limit = 8192);

CREATE UNIQUE INDEX appointments_pkey
    ON history_2.appointments (tenant_id, appointment_id, position);

ALTER TABLE history_2.listed
    ADD PRIMARY KEY (tenant_id, listed_under, start_at, appointment_id) INCLUDE (busy_until);

-- The order of every page, read without the table.
CREATE INDEX appointments_start
    ON history_2.appointments (tenant_id, start_at, appointment_id)
    INCLUDE (position, marks, low_word_marks, high_word_marks);

-- What has begun too long before a day to be looked for by its start.
CREATE INDEX listed_long
    ON history_2.listed (tenant_id, listed_under, busy_until) WHERE long;

ALTER TABLE history_2.sessions ADD PRIMARY KEY (tenant_id, session_id, position);

-- The sessions of some days.
CREATE INDEX sessions_start ON history_2.sessions (tenant_id, start_at);

-- At once, when all others are done.
ALTER TABLE history_2.appointments
    ADD CONSTRAINT appointments_pkey PRIMARY KEY USING INDEX appointments_pkey;
