//! Encodes which blocks have a key, in few bytes.
//!
//! Not Roaring bitmaps: they are made for sets of millions. Here a posting has at most 2,016 blocks and mostly one or two, and
//! a segment has hundreds of thousands of postings: a container's header alone would be larger than most of them.

use crate::varint;

/// Marks a posting of one bit per block. No other posting is as long, since the shorter encoding is used.
const DENSE: u8 = u8::MAX;

/// Writes the suffix of the key, the number of bytes that follow, and the distances from block to block as LEB128; or
/// the suffix of the key, [`DENSE`], and one bit per block: whichever is shorter. At most 2,016 blocks, so at most 252
/// bytes.
pub fn write_posting(
    piece: &mut Vec<u8>,
    suffix: u16,
    blocks: impl Iterator<Item = u16> + Clone,
    all: usize,
) {
    piece.extend(suffix.to_le_bytes());
    let length_at = piece.len();
    piece.push(DENSE);
    let start = piece.len();
    let mut last = 0;
    for block in blocks.clone() {
        let distance = block - last;
        last = block;
        varint::write(piece, distance.into());
    }
    let dense_bytes = all.div_ceil(8);
    let bytes = piece.len() - start;
    if bytes < dense_bytes {
        piece[length_at] = bytes as u8;
    } else {
        piece.truncate(start);
        piece.resize(start + dense_bytes, 0);
        blocks.for_each(|block| piece[start + usize::from(block) / 8] |= 1 << (block % 8));
    }
}

/// Sets a bit in `words` for each block that has the key.
pub fn read_posting(piece: &[u8], suffix: u16, blocks: usize, words: &mut [u64]) {
    let dense_bytes = blocks.div_ceil(8);
    let mut at = 0;
    while let (Some(found), Some(length)) = (u16_at(piece, at), piece.get(at + 2)) {
        at += 3;
        let bytes = if *length == DENSE { dense_bytes } else { usize::from(*length) };
        if found < suffix {
            at += bytes;
            continue;
        }
        let data = if found == suffix { piece.get(at..at + bytes).unwrap_or_default() } else { &[] };
        if *length == DENSE {
            data.iter().enumerate().for_each(|(n, byte)| words[n / 8] |= u64::from(*byte) << (n % 8 * 8));
            return;
        }
        let (mut block, mut high) = (0, None);
        for byte in data {
            match (high.take(), byte & 0x80) {
                (None, 0) => block += usize::from(*byte),
                (None, _) => {
                    high = Some(usize::from(byte & 0x7f));
                    continue;
                }
                (Some(low), _) => block += low | usize::from(*byte) << 7,
            }
            if let Some(word) = words.get_mut(block / 64) {
                *word |= 1 << (block % 64);
            }
        }
        return;
    }
}

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
