-- +goose Up
-- API keys, by the SHA-256 of their text. A revoked key stays until its owner
-- deletes it, and its name is free again.
CREATE TABLE api_keys (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    account_key       TEXT    NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    name              TEXT    NOT NULL,
    hash              TEXT    NOT NULL,
    prefix            TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL,
    expires_at        BIGINT,
    allow_query       BOOLEAN NOT NULL,
    allowed_ips       TEXT    NOT NULL,
    created_on_device TEXT    NOT NULL,
    last_used_at      BIGINT,
    last_used_ip      TEXT    NOT NULL,
    last_used_ua      TEXT    NOT NULL,
    revoked_at        BIGINT,
    revoked_why       TEXT    NOT NULL,
    old_hash          TEXT    NOT NULL,
    old_until         BIGINT,
    learn_until       BIGINT,
    learnt_needed     TEXT    NOT NULL,
    learnt_refused    TEXT    NOT NULL,
    warned_days       BIGINT  NOT NULL,
    unused_told_at    BIGINT
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_old_hash ON api_keys (old_hash);
CREATE UNIQUE INDEX api_keys_name ON api_keys (account_key, name) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_account ON api_keys (account_key);
CREATE INDEX api_keys_expiry ON api_keys (expires_at);

-- +goose Down
DROP TABLE api_keys;
