-- The events of a tenant's resources in the order of the log: what the directory of resources is read
-- from (store/src/engine/directory.rs). Appointments, nearly all of the log, are not in it.
--
-- The collation is what keeps the other indexes away from that query: for a tenant that is newer than
-- the statistics, the planner takes them to be as good, and they have all of the tenant's events.
CREATE INDEX events_of_resources ON events (tenant_id COLLATE "C", position)
    WHERE aggregate_type = 'resource';
