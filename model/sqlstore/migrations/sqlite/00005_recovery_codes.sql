-- +goose Up
-- hash is the SHA-256 of the account's key and the code, in hex; a used code stays
-- until its set is renewed. There are codes only while a second factor is enrolled.
CREATE TABLE recovery_codes (
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    hash        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT,
    PRIMARY KEY (account_key, hash)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE recovery_codes;
