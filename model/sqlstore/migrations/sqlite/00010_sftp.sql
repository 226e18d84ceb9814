-- +goose Up
-- What an SSH key may be used for, and what became of it.
ALTER TABLE ssh_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE ssh_keys ADD COLUMN allowed_ips TEXT NOT NULL DEFAULT '';
ALTER TABLE ssh_keys ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE ssh_keys ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE ssh_keys ADD COLUMN verified_at BIGINT;
ALTER TABLE ssh_keys ADD COLUMN suspended_at BIGINT;

-- The key behind a device of kind sftp; null for all others.
ALTER TABLE devices ADD COLUMN ssh_key_id BIGINT;
CREATE INDEX devices_ssh_key ON devices (ssh_key_id) WHERE ssh_key_id IS NOT NULL;

-- +goose Down
DROP INDEX devices_ssh_key;
ALTER TABLE devices DROP COLUMN ssh_key_id;
ALTER TABLE ssh_keys DROP COLUMN suspended_at;
ALTER TABLE ssh_keys DROP COLUMN verified_at;
ALTER TABLE ssh_keys DROP COLUMN path;
ALTER TABLE ssh_keys DROP COLUMN read_only;
ALTER TABLE ssh_keys DROP COLUMN allowed_ips;
ALTER TABLE ssh_keys DROP COLUMN expires_at;
