-- One booking of half an hour at random, for pgbench. There are so many half hours that none is
-- drawn twice: pgbench would give up the client whose claim is refused.
\set resource random(1, 100000)
\set half_hour random(1, 100000000)
BEGIN;
INSERT INTO plain_claims
VALUES (:resource, 0,
        tstzrange(to_timestamp(:half_hour * 1800.0), to_timestamp(:half_hour * 1800.0 + 1800)),
        'booked');
INSERT INTO plain_events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                          metadata)
VALUES ('appointment', gen_random_uuid()::text, 1, 'AppointmentBooked', '1',
        '{"resource":"01970000-0000-7000-8000-000000000001","start":"2026-12-01T10:00:00Z","end":"2026-12-01T10:30:00Z","category":"check-up","tags":["adult","first"],"client":"c-17"}',
        '{"actor":"key:17","correlation":"r-4711"}');
COMMIT;
