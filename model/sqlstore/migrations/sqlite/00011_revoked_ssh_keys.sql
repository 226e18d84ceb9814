-- +goose Up
-- Keys that were deleted, for lists of revoked keys. Their accounts may be gone.
CREATE TABLE revoked_ssh_keys (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL
);
CREATE INDEX revoked_ssh_keys_account ON revoked_ssh_keys (account_key);
CREATE INDEX ssh_keys_by_fingerprint ON ssh_keys (fingerprint);

-- +goose Down
DROP INDEX ssh_keys_by_fingerprint;
DROP TABLE revoked_ssh_keys;
