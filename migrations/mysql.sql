-- The blocklist of rocket_jwt_extended, for MySQL 8 or MariaDB 10.5, or later ones.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE IF NOT EXISTS jwt_blocklist (
    -- Kind of the entry (one byte), then the id: a UUID, or half of a SHA-256.
    entry   BINARY(17) NOT NULL PRIMARY KEY,
    -- A revoked token or an ended session.
    revoked BOOLEAN    NOT NULL,
    -- A subject: tokens issued until then are dead.
    cut_off BIGINT     NULL,
    -- A refresh token: first used then.
    used    BIGINT     NULL,
    -- When the entry may leave; NULL is never.
    expires BIGINT     NULL,
    -- Last written, by the server's clock.
    changed BIGINT     NOT NULL,
    INDEX jwt_blocklist_expires (expires),
    INDEX jwt_blocklist_changed (changed)
) ENGINE = InnoDB;
