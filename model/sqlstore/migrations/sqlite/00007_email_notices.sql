-- +goose Up
-- An address may belong to several accounts. must_change_password shuts the
-- password out until there is another one.
ALTER TABLE accounts ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email_verified BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN must_change_password BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE devices ADD COLUMN new_until BIGINT;

-- A place is a device key, or what stands for the address of a caller without a
-- Client-Id. It outlives the row of its device.
CREATE TABLE places (
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    place       TEXT   NOT NULL,
    seen_at     BIGINT NOT NULL,
    PRIMARY KEY (account_key, place)
) WITHOUT ROWID;
INSERT INTO places (account_key, place, seen_at) SELECT account_key, key, seen_at FROM devices;

-- One-time links, by the SHA-256 of their token.
CREATE TABLE links (
    hash        TEXT   NOT NULL PRIMARY KEY,
    purpose     TEXT   NOT NULL,
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    device_key  TEXT   NOT NULL,
    user_agent  TEXT   NOT NULL,
    ip          TEXT   NOT NULL,
    email       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
) WITHOUT ROWID;
CREATE INDEX links_account ON links (account_key, purpose, created_at);
CREATE INDEX links_expiry ON links (expires_at);

-- What waits to be sent. The payload is sealed.
CREATE TABLE notices (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    channel     TEXT   NOT NULL,
    payload     TEXT   NOT NULL,
    tries       BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX notices_next ON notices (next_at);

-- +goose Down
DROP TABLE notices;
DROP TABLE links;
DROP TABLE places;
ALTER TABLE devices DROP COLUMN new_until;
ALTER TABLE accounts DROP COLUMN must_change_password;
ALTER TABLE accounts DROP COLUMN email_verified;
ALTER TABLE accounts DROP COLUMN email;
