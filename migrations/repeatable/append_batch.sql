-- One batch in one statement: what is most likely to be refused first, the end of the log last
-- (docs/adr/0007-a-batch-is-one-statement.md).
--
-- Whoever calls has worked out positions and hashes from where it believes the log to end. The head
-- is moved by compare-and-set (its time is part of that, see store/src/log/commit/outcome.rs): if the log ends elsewhere,
-- nothing has happened (SQLSTATE DB001).
--
-- A batch may be written before the one that it follows on has committed: each holds an advisory
-- lock on the position that it ends at, and waits for the one that it starts from. It never waits for
-- the head itself, which another program may hold that waits for a claim or position of this batch;
-- and if it does not hold the head, for nothing else for long (`patience`).
--
-- Each insert selects from log_heads and its rows are counted: on a cluster that form stays on the
-- tenant's own node and commits in one phase.
--
-- Programs of several versions call this at the same time, and the one that started last has run it: what is
-- changed here, all of them must be able to go on with. What they cannot is another signature, which stands
-- beside this one until a migration drops it.
CREATE OR REPLACE FUNCTION append_batch(
    tenant          text,
    -- where the log ends before the batch, and with it
    old_position    bigint,
    old_hash        bytea,
    old_recorded_at timestamptz,
    new_position    bigint,
    new_hash        bytea,
    new_recorded_at timestamptz,
    -- appointments whose claims are removed before new ones are taken
    released        uuid[],
    new_claims      new_claim[],
    new_answers     new_answer[],
    -- in the order of their positions
    new_events      new_event[],
    -- how long anything is waited for, as a lock_timeout; NULL: as long as the session says
    patience        text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience, true);
    END IF;

    -- What is acknowledged is on disk, whatever the server, the database or the role says by default. What is
    -- stronger, and waits for a standby, is left as it is.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended(tenant, new_position));
    PERFORM FROM log_heads
      WHERE tenant_id = tenant
        AND (position > old_position
             OR position = old_position AND (hash, recorded_at) <> (old_hash, old_recorded_at));
    IF FOUND THEN
        RAISE EXCEPTION 'the log of % goes on after %', tenant, old_position
            USING ERRCODE = 'DB001';
    END IF;

    IF cardinality(released) > 0 THEN
        DELETE FROM claims c USING unnest(released) AS r (appointment_id)
         WHERE c.tenant_id = tenant AND c.appointment_id = r.appointment_id;
    END IF;

    IF cardinality(new_claims) > 0 THEN
        INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during, expires_at)
        SELECT h.tenant_id, n.appointment_id, n.resource_id, n.seat, n.during, n.expires_at
          FROM log_heads h, unnest(new_claims) AS n
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(new_claims) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    IF cardinality(new_answers) > 0 THEN
        INSERT INTO commands (tenant_id, idempotency_key, fingerprint, aggregate_id, version,
                              position, refusal, recorded_at)
        SELECT h.tenant_id, n.idempotency_key, n.fingerprint, n.aggregate_id, n.version,
               n.position, n.refusal, new_recorded_at
          FROM log_heads h, unnest(new_answers) AS n
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(new_answers) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    IF cardinality(new_events) > 0 THEN
        INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                            event_version, payload, metadata, recorded_at, hash)
        SELECT h.tenant_id, n.position, n.aggregate_type, n.aggregate_id, n.sequence, n.event_type,
               n.event_version, n.payload, n.metadata, new_recorded_at, n.hash
          FROM log_heads h, unnest(new_events) AS n
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(new_events) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    -- Until what this follows on has committed, or can no longer. Only then it is looked whether the log
    -- ends where it is to: asked the other way round, the one before could commit between the two questions.
    FOR attempt IN 1 .. 30 LOOP
        PERFORM FROM log_heads WHERE tenant_id = tenant AND position < old_position;
        EXIT WHEN NOT FOUND;
        IF attempt = 30 THEN
            RAISE EXCEPTION 'the log of % does not reach %', tenant, old_position
                USING ERRCODE = 'DB001';
        END IF;
        IF attempt > 1 THEN
            -- On a busy machine the batch that this one follows on may not have begun.
            PERFORM pg_sleep(0.001);
        END IF;
        PERFORM pg_advisory_lock_shared(hashtextextended(tenant, old_position));
        PERFORM pg_advisory_unlock_shared(hashtextextended(tenant, old_position));
    END LOOP;
    -- In a statement of its own, which sees what has committed until now: the log ends here, or
    -- nothing has happened.
    PERFORM FROM log_heads
      WHERE tenant_id = tenant AND position = old_position AND hash = old_hash
        AND recorded_at = old_recorded_at
        FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log of % does not end at %', tenant, old_position
            USING ERRCODE = 'DB001';
    END IF;
    UPDATE log_heads
       SET position = new_position, hash = new_hash, recorded_at = new_recorded_at, active = true
     WHERE tenant_id = tenant AND position = old_position AND hash = old_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log of % moved under its lock', tenant USING ERRCODE = 'DB001';
    END IF;
END
$$;
