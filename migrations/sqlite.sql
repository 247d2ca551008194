-- The blocklist of rocket_jwt_extended, for SQLite 3.37 or later.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- Kind of the entry (one byte), then the id: a UUID, or half of a SHA-256 with the
    -- variant bits of no UUID.
    entry   BLOB    NOT NULL PRIMARY KEY CHECK (length(entry) = 17),
    -- A revoked token or an ended session; the row of a live session is not.
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
    -- A subject: tokens issued until then are revoked.
    cut_off INTEGER,
    -- The refresh token of a session that may be exchanged, as the half of `entry` after the kind.
    current_jti BLOB,
    -- The one exchanged last, when, and the seed of the ids that were made then.
    last_jti    BLOB,
    exchanged   INTEGER,
    seed        BLOB,
    -- The exchange that ended the session.
    ended_by    BLOB,
    -- With `sessions`: whose session it is, as the half of `entry` after the kind, when it was used, and
    -- when its newest token expires (NULL is never).
    subject     BLOB,
    seen        INTEGER,
    ends        INTEGER,
    -- When the entry expires; NULL is never.
    expires INTEGER,
    -- When it was last written: more than in any row before.
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS jwt_blocklist_expires ON jwt_blocklist (expires);

CREATE INDEX IF NOT EXISTS jwt_blocklist_changed ON jwt_blocklist (changed);

CREATE INDEX IF NOT EXISTS jwt_blocklist_subject ON jwt_blocklist (subject, entry)
    WHERE subject IS NOT NULL;

-- With `sessions`: what users see of theirs.
CREATE TABLE IF NOT EXISTS jwt_blocklist_details (
    entry   BLOB    NOT NULL PRIMARY KEY REFERENCES jwt_blocklist (entry) ON DELETE CASCADE,
    label   BLOB,
    details BLOB
) STRICT, WITHOUT ROWID;
