-- +goose Up
-- Apps that the operator registered. Lists are JSON arrays.
CREATE TABLE oauth_clients (
    id             TEXT    PRIMARY KEY,
    name           TEXT    NOT NULL,
    icon           TEXT    NOT NULL,
    homepage       TEXT    NOT NULL,
    redirect_uris  TEXT    NOT NULL,
    scopes         TEXT    NOT NULL,
    confidential   BOOLEAN NOT NULL,
    secret_hash    TEXT    NOT NULL,
    previous_hash  TEXT    NOT NULL,
    previous_until INTEGER,
    pkce_required  BOOLEAN NOT NULL,
    refresh_ttl    INTEGER NOT NULL,
    disabled       BOOLEAN NOT NULL,
    revision       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
);
CREATE INDEX oauth_clients_by_age ON oauth_clients (created_at, id);

-- Scopes of the programs behind this server.
CREATE TABLE oauth_scopes (
    name        TEXT    PRIMARY KEY,
    description TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
);

-- +goose Down
DROP TABLE oauth_scopes;
DROP TABLE oauth_clients;
