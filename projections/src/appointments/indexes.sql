-- Why these, and no others: docs/adr/0006-search-index.md and docs/adr/0017-what-was-is-kept-in-rows.md.
-- What takes longest stands first: a rebuild makes the others beside it.

-- Every combination of filters, of what is so now and of what was. New entries gather in a list, which each query
-- reads as well, and are sorted in together: half the cost of one by one. That is done beside the batches, once a
-- second (`Appointments::maintenance`). At 8 MiB, if ever, a batch would have to do it.
CREATE INDEX current_terms
    ON {schema}.appointments USING gin (terms)
    WITH (fastupdate = on, gin_pending_list_limit = 8192)
    WHERE until_position IS NULL;

CREATE INDEX past_terms
    ON {schema}.appointments USING gin (terms)
    WITH (fastupdate = on, gin_pending_list_limit = 8192)
    WHERE until_position IS NOT NULL;

CREATE UNIQUE INDEX appointments_pkey
    ON {schema}.appointments (tenant_id, appointment_id, position);

ALTER TABLE {schema}.appointments_by_party
    ADD PRIMARY KEY (tenant_id, party_id, start_at, appointment_id) INCLUDE (busy_until);

-- The order of every page, read without the table: of what is so now, and of all that ever was.
CREATE INDEX current_start
    ON {schema}.appointments (tenant_id, start_at, appointment_id)
    INCLUDE (position, signature, low_word_signature, high_word_signature)
    WHERE until_position IS NULL;

CREATE INDEX appointments_start
    ON {schema}.appointments (tenant_id, start_at, appointment_id)
    INCLUDE (position, signature, low_word_signature, high_word_signature);

-- What was made or changed last, of what is so now.
CREATE INDEX current_created
    ON {schema}.appointments (tenant_id, created_at, appointment_id) WHERE until_position IS NULL;

CREATE INDEX current_updated
    ON {schema}.appointments (tenant_id, recorded_at, appointment_id) WHERE until_position IS NULL;

-- What to expire next, of all tenants.
CREATE INDEX current_holds
    ON {schema}.appointments (hold_expires_at) INCLUDE (tenant_id, appointment_id)
    WHERE status = 'held' AND until_position IS NULL;

-- What has begun too long before a day to be looked for by its start.
CREATE INDEX long_by_party
    ON {schema}.appointments_by_party (tenant_id, party_id, busy_until) WHERE long;

ALTER TABLE {schema}.sessions ADD PRIMARY KEY (tenant_id, session_id, position);

-- The sessions of some days.
CREATE INDEX sessions_start ON {schema}.sessions (tenant_id, start_at);

-- At once, when all others are done.
ALTER TABLE {schema}.appointments
    ADD CONSTRAINT appointments_pkey PRIMARY KEY USING INDEX appointments_pkey;
