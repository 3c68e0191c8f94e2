-- The key of each person whose data is in a log, wrapped by a master key that the database never has.
--
-- A subject has one key, for ever: once it is destroyed (wrapped is NULL) what it sealed is erased, and nothing is sealed
-- for that subject again. The nil subject is the tenant itself: tokens are made with its key.
CREATE TABLE personal_keys (
    tenant_id     text        NOT NULL,
    key_id        uuid        NOT NULL,
    subject_id    uuid        NOT NULL,
    wrapped       bytea,
    master_key_id text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    destroyed_at  timestamptz,
    PRIMARY KEY (tenant_id, key_id),
    UNIQUE (tenant_id, subject_id),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- What is to be wrapped anew when a master key is rotated.
CREATE INDEX personal_keys_living ON personal_keys (master_key_id, tenant_id, key_id) WHERE wrapped IS NOT NULL;

-- The master keys that wrap them, by id: a program that has none of these must not make another one by mistake.
CREATE TABLE master_keys (
    master_key_id text        NOT NULL PRIMARY KEY,
    created_at    timestamptz NOT NULL DEFAULT now()
);
