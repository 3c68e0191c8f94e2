-- Why these, and no others: docs/adr/0006-search-index.md.
-- What takes longest stands first: a rebuild makes the others beside it.

-- Every combination of filters. New entries gather in a list, which each query reads as well, and are
-- sorted in together: half the cost of one by one. That is done beside the batches, once a second
-- (`Search::maintenance`). At 8 MiB, if ever, a batch would have to do it.
CREATE INDEX appointments_terms
    ON search_3.appointments USING gin (terms)
    WITH (fastupdate = on, gin_pending_list_limit = 8192);

CREATE UNIQUE INDEX appointments_pkey ON search_3.appointments (tenant_id, appointment_id);

ALTER TABLE search_3.listed
    ADD PRIMARY KEY (tenant_id, listed_under, start_at, appointment_id);

-- The order of every page, read without the table.
CREATE INDEX appointments_start
    ON search_3.appointments (tenant_id, start_at, appointment_id)
    INCLUDE (marks, low_word_marks, high_word_marks);

-- Where the appointments of a status begin: the past has few that are booked.
CREATE INDEX appointments_status
    ON search_3.appointments (tenant_id, status, start_at, appointment_id);

-- What to expire next.
CREATE INDEX appointments_holds
    ON search_3.appointments (tenant_id, hold_expires_at) WHERE status = 'held';

-- At once, when all others are done.
ALTER TABLE search_3.appointments
    ADD CONSTRAINT appointments_pkey PRIMARY KEY USING INDEX appointments_pkey;
