-- What analysts read. Columns may be added at the end of a view; none is taken away or changed, and each is
-- described in docs/analytics.md. Whoever changes anything here raises `REVISION`.
--
-- Nothing that identifies a person: every member of an event that is shown is named here, for each type of
-- event that has it. Titles, names and reasons are free text, and are not shown.

CREATE OR REPLACE VIEW analytics.events AS
SELECT e.tenant_id,
       e.position,
       e.recorded_at,
       e.aggregate_type,
       split_part(e.aggregate_id, '/', 2)::uuid AS aggregate_id,
       e.sequence,
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
       CASE WHEN slot.has THEN (e.payload -> 'slot' -> 'during' ->> 'start')::timestamptz END AS start_at,
       CASE WHEN slot.has THEN (e.payload -> 'slot' -> 'during' ->> 'end')::timestamptz END AS end_at,
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
       END AS side,
       CASE
           WHEN e.event_type = 'AppointmentHeld' THEN (e.payload ->> 'expires_at')::timestamptz
           WHEN e.event_type IN ('AppointmentRescheduled', 'AppointmentReassigned')
               THEN (e.payload ->> 'hold_expires_at')::timestamptz
       END AS hold_expires_at,
       CASE
           WHEN e.event_type IN ('AppointmentBooked', 'AppointmentHeld')
               THEN coalesce((e.payload ->> 'imported')::boolean, false)
       END AS imported
  FROM events e
 CROSS JOIN LATERAL (
       SELECT e.event_type IN ('AppointmentBooked', 'AppointmentHeld', 'AppointmentConfirmed',
                               'AppointmentRescheduled', 'AppointmentReassigned', 'SessionScheduled',
                               'SessionRescheduled') AS has
       ) slot;

CREATE OR REPLACE VIEW analytics.appointments AS
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
       h.booked_at,
       h.times_moved,
       h.cancelled_by,
       h.cancelled_at,
       a.version,
       a.position
  FROM search_2.appointments a
  LEFT JOIN client_history_1.appointments h USING (tenant_id, appointment_id);

CREATE OR REPLACE VIEW analytics.appointments_over_time AS
WITH happened AS (
    SELECT e.tenant_id,
           e.aggregate_id,
           e.sequence,
           e.position,
           e.recorded_at,
           CASE e.event_type
               WHEN 'AppointmentHeld' THEN 'held'
               WHEN 'AppointmentBooked' THEN 'booked'
               WHEN 'AppointmentConfirmed' THEN 'booked'
               WHEN 'AppointmentCancelled' THEN 'cancelled'
               WHEN 'AppointmentHoldExpired' THEN 'cancelled'
               WHEN 'AppointmentCheckedIn' THEN 'checked-in'
               WHEN 'AppointmentCompleted' THEN 'fulfilled'
               WHEN 'AppointmentMarkedNoShow' THEN 'no-show'
           END AS status,
           e.start_at,
           e.end_at,
           e.resource_ids,
           e.service_id,
           e.client_id,
           e.category,
           e.tags
      FROM analytics.events e
     WHERE e.aggregate_type = 'appointment'
), numbered AS (
    -- Whatever an event says nothing of stays as the last that said so left it.
    SELECT h.*,
           count(h.status) OVER so_far AS nth_status,
           count(h.start_at) OVER so_far AS nth_slot,
           count(h.category) OVER so_far AS nth_category,
           lead(h.recorded_at) OVER (PARTITION BY h.tenant_id, h.aggregate_id ORDER BY h.sequence) AS next_at,
           lead(h.position) OVER (PARTITION BY h.tenant_id, h.aggregate_id ORDER BY h.sequence) AS next_position
      FROM happened h
    WINDOW so_far AS (PARTITION BY h.tenant_id, h.aggregate_id ORDER BY h.sequence)
)
SELECT n.tenant_id,
       n.aggregate_id AS appointment_id,
       n.sequence AS version,
       n.position AS from_position,
       n.next_position AS to_position,
       n.recorded_at AS valid_from,
       n.next_at AS valid_to,
       first_value(n.status) OVER last_status AS status,
       first_value(n.start_at) OVER last_slot AS start_at,
       first_value(n.end_at) OVER last_slot AS end_at,
       first_value(n.service_id) OVER whole AS service_id,
       first_value(n.client_id) OVER whole AS client_id,
       first_value(n.resource_ids) OVER last_slot AS resource_ids,
       first_value(n.category) OVER last_category AS category,
       first_value(n.tags) OVER last_category AS tags
  FROM numbered n
WINDOW whole AS (PARTITION BY n.tenant_id, n.aggregate_id ORDER BY n.sequence),
       last_status AS (PARTITION BY n.tenant_id, n.aggregate_id, n.nth_status ORDER BY n.sequence),
       last_slot AS (PARTITION BY n.tenant_id, n.aggregate_id, n.nth_slot ORDER BY n.sequence),
       last_category AS (PARTITION BY n.tenant_id, n.aggregate_id, n.nth_category ORDER BY n.sequence);

CREATE OR REPLACE VIEW analytics.utilisation AS
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
  FROM utilisation_1.offered o
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
  FROM utilisation_1.taken t
 GROUP BY t.tenant_id, t.day, t.resource_id, t.service_id, t.category;
