-- The blocklist of rocket_jwt_extended, for PostgreSQL 12 or later.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- Kind of the entry (one byte), then the id: a UUID, or half of a SHA-256 with the
    -- variant bits of no UUID.
    entry   bytea   NOT NULL PRIMARY KEY CHECK (octet_length(entry) = 17),
    -- A revoked token or an ended session; the row of a live session is not.
    revoked boolean NOT NULL,
    -- A subject: tokens issued until then are revoked.
    cut_off bigint,
    -- The refresh token of a session that may be exchanged, as the half of `entry` after the kind.
    current_jti bytea,
    -- The one exchanged last, when, and the seed of the ids that were made then.
    last_jti    bytea,
    exchanged   bigint,
    seed        bytea,
    -- The exchange that ended the session.
    ended_by    bytea,
    -- With `sessions`: whose session it is, as the half of `entry` after the kind, when it was used, and
    -- when its newest token expires (NULL is never).
    subject     bytea,
    seen        bigint,
    ends        bigint,
    -- When the entry expires; NULL is never.
    expires bigint,
    -- The transaction that last wrote it.
    changed bigint  NOT NULL
-- Room in each page, so that an exchange writes no index (heap-only).
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS jwt_blocklist_expires ON jwt_blocklist (expires);

CREATE INDEX IF NOT EXISTS jwt_blocklist_changed ON jwt_blocklist (changed);

CREATE INDEX IF NOT EXISTS jwt_blocklist_subject ON jwt_blocklist (subject, entry)
    WHERE subject IS NOT NULL;

-- With `sessions`: what users see of theirs.
CREATE TABLE IF NOT EXISTS jwt_blocklist_details (
    entry   bytea   NOT NULL PRIMARY KEY REFERENCES jwt_blocklist (entry) ON DELETE CASCADE,
    label   bytea,
    details bytea
);
