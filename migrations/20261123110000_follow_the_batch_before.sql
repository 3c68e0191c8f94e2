-- A batch waits for the one before it, and only then looks whether the log ends where it is to.
--
-- The function asked for both in the other order: a batch whose predecessor committed between the
-- two questions found the log neither there yet nor before it, and was done again, with the 32 that
-- came after it, the careful way. All else is as it was (20261122110000_append_batch.sql).
CREATE OR REPLACE FUNCTION append_batch(
    -- how long anything is waited for, as a lock_timeout; NULL: as long as the session says
    patience            text,
    tenant              text,
    old_position        bigint,
    old_hash            bytea,
    old_recorded_at     timestamptz,
    new_position        bigint,
    new_hash            bytea,
    at                  timestamptz,
    -- appointments whose claims are removed
    released            uuid[],
    -- claims, one element each
    claim_appointments  uuid[],
    claim_resources     uuid[],
    claim_seats         smallint[],
    claim_starts        timestamptz[],
    claim_ends          timestamptz[],
    claim_expiries      timestamptz[],
    -- answers to idempotency keys, one element each
    answer_keys         text[],
    answer_fingerprints bytea[],
    answer_ids          uuid[],
    answer_versions     bigint[],
    answer_positions    bigint[],
    answer_refusals     text[],
    -- events, one element each, in the order of their positions
    event_kinds         text[],
    event_ids           text[],
    event_sequences     bigint[],
    event_types         text[],
    event_versions      text[],
    event_payloads      text[],
    event_metadata      text[],
    event_hashes        bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    IF patience IS NOT NULL THEN
        PERFORM set_config('lock_timeout', patience, true);
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

    IF cardinality(claim_appointments) > 0 THEN
        INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during, expires_at)
        SELECT h.tenant_id, u.appointment_id, u.resource_id, u.seat,
               tstzrange(u.starts_at, u.ends_at), u.expires_at
          FROM log_heads h,
               unnest(claim_appointments, claim_resources, claim_seats, claim_starts, claim_ends,
                      claim_expiries)
               AS u (appointment_id, resource_id, seat, starts_at, ends_at, expires_at)
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(claim_appointments) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    IF cardinality(answer_keys) > 0 THEN
        INSERT INTO commands (tenant_id, idempotency_key, fingerprint, aggregate_id, version,
                              position, refusal, recorded_at)
        SELECT h.tenant_id, u.key, u.fingerprint, u.id, u.version, u.position, u.refusal::json, at
          FROM log_heads h,
               unnest(answer_keys, answer_fingerprints, answer_ids, answer_versions,
                      answer_positions, answer_refusals)
               AS u (key, fingerprint, id, version, position, refusal)
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(answer_keys) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    IF cardinality(event_kinds) > 0 THEN
        INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                            event_version, payload, metadata, recorded_at, hash)
        SELECT h.tenant_id, old_position + u.n, u.kind, u.id, u.sequence, u.event_type,
               u.event_version, u.payload::json, u.metadata::json, at, u.hash
          FROM log_heads h,
               unnest(event_kinds, event_ids, event_sequences, event_types, event_versions,
                      event_payloads, event_metadata, event_hashes) WITH ORDINALITY
               AS u (kind, id, sequence, event_type, event_version, payload, metadata, hash, n)
         WHERE h.tenant_id = tenant;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(event_kinds) THEN
            RAISE EXCEPTION 'the log of % has no head', tenant USING ERRCODE = 'DB001';
        END IF;
    END IF;

    -- Until what this follows on has committed, or can no longer.
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
    UPDATE log_heads SET position = new_position, hash = new_hash, recorded_at = at
     WHERE tenant_id = tenant AND position = old_position AND hash = old_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log of % moved under its lock', tenant USING ERRCODE = 'DB001';
    END IF;
END
$$;
