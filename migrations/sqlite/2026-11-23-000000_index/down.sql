DROP TABLE upkeep_leases;
DROP TABLE index_slices;
DROP TABLE index_segments;
DROP TABLE index_states;
