use super::*;
use crate::index::run::Run;

const LARGE: i64 = MOST_COLUMNS as i64;
const SMALL: i64 = SMALL_COLUMNS as i64;

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
    assert_eq!(step(&[], GROWN - 1, IngestRate::Quiet), is(0, 1, GROWN - 1, []));
    assert_eq!(step(&[], GROWN, IngestRate::Steady), is(0, 1, GROWN, []));
    assert_eq!(step(&[(0, GROWN)], 2 * GROWN - 1, IngestRate::Steady), None);
    assert_eq!(step(&[(0, GROWN)], 2 * GROWN, IngestRate::Steady), is(0, 1, 2 * GROWN, [1]));
    assert_eq!(step(&[(0, GROWN)], 3 * SMALL, IngestRate::Steady), is(0, 1, SMALL, [1]));
    assert_eq!(step(&[(0, SMALL)], SMALL, IngestRate::Quiet), None);
    assert_eq!(step(&[], LARGE - 1, IngestRate::Burst), None, "a large one is full soon");
    assert_eq!(
        step(&[(0, SMALL)], SMALL + 1, IngestRate::Quiet),
        is(0, SMALL + 1, SMALL + 1, []),
        "a full one is left alone"
    );
    let growing = [(0, SMALL), (0, 5)];
    assert_eq!(step(&growing, SMALL + 6, IngestRate::Quiet), is(0, SMALL + 1, SMALL + 6, [2]));
}

#[test]
fn small_runs_make_way_for_a_large_one() {
    let small = [(0, SMALL); 64];
    let next = is(0, 63 * SMALL + 1, LARGE - 1, []);
    assert_eq!(step(&small[1..], LARGE - 1, IngestRate::Steady), next);
    assert_eq!(step(&small, LARGE, IngestRate::Steady), is(1, 1, LARGE, 1..=64));
    assert_eq!(
        step(&[(0, SMALL), (0, 7)], LARGE, IngestRate::Steady),
        is(1, 1, LARGE, [1, 2]),
        "events that had none yet, too"
    );
    assert_eq!(
        step(&[], 2 * LARGE, IngestRate::Steady),
        is(1, 1, LARGE, []),
        "at once when so many are there"
    );
    assert_eq!(step(&[(0, SMALL)], LARGE, IngestRate::Burst), is(1, 1, LARGE, [1]));
    let large = [(1, LARGE), (0, SMALL)];
    assert_eq!(step(&large[..1], 2 * LARGE - 1, IngestRate::Steady), is(0, LARGE + 1, LARGE + SMALL, []));
    assert_eq!(step(&large, 2 * LARGE + 9, IngestRate::Steady), is(1, LARGE + 1, 2 * LARGE, [2]));
    // Small runs are replaced as a whole: the last of 65 reaches beyond the large one's end.
    let mut uneven = vec![(0, SMALL - 1)];
    uneven.extend([(0, SMALL); 64]);
    let next = is(1, 1, LARGE - 1, 1..=64);
    assert_eq!(step(&uneven, LARGE + SMALL - 1, IngestRate::Steady), next);
}

#[test]
fn segments_of_one_level_are_merged_when_there_are_enough() {
    let sizes = Sizes { merged: 3, ..Sizes::default() };
    let due = |levels: &[Level]| {
        let runs: Vec<_> = levels.iter().map(|level| (*level, 10)).collect();
        merge::due(&segments(&runs), &sizes).map(|due| due.iter().map(|s| s.number).collect::<Vec<_>>())
    };
    assert_eq!(due(&[]), None);
    assert_eq!(due(&[1, 1, 0, 0, 0, 0]), None, "small ones are not merged");
    assert_eq!(due(&[1, 1, 1, 1]), Some(vec![1, 2, 3]), "the oldest");
    assert_eq!(due(&[2, 1, 1, 1, 0]), Some(vec![2, 3, 4]));
    assert_eq!(due(&[2, 2, 2, 1, 1, 1]), Some(vec![4, 5, 6]), "the lowest level first");
    assert_eq!(due(&[2, 2, 2, 1]), Some(vec![1, 2, 3]));
    assert_eq!(due(&[3, 3, 3, 3]), None, "the top level is not merged");
}
