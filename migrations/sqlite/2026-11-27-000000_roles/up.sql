-- History cannot be changed. (On PostgreSQL this migration makes roles and row-level security, which SQLite does not have.)
-- Retention and erasure, when they come, drop the trigger and make it again within their transaction: nobody else can write
-- meanwhile, and if they fail it was never gone. So does a migration that makes this table anew.
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events cannot be changed');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events cannot be deleted');
END;
