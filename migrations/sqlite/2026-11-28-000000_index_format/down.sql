ALTER TABLE index_states DROP COLUMN format;
