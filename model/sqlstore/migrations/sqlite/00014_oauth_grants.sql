-- +goose Up
-- What stands for a login: '' a session token or a connection, 'pair' a pair of tokens, 'app' an app's tokens.
ALTER TABLE logins ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- Authorization codes. A used one is kept while the login lives that it was exchanged for: used again, it ends that.
CREATE TABLE oauth_codes (
    hash         TEXT   NOT NULL PRIMARY KEY,
    client_id    TEXT   NOT NULL,
    account_key  TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    device_key   TEXT   NOT NULL,
    epoch        BIGINT NOT NULL,
    redirect_uri TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    challenge    TEXT   NOT NULL,
    nonce        TEXT   NOT NULL,
    resource     TEXT   NOT NULL,
    auth_time    BIGINT,
    amr          TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT,
    login_id     TEXT   NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_codes_account ON oauth_codes (account_key, used_at, created_at);
CREATE INDEX oauth_codes_client ON oauth_codes (client_id);
CREATE INDEX oauth_codes_expiry ON oauth_codes (expires_at);
CREATE INDEX oauth_codes_login ON oauth_codes (login_id);

-- Families of tokens: one for each login of an app, and for each login with a pair.
CREATE TABLE oauth_grants (
    login_id        TEXT   NOT NULL PRIMARY KEY REFERENCES logins (id) ON DELETE CASCADE,
    account_key     TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    client_id       TEXT   NOT NULL,
    scopes          TEXT   NOT NULL,
    resource        TEXT   NOT NULL,
    auth_time       BIGINT,
    amr             TEXT   NOT NULL,
    refresh_seconds BIGINT NOT NULL,
    created_at      BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_grants_account ON oauth_grants (account_key, client_id);
CREATE INDEX oauth_grants_client ON oauth_grants (client_id);

CREATE TABLE oauth_tokens (
    hash        TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,
    login_id    TEXT   NOT NULL REFERENCES oauth_grants (login_id) ON DELETE CASCADE,
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    scopes      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    rotated_at  BIGINT,
    successor   TEXT   NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_tokens_login ON oauth_tokens (login_id, kind, created_at);
CREATE INDEX oauth_tokens_account ON oauth_tokens (account_key);
CREATE INDEX oauth_tokens_expiry ON oauth_tokens (expires_at);
CREATE INDEX oauth_tokens_successor ON oauth_tokens (rotated_at) WHERE successor <> '';

CREATE TABLE oauth_consents (
    account_key TEXT   NOT NULL REFERENCES accounts (key) ON DELETE CASCADE,
    client_id   TEXT   NOT NULL,
    scopes      TEXT   NOT NULL,
    given_at    BIGINT NOT NULL,
    PRIMARY KEY (account_key, client_id)
) WITHOUT ROWID;
CREATE INDEX oauth_consents_client ON oauth_consents (client_id);

-- Apps on devices without a browser, while they wait. decided_by is empty until somebody decided.
CREATE TABLE oauth_device_codes (
    hash         TEXT   NOT NULL PRIMARY KEY,
    user_hash    TEXT   NOT NULL,
    client_id    TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    resource     TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    poll_seconds BIGINT NOT NULL,
    polled_at    BIGINT,
    state        TEXT   NOT NULL,
    decided_by   TEXT   NOT NULL,
    device_key   TEXT   NOT NULL,
    epoch        BIGINT NOT NULL,
    auth_time    BIGINT,
    amr          TEXT   NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX oauth_device_codes_user ON oauth_device_codes (user_hash);
CREATE INDEX oauth_device_codes_client ON oauth_device_codes (client_id);
CREATE INDEX oauth_device_codes_decided ON oauth_device_codes (decided_by);
CREATE INDEX oauth_device_codes_expiry ON oauth_device_codes (expires_at);

-- +goose Down
DROP TABLE oauth_device_codes;
DROP TABLE oauth_consents;
DROP TABLE oauth_tokens;
DROP TABLE oauth_grants;
DROP TABLE oauth_codes;
DELETE FROM logins WHERE kind <> '';
ALTER TABLE logins DROP COLUMN kind;
