-- +goose Up
-- Sign-ins by e-mail address look for it; apps are told when what they show of
-- an account was last changed.
ALTER TABLE accounts ADD COLUMN profile_at BIGINT;
CREATE INDEX accounts_email ON accounts (email);

-- +goose Down
DROP INDEX accounts_email;
ALTER TABLE accounts DROP COLUMN profile_at;
