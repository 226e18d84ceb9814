-- +goose Up
-- Security events outlive the accounts they are about: no foreign key, and names as they were.
-- (at, nonce) names an event, so that one that is written twice is kept once.
CREATE TABLE audit_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            BIGINT NOT NULL,
    nonce         BIGINT NOT NULL,
    kind          TEXT   NOT NULL,
    account_key   TEXT   NOT NULL,
    account_id    BIGINT NOT NULL,
    username      TEXT   NOT NULL,
    actor_kind    TEXT   NOT NULL,
    actor_key     TEXT   NOT NULL,
    actor_id      BIGINT NOT NULL,
    actor_name    TEXT   NOT NULL,
    device_key    TEXT   NOT NULL,
    caller_device TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    detail        TEXT   NOT NULL,
    request_id    TEXT   NOT NULL
);
CREATE UNIQUE INDEX audit_events_at ON audit_events (at, nonce);
CREATE INDEX audit_events_account ON audit_events (account_key, id);
CREATE INDEX audit_events_username ON audit_events (username, id);
CREATE INDEX audit_events_kind ON audit_events (kind, id);

-- +goose Down
DROP TABLE audit_events;
