-- The blocklist of rocket_jwt_extended, for PostgreSQL 12 or later.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- The kind of the entry (one byte), then the id (sixteen bytes): a UUID, or half of a SHA-256
    -- with variant bits that no UUID has.
    entry   bytea   NOT NULL PRIMARY KEY CHECK (octet_length(entry) = 17),
    -- True for a revoked token or an ended session, false for a live session.
    revoked boolean NOT NULL,
    -- For a subject or for everything: tokens issued until this time are revoked.
    cut_off bigint,
    -- For a session: the refresh token that may be exchanged, in the form of `entry` without the
    -- kind.
    current_jti bytea,
    -- The refresh token that was exchanged last, the time of that exchange, and the seed of the new
    -- ids.
    last_jti    bytea,
    exchanged   bigint,
    seed        bytea,
    -- The exchange that ended the session.
    ended_by    bytea,
    -- With the setting `sessions`: the owner, in the form of `entry` without the kind, the time of
    -- the latest use, and the time when the newest token expires (NULL means never).
    subject     bytea,
    seen        bigint,
    ends        bigint,
    -- When the entry expires; NULL means never.
    expires bigint,
    -- The id of the transaction that wrote the row last.
    changed bigint  NOT NULL
-- Free space in each page, so that an exchange is a heap-only update, which writes no index.
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS jwt_blocklist_expires ON jwt_blocklist (expires);

CREATE INDEX IF NOT EXISTS jwt_blocklist_changed ON jwt_blocklist (changed);

CREATE INDEX IF NOT EXISTS jwt_blocklist_subject ON jwt_blocklist (subject, entry)
    WHERE subject IS NOT NULL AND revoked = FALSE;

-- With the setting `sessions`: the label and details that users see.
CREATE TABLE IF NOT EXISTS jwt_blocklist_details (
    entry   bytea   NOT NULL PRIMARY KEY REFERENCES jwt_blocklist (entry) ON DELETE CASCADE,
    label   bytea,
    details bytea
);
