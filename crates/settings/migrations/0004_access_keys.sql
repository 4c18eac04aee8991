-- The secret of an access key, encrypted under the server's key: signatures are verified with the secret itself.
ALTER TABLE keys ADD COLUMN secret_sealed TEXT;
