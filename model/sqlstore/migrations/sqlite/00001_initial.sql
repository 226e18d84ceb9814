-- +goose Up
-- Instants are whole milliseconds since the Unix epoch; lists are JSON arrays.

CREATE TABLE roles (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    scopes      TEXT    NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (name);

-- key is what everything hangs on; id is the number on the wire, never used twice by itself.
CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    key           TEXT    NOT NULL,
    username      TEXT    NOT NULL,
    name_folded   TEXT    NOT NULL,
    name_key      TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    password_at   BIGINT,
    epoch         BIGINT  NOT NULL,
    base_path     TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    permission    BIGINT  NOT NULL,
    disabled      BOOLEAN NOT NULL,
    sso_id        TEXT    NOT NULL,
    max_devices   BIGINT,
    session_ttl   BIGINT,
    created_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX accounts_key ON accounts (key);
CREATE UNIQUE INDEX accounts_username ON accounts (username);
CREATE UNIQUE INDEX accounts_name_key ON accounts (name_key);
CREATE INDEX accounts_name_folded ON accounts (name_folded);

CREATE TABLE devices (
    key         TEXT   NOT NULL PRIMARY KEY,
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    kind        TEXT   NOT NULL,
    user_agent  TEXT   NOT NULL,
    ip          TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX devices_account ON devices (account_key);
CREATE INDEX devices_seen ON devices (seen_at);

-- A login outlives the row of its device, so that its token is still told why it ended.
CREATE TABLE logins (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    device_key  TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    fresh_at    BIGINT,
    seen_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    end_reason  TEXT   NOT NULL
) WITHOUT ROWID;
CREATE INDEX logins_account ON logins (account_key, ended_at, expires_at);
CREATE INDEX logins_device ON logins (device_key, ended_at, expires_at);
CREATE INDEX logins_expiry ON logins (expires_at);

CREATE TABLE ssh_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account_key  TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    title        TEXT   NOT NULL,
    fingerprint  TEXT   NOT NULL,
    public_key   TEXT   NOT NULL,
    comment      TEXT   NOT NULL,
    added_at     BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX ssh_keys_title ON ssh_keys (account_key, title);
CREATE UNIQUE INDEX ssh_keys_fingerprint ON ssh_keys (account_key, fingerprint);

CREATE TABLE totp (
    account_key TEXT   NOT NULL PRIMARY KEY REFERENCES accounts (key) ON DELETE CASCADE,
    secret      TEXT   NOT NULL,
    enrolled_at BIGINT,
    last_step   BIGINT NOT NULL,
    pending     TEXT   NOT NULL,
    pending_at  BIGINT
) WITHOUT ROWID;

CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    sealed     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE keys;
DROP TABLE settings;
DROP TABLE totp;
DROP TABLE ssh_keys;
DROP TABLE logins;
DROP TABLE devices;
DROP TABLE accounts;
DROP TABLE roles;
