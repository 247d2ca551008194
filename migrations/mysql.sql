-- The blocklist of rocket_jwt_extended, for MySQL 8 or MariaDB 10.5, or later ones.
-- Times are milliseconds since the Unix epoch.

-- One row, which is restored if it is missing: each change is numbered by the epoch it was made in.
CREATE TABLE IF NOT EXISTS jwt_blocklist_epoch (
    one   TINYINT         NOT NULL PRIMARY KEY,
    epoch BIGINT          NOT NULL,
    -- Left by servers that advanced it.
    marks VARBINARY(4096) NOT NULL
) ENGINE = InnoDB;

INSERT IGNORE INTO jwt_blocklist_epoch (one, epoch, marks) VALUES (1, 1, '');

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- Kind of the entry (one byte), then the id: a UUID, or half of a SHA-256 with the
    -- variant bits of no UUID.
    entry   BINARY(17) NOT NULL PRIMARY KEY,
    -- A revoked token or an ended session; the row of a live session is not.
    revoked BOOLEAN    NOT NULL,
    -- A subject: tokens issued until then are revoked.
    cut_off BIGINT     NULL,
    -- The refresh token of a session that may be exchanged, as the half of `entry` after the kind.
    current_jti BINARY(16) NULL,
    -- The one exchanged last, when, and the seed of the ids that were made then.
    last_jti    BINARY(16) NULL,
    exchanged   BIGINT NULL,
    seed        BINARY(16) NULL,
    -- The exchange that ended the session.
    ended_by    BINARY(16) NULL,
    -- With `sessions`: whose session it is, as the half of `entry` after the kind, when it was used, and
    -- when its newest token expires (NULL is never).
    subject     BINARY(16) NULL,
    seen        BIGINT NULL,
    ends        BIGINT NULL,
    -- When the entry expires; NULL is never.
    expires BIGINT     NULL,
    -- The epoch in which it was last written.
    changed BIGINT     NOT NULL,
    INDEX jwt_blocklist_expires (expires),
    INDEX jwt_blocklist_changed (changed),
    INDEX jwt_blocklist_subject (subject, entry)
) ENGINE = InnoDB;

-- With `sessions`: what users see of theirs.
CREATE TABLE IF NOT EXISTS jwt_blocklist_details (
    entry   BINARY(17)      NOT NULL PRIMARY KEY,
    label   VARBINARY(128)  NULL,
    details VARBINARY(1024) NULL,
    FOREIGN KEY (entry) REFERENCES jwt_blocklist (entry) ON DELETE CASCADE
) ENGINE = InnoDB;
