-- +goose Up
-- who and place are hashes under a key of the server. There is no foreign key:
-- most rows belong to addresses, or to names that nobody has.
CREATE TABLE throttle (
    kind        TEXT   NOT NULL,
    who         BIGINT NOT NULL,
    place       BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    account_key TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    PRIMARY KEY (kind, who, place)
) WITHOUT ROWID;
CREATE INDEX throttle_account ON throttle (account_key);
CREATE INDEX throttle_until ON throttle (kind, until);

-- +goose Down
DROP TABLE throttle;
