DROP TABLE job_leases;
DROP TABLE index_pieces;
DROP TABLE index_segments;
DROP TABLE index_states;
