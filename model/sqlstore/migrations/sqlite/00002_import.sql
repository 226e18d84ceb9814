-- +goose Up
-- imported_as is "ID:NAME" in the database that an account came from, by which a
-- second import knows it again; passkeys are kept as AList's JSON, for later.
ALTER TABLE accounts ADD COLUMN imported_as TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN passkeys TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE accounts DROP COLUMN passkeys;
ALTER TABLE accounts DROP COLUMN imported_as;
