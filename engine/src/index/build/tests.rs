use super::*;
use crate::index::run::Run;

/// Events of a run.
const IN_LARGE: i64 = MOST_COLUMNS as i64;
const IN_MEDIUM: i64 = MEDIUM_COLUMNS as i64;
const IN_SMALL: i64 = SMALL_COLUMNS as i64;

/// Segments of one run each, with these levels and numbers of events, one after the other.
fn segments(runs: &[(Level, i64)]) -> Vec<Segment> {
    let mut last_seq = 0;
    let mut number = 0;
    let segments = runs.iter().map(|(level, length)| {
        let first_seq = last_seq + 1;
        last_seq += length;
        number += 1;
        let run = Run { number, first_seq, last_seq, first_time: 0, last_time: 0 };
        Segment { number, level: *level, runs: vec![run] }
    });
    segments.collect()
}

/// The next step after these runs, with this newest event: (first, last, level, replaced ones).
fn step(runs: &[(Level, i64)], last_seq: i64, rate: IngestRate) -> Option<Step> {
    let segments = segments(runs);
    let indexed_seq = segments.last().map_or(0, Segment::last_seq);
    let state = State { indexed_seq, next_segment: 99, last_seq, ..State::default() };
    next_step(state, &segments, rate, &Sizes::default())
}

fn is(level: Level, first_seq: i64, last_seq: i64, replaces: impl IntoIterator<Item = i32>) -> Option<Step> {
    Some(Step { first_seq, last_seq, level, replaces: replaces.into_iter().collect() })
}

#[test]
fn a_small_run_grows_until_it_is_full() {
    assert_eq!(step(&[], 0, IngestRate::Quiet), None);
    assert_eq!(step(&[], GROWN - 1, IngestRate::Steady), None, "a few events wait");
    assert_eq!(step(&[], GROWN - 1, IngestRate::Quiet), is(SMALL, 1, GROWN - 1, []));
    assert_eq!(step(&[], GROWN, IngestRate::Steady), is(SMALL, 1, GROWN, []));
    assert_eq!(step(&[(SMALL, GROWN)], 2 * GROWN - 1, IngestRate::Steady), None);
    assert_eq!(step(&[(SMALL, GROWN)], 2 * GROWN, IngestRate::Steady), is(SMALL, 1, 2 * GROWN, [1]));
    assert_eq!(step(&[(SMALL, GROWN)], 3 * IN_SMALL, IngestRate::Steady), is(SMALL, 1, IN_SMALL, [1]));
    assert_eq!(step(&[(SMALL, IN_SMALL)], IN_SMALL, IngestRate::Quiet), None);
    assert_eq!(step(&[], IN_LARGE - 1, IngestRate::Burst), None, "a large one is full soon");
    assert_eq!(
        step(&[(SMALL, IN_SMALL)], IN_SMALL + 1, IngestRate::Quiet),
        is(SMALL, IN_SMALL + 1, IN_SMALL + 1, []),
        "a full one is left alone"
    );
    let growing = [(SMALL, IN_SMALL), (SMALL, 5)];
    assert_eq!(step(&growing, IN_SMALL + 6, IngestRate::Quiet), is(SMALL, IN_SMALL + 1, IN_SMALL + 6, [2]));
}

#[test]
fn small_runs_make_way_for_a_medium_one() {
    let small = [(SMALL, IN_SMALL); 8];
    let before = is(SMALL, 7 * IN_SMALL + 1, IN_MEDIUM - 1, []);
    assert_eq!(step(&small[..7], IN_MEDIUM - 1, IngestRate::Steady), before);
    assert_eq!(step(&small, IN_MEDIUM, IngestRate::Quiet), is(MEDIUM, 1, IN_MEDIUM, 1..=8));
    assert_eq!(step(&small, IN_MEDIUM, IngestRate::Burst), None, "a large one is full soon");
    assert_eq!(
        step(&[], IN_LARGE - 1, IngestRate::Steady),
        is(MEDIUM, 1, IN_MEDIUM, []),
        "what a burst has left"
    );
    let medium = [(MEDIUM, IN_MEDIUM), (SMALL, IN_SMALL), (SMALL, 5)];
    let last_seq = IN_MEDIUM + IN_SMALL + 6;
    let growing = is(SMALL, IN_MEDIUM + IN_SMALL + 1, last_seq, [3]);
    assert_eq!(step(&medium, last_seq, IngestRate::Quiet), growing);
}

#[test]
fn medium_runs_make_way_for_a_large_one() {
    let medium = [(MEDIUM, IN_MEDIUM); 8];
    assert_eq!(step(&medium, IN_LARGE, IngestRate::Steady), is(LARGE, 1, IN_LARGE, 1..=8));
    assert_eq!(
        step(&[(MEDIUM, IN_MEDIUM), (SMALL, 7)], IN_LARGE, IngestRate::Steady),
        is(LARGE, 1, IN_LARGE, [1, 2]),
        "small ones and events that had none yet, too"
    );
    assert_eq!(
        step(&[], 2 * IN_LARGE, IngestRate::Steady),
        is(LARGE, 1, IN_LARGE, []),
        "at once when so many are there"
    );
    assert_eq!(step(&[(SMALL, IN_SMALL)], IN_LARGE, IngestRate::Burst), is(LARGE, 1, IN_LARGE, [1]));
    let large = [(LARGE, IN_LARGE), (SMALL, IN_SMALL)];
    let after = is(LARGE, IN_LARGE + 1, 2 * IN_LARGE, [2]);
    assert_eq!(step(&large, 2 * IN_LARGE + 9, IngestRate::Steady), after);
    // Others are replaced as a whole: the last of nine reaches beyond the large one's end.
    let mut uneven = vec![(SMALL, IN_SMALL - 1)];
    uneven.extend([(MEDIUM, IN_MEDIUM); 8]);
    let next = is(LARGE, 1, 7 * IN_MEDIUM + IN_SMALL - 1, 1..=8);
    assert_eq!(step(&uneven, IN_LARGE + IN_SMALL - 1, IngestRate::Steady), next);
}

#[test]
fn segments_of_one_level_are_merged_when_there_are_enough() {
    let sizes = Sizes { merged: 3, ..Sizes::default() };
    let due = |levels: &[Level]| {
        let runs: Vec<_> = levels.iter().map(|level| (*level, 10)).collect();
        merge::due(&segments(&runs), &sizes).map(|due| due.iter().map(|s| s.number).collect::<Vec<_>>())
    };
    assert_eq!(due(&[]), None);
    assert_eq!(due(&[2, 2, 1, 1, 1, 0]), None, "smaller runs are not merged");
    assert_eq!(due(&[2, 2, 2, 2]), Some(vec![1, 2, 3]), "the oldest");
    assert_eq!(due(&[3, 2, 2, 2, 0]), Some(vec![2, 3, 4]));
    assert_eq!(due(&[3, 3, 3, 2, 2, 2]), Some(vec![4, 5, 6]), "the lowest level first");
    assert_eq!(due(&[3, 3, 3, 2]), Some(vec![1, 2, 3]));
    assert_eq!(due(&[4, 4, 4, 4]), None, "the top level is not merged");
}
