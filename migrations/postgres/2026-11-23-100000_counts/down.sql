DROP TABLE event_counts;
DROP TABLE count_deltas;
DROP TABLE count_states;
