-- What is due first, of all tenants: what was never begun, and the others.
CREATE INDEX notices_planned
    ON {schema}.notices (next_at) INCLUDE (tenant_id, notice_id)
    WHERE status = 'planned' AND next_at IS NOT NULL;

CREATE INDEX notices_open
    ON {schema}.notices (next_at) INCLUDE (tenant_id, notice_id)
    WHERE status <> 'planned' AND next_at IS NOT NULL;
