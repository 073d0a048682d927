//! Compares the stored index with the events.

use std::ops::RangeInclusive;

use super::{
    build::{Making, make, state_and_segments},
    directory::{Kind, LARGE, Level, entries},
    run::{DIRECTORIES_END, Part, PieceNumber, Segment, part_of_piece},
    store,
    words::{Dictionary, Stored},
};
use crate::{db::Conn, error::Result};

/// Pieces that are read at a time.
const STEP: i64 = 1000;

/// The seqs whose index differs from their events: those of runs with other pieces or keys, and those that no run
/// covers, or several. Runs that the background job replaces meanwhile are left out.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut Conn,
    workspace_id: i32,
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<RangeInclusive<i64>>> {
    let (state, segments) = state_and_segments(conn, workspace_id)?;
    let mut damaged = Vec::new();
    let all = segments.iter().map(|segment| segment.runs.len() as u64).sum();
    let (mut covered, mut done) = (0, 0);
    for segment in segments {
        let (digests, stored_words) = digests(conn, workspace_id, &segment)?;
        let mut made_words = Dictionary::new(segment.level);
        for (run, digest) in segment.runs.iter().zip(digests) {
            if run.first_seq != covered + 1 {
                damaged.push(between(covered, run.first_seq - 1));
            }
            covered = run.last_seq;
            done += 1;
            let level = segment.level.min(LARGE);
            let Making::Done((made, pieces)) =
                make(conn, workspace_id, (run.number, level), (run.first_seq, run.last_seq))?
            else {
                continue;
            };
            let (directories, own): (Vec<_>, Vec<_>) =
                pieces.into_iter().partition(|(number, _)| *number < DIRECTORIES_END);
            for (number, part) in &directories {
                if let Part::Words(number) = part_of_piece(*number) {
                    made_words.add_part(level, number, part);
                }
            }
            let mut expected = [0];
            directories.iter().for_each(|(number, part)| add(&mut expected, level, *number, part));
            let stored = store::pieces(
                conn,
                workspace_id,
                run.number,
                (DIRECTORIES_END, PieceNumber::MAX),
                own.len() as i64 + 1,
            )?;
            if (made != *run || digest != expected[0] || stored != own)
                && store::segments(conn, workspace_id)?.contains(&segment)
            {
                damaged.push(run.first_seq..=run.last_seq);
            }
            progress(done, all);
        }
        if !made_words.finish().eq(stored_words) && store::segments(conn, workspace_id)?.contains(&segment) {
            damaged.push(segment.first_seq()..=segment.last_seq());
        }
    }
    if covered != state.indexed_seq {
        damaged.push(between(covered, state.indexed_seq));
    }
    Ok(damaged)
}

/// A digest of the keys of each run, which does not depend on what was merged, and the parts of the dictionary of all.
fn digests(conn: &mut Conn, workspace_id: i32, segment: &Segment) -> Result<(Vec<u64>, Stored)> {
    let mut digests = vec![0; segment.runs.len()];
    let mut words = Vec::new();
    let mut start = 0;
    loop {
        let pieces = store::pieces(conn, workspace_id, segment.number, (start, DIRECTORIES_END), STEP)?;
        let Some((last, _)) = pieces.last() else { return Ok((digests, words)) };
        start = last + 1;
        for (number, part) in pieces {
            match part_of_piece(number) {
                Part::Directory(..) => add(&mut digests, segment.level, number, &part),
                Part::Words(number) => words.push((number, part)),
            }
        }
    }
}

/// Adds a part of a directory to the digests of its runs.
fn add(digests: &mut [u64], level: Level, number: PieceNumber, part: &[u8]) {
    let (kind, part_number) = match part_of_piece(number) {
        Part::Directory(kind, part) => (kind, part),
        Part::Words(_) => return,
    };
    let rest_bits = kind.key_bits() - Kind::part_bits(level);
    for (rest, numbers) in entries(part, digests.len() as u32 * kind.numbers()) {
        let key = (part_number as u64) << rest_bits | rest;
        for number in numbers {
            let (run, within) = (number / kind.numbers(), number % kind.numbers());
            if let Some(digest) = digests.get_mut(run as usize) {
                *digest = digest.wrapping_add(hash(kind, key, within));
            }
        }
    }
}

fn hash(kind: Kind, key: u64, number: u32) -> u64 {
    let mut hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(number) << 8 ^ kind as u64;
    hash = (hash ^ hash >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ hash >> 29
}

/// The seqs above the lower number, up to the higher one.
fn between(one: i64, other: i64) -> RangeInclusive<i64> {
    one.min(other) + 1..=one.max(other)
}
