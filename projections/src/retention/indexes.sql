-- Who is to be erased, those who are idle longest first; and who would be but for what keeps them.
CREATE INDEX clients_idle
    ON {schema}.clients (tenant_id, idle_since, client_id)
    WHERE NOT (restricted OR on_legal_hold OR erased);

CREATE INDEX clients_kept
    ON {schema}.clients (tenant_id, idle_since) WHERE (restricted OR on_legal_hold) AND NOT erased;
