-- The blocklist of rocket_jwt_extended, for MySQL 8 or MariaDB 10.5, or later versions.
-- Times are milliseconds since the Unix epoch.

-- One row, which is restored if it is missing. Each change has the number of the epoch in which it
-- was made.
CREATE TABLE IF NOT EXISTS jwt_blocklist_epoch (
    one   TINYINT         NOT NULL PRIMARY KEY,
    epoch BIGINT          NOT NULL,
    -- Random marks of the servers that advanced the epoch.
    marks VARBINARY(4096) NOT NULL
) ENGINE = InnoDB;

INSERT IGNORE INTO jwt_blocklist_epoch (one, epoch, marks) VALUES (1, 1, '');

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- The kind of the entry (one byte), then the id (sixteen bytes): a UUID, or half of a SHA-256
    -- with variant bits that no UUID has.
    entry   BINARY(17) NOT NULL PRIMARY KEY,
    -- True for a revoked token or an ended session, false for a live session.
    revoked BOOLEAN    NOT NULL,
    -- For a subject or for everything: tokens issued until this time are revoked.
    cut_off BIGINT     NULL,
    -- For a session: the refresh token that may be exchanged, in the form of `entry` without the
    -- kind.
    current_jti BINARY(16) NULL,
    -- The refresh token that was exchanged last, the time of that exchange, and the seed of the new
    -- ids.
    last_jti    BINARY(16) NULL,
    exchanged   BIGINT NULL,
    seed        BINARY(16) NULL,
    -- The exchange that ended the session.
    ended_by    BINARY(16) NULL,
    -- With the setting `sessions`: the owner, in the form of `entry` without the kind, the time of
    -- the latest use, and the time when the newest token expires (NULL means never).
    subject     BINARY(16) NULL,
    seen        BIGINT NULL,
    ends        BIGINT NULL,
    -- When the entry expires; NULL means never.
    expires BIGINT     NULL,
    -- The epoch of the last write.
    changed BIGINT     NOT NULL,
    INDEX jwt_blocklist_expires (expires),
    INDEX jwt_blocklist_changed (changed),
    INDEX jwt_blocklist_subject (subject, revoked, entry)
) ENGINE = InnoDB;

-- With the setting `sessions`: the label and details that users see.
CREATE TABLE IF NOT EXISTS jwt_blocklist_details (
    entry   BINARY(17)      NOT NULL PRIMARY KEY,
    label   VARBINARY(128)  NULL,
    details VARBINARY(1024) NULL,
    FOREIGN KEY (entry) REFERENCES jwt_blocklist (entry) ON DELETE CASCADE
) ENGINE = InnoDB;
