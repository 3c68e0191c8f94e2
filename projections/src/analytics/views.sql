-- What analysts read. Columns may be added at the end of a view; none is taken away or changed, and each is
-- described in docs/analytics.md; they have the names of docs/api.md. Whoever changes anything here raises `REVISION`.
--
-- Nothing that identifies a person: every member of an event that is shown is named here, for each type of
-- event that has it. Titles, names and reasons are free text, and are not shown.
--
-- Each shows the rows of those tenants alone that whoever asks may see, before any condition of theirs is looked at
-- (`security_barrier`).

-- What older revisions called otherwise: a view is replaced only by one with the same names.
DO $$
DECLARE
    renamed record;
BEGIN
    FOR renamed IN
        SELECT n.view_name, n.old, n.new
          FROM (VALUES ('events', 'sequence', 'version'),
                       ('events', 'side', 'by'),
                       ('appointments_over_time', 'valid_from', 'from_at'),
                       ('appointments_over_time', 'valid_to', 'to_at')) n (view_name, old, new)
          JOIN pg_attribute a ON a.attrelid = to_regclass('analytics.' || n.view_name) AND a.attname = n.old
    LOOP
        EXECUTE format('ALTER VIEW analytics.%I RENAME COLUMN %I TO %I',
                       renamed.view_name, renamed.old, renamed.new);
    END LOOP;
END
$$;

CREATE OR REPLACE VIEW analytics.events WITH (security_barrier) AS
SELECT e.tenant_id,
       e.position,
       e.recorded_at,
       e.aggregate_type,
       split_part(e.aggregate_id, '/', 2)::uuid AS aggregate_id,
       e.sequence AS version,
       e.event_type,
       e.event_version,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'SessionScheduled', 'SeriesBooked')
               THEN (e.payload ->> 'service_id')::uuid
           WHEN e.event_type = 'WaitingListJoined'
               THEN (e.payload -> 'wishes' ->> 'service_id')::uuid
       END AS service_id,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'SeriesBooked', 'WaitingListJoined')
               THEN (e.payload ->> 'client_id')::uuid
       END AS client_id,
       CASE
           WHEN slot.has THEN ARRAY(SELECT json_array_elements_text(e.payload -> 'slot' -> 'resource_ids')::uuid)
       END AS resource_ids,
       CASE WHEN slot.has THEN coalesce(slot.during ->> 'start_at', slot.during ->> 'start')::timestamptz END AS start_at,
       CASE WHEN slot.has THEN coalesce(slot.during ->> 'end_at', slot.during ->> 'end')::timestamptz END AS end_at,
       CASE WHEN slot.has THEN (e.payload -> 'slot' ->> 'session_id')::uuid END AS session_id,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentTagged', 'SessionScheduled',
                                 'ServiceDefined', 'ServiceRevised')
               THEN e.payload ->> 'category'
       END AS category,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentTagged', 'SessionScheduled',
                                 'ServiceDefined', 'ServiceRevised', 'ResourceRegistered')
               THEN ARRAY(SELECT json_array_elements_text(e.payload -> 'tags'))
       END AS tags,
       CASE
           WHEN e.event_type IN ('AppointmentCancelled', 'SeriesCancelled', 'SeriesRescheduled')
               THEN e.payload ->> 'by'
           -- Where nothing is said, it was the client's.
           WHEN e.event_type = 'AppointmentRescheduled' THEN coalesce(e.payload ->> 'by', 'client')
       END AS by,
       CASE
           WHEN e.event_type = 'AppointmentHeld'
               THEN coalesce(e.payload ->> 'hold_expires_at', e.payload ->> 'expires_at')::timestamptz
           WHEN e.event_type IN ('AppointmentRescheduled', 'AppointmentReassigned')
               THEN (e.payload ->> 'hold_expires_at')::timestamptz
       END AS hold_expires_at,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld')
               THEN coalesce((e.payload ->> 'imported')::boolean, false)
       END AS imported,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentDescribed', 'ServiceDefined',
                                 'ServiceRevised')
               THEN e.payload ->> 'location'
       END AS location
  FROM events e
 CROSS JOIN LATERAL (
       SELECT e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentConfirmed',
                               'AppointmentRescheduled', 'AppointmentReassigned', 'SessionScheduled',
                               'SessionRescheduled') AS has,
              -- Events of the first form have `start`, `end`, and `expires_at` of a hold.
              e.payload -> 'slot' -> 'during' AS during
       ) slot
 WHERE (e.tenant_id IN ({seen}) OR '*' IN ({seen}));

CREATE OR REPLACE VIEW analytics.appointments WITH (security_barrier) AS
SELECT a.tenant_id,
       a.appointment_id,
       CASE WHEN a.status = 'held' AND a.hold_expires_at <= now() THEN 'cancelled' ELSE a.status END AS status,
       a.start_at,
       a.end_at,
       a.service_id,
       a.client_id,
       a.resource_ids,
       a.category,
       a.tags,
       a.booked_at,
       a.times_moved,
       a.cancelled_by,
       a.cancelled_at,
       a.version,
       a.position,
       a.location
  FROM {appointments}.appointments a
 WHERE a.until_position IS NULL AND (a.tenant_id IN ({seen}) OR '*' IN ({seen}));

CREATE OR REPLACE VIEW analytics.appointments_over_time WITH (security_barrier) AS
SELECT h.tenant_id,
       h.appointment_id,
       h.version,
       h.position AS from_position,
       h.until_position AS to_position,
       h.recorded_at AS from_at,
       h.until_at AS to_at,
       h.status,
       h.start_at,
       h.end_at,
       h.service_id,
       h.client_id,
       h.resource_ids,
       h.category,
       h.tags,
       h.location
  FROM {appointments}.appointments h
 WHERE (h.tenant_id IN ({seen}) OR '*' IN ({seen}));

CREATE OR REPLACE VIEW analytics.utilisation WITH (security_barrier) AS
SELECT o.tenant_id,
       o.day,
       o.resource_id,
       NULL::uuid AS service_id,
       NULL::text AS category,
       o.minutes AS offered_minutes,
       0::bigint AS booked_minutes,
       0::bigint AS appointments,
       0::bigint AS cancellations,
       0::bigint AS no_shows,
       0::bigint AS lead_minutes,
       0::bigint AS lead_appointments
  FROM {utilisation}.offered o
 WHERE (o.tenant_id IN ({seen}) OR '*' IN ({seen}))
UNION ALL
SELECT t.tenant_id,
       t.day,
       t.resource_id,
       t.service_id,
       t.category,
       0::bigint,
       sum(t.minutes)::bigint,
       count(*) FILTER (WHERE t.begins AND t.status IN ('booked', 'no-show')),
       count(*) FILTER (WHERE t.begins AND t.status = 'cancelled'),
       count(*) FILTER (WHERE t.begins AND t.status = 'no-show'),
       coalesce(sum(t.lead_minutes), 0)::bigint,
       count(t.lead_minutes)
  FROM {utilisation}.taken t
 WHERE (t.tenant_id IN ({seen}) OR '*' IN ({seen}))
 GROUP BY t.tenant_id, t.day, t.resource_id, t.service_id, t.category;
