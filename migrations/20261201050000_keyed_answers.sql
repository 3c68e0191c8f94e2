-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- A key that replaces another is given that one's answers: all of a line are one, by the first of them.
ALTER TABLE api_keys ADD COLUMN lineage uuid;

WITH RECURSIVE line (tenant_id, key_id, lineage) AS (
    SELECT tenant_id, key_id, key_id FROM api_keys WHERE replaces IS NULL
    UNION ALL
    SELECT k.tenant_id, k.key_id, l.lineage
      FROM line l JOIN api_keys k ON k.tenant_id = l.tenant_id AND k.replaces = l.key_id
)
UPDATE api_keys k SET lineage = l.lineage FROM line l
 WHERE k.tenant_id = l.tenant_id AND k.key_id = l.key_id AND k.replaces IS NOT NULL;

-- Until when answers may stand under idempotency keys in clear, of programs of before: as long as answers are kept. One row,
-- or none: there were no tenants before.
CREATE TABLE answers_in_clear (until timestamptz NOT NULL PRIMARY KEY);

INSERT INTO answers_in_clear (until)
SELECT now() + interval '31 days' WHERE EXISTS (SELECT FROM tenants);
