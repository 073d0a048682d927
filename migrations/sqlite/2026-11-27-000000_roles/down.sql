DROP TRIGGER events_are_not_deleted;
DROP TRIGGER events_are_not_updated;
