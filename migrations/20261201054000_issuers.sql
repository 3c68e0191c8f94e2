-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Whom a tenant trusts to say who calls: the issuers of access tokens (RFC 9068).
--
-- A token is of the tenant whose row has its issuer and its audience: so no two tenants have the same ones.
CREATE TABLE issuers (
    tenant_id   text        NOT NULL,
    issuer_id   uuid        NOT NULL,
    issuer      text        NOT NULL,
    audience    text        NOT NULL,
    -- Of JOSE: RS256, PS256, ES256, EdDSA.
    algorithms  text[]      NOT NULL,
    -- Of tokens: at+jwt, JWT.
    token_types text[]      NOT NULL,
    -- Which claims give which scopes (store/src/issuers/grants.rs).
    grants      jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, issuer_id)
);

-- A token is looked up by what it says of itself, which is no tenant.
CREATE UNIQUE INDEX issuers_of_tokens ON issuers (issuer, audience);
