-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- What a tenant has chosen, for all programs. NULL: as the program has it.
ALTER TABLE tenants
    ADD COLUMN holds_per_client   integer,
    ADD COLUMN offer_minutes      integer,
    ADD COLUMN waiting_per_client integer,
    ADD COLUMN waiting_list       integer;
