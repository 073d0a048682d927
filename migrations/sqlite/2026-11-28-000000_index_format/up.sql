-- The number of the index's format. What is there was made before formats had numbers: it is made anew.
ALTER TABLE index_states ADD COLUMN format INTEGER NOT NULL DEFAULT 0;
