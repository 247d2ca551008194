-- The blocklist of rocket_jwt_extended, for PostgreSQL 12 or later.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- Kind of the entry (one byte), then the id: a UUID, or half of a SHA-256 with the
    -- variant bits of no UUID.
    entry   bytea   NOT NULL PRIMARY KEY CHECK (octet_length(entry) = 17),
    -- A revoked token or an ended session.
    revoked boolean NOT NULL,
    -- A subject: tokens issued until then are dead.
    cut_off bigint,
    -- A refresh token: first used then.
    used    bigint,
    -- When the entry may leave; NULL is never.
    expires bigint,
    -- The transaction that last wrote it.
    changed bigint  NOT NULL
);

CREATE INDEX IF NOT EXISTS jwt_blocklist_expires ON jwt_blocklist (expires);

CREATE INDEX IF NOT EXISTS jwt_blocklist_changed ON jwt_blocklist (changed);
