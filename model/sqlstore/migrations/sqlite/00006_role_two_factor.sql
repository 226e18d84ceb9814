-- +goose Up
-- Whether those who hold the role must have a second factor to do anything but enrol one.
ALTER TABLE roles ADD COLUMN require_two_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE roles DROP COLUMN require_two_factor;
