-- What an import was asked for: the same idempotency key must not name two. NULL: of a program that did not keep it.
ALTER TABLE imports ADD COLUMN fingerprint bytea;
