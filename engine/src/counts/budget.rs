//! How much of the kept counts one request reads.

use std::time::{Duration, Instant};

use super::Effort;
use crate::{
    db::waiting,
    error::{Error, Result},
};

/// How much one request may read of the kept counts. Typical ones are a tenth of the quick one's.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    bytes: usize,
    deadline: Instant,
}

impl Budget {
    const QUICK_BYTES: usize = 8 * 1024 * 1024;
    const SCAN_BYTES: usize = 48 * 1024 * 1024;
    const PIECE_BYTES: usize = 8 * 1024 * 1024;

    pub fn new(effort: Effort) -> Self {
        let (bytes, seconds) = match effort {
            Effort::Quick => (Self::QUICK_BYTES, 2),
            Effort::Scan => (Self::SCAN_BYTES, 5),
        };
        Self { bytes, deadline: Instant::now() + Duration::from_secs(seconds) }
    }

    /// For rows of which only a small part is kept.
    pub fn of_a_piece(self) -> Self {
        Self { bytes: Self::PIECE_BYTES, ..self }
    }

    /// Spends so many bytes.
    ///
    /// # Errors
    /// [`Error::NeedsScan`] when there are not as many left, or time is up.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Error::NeedsScan)?;
        self.check()
    }

    /// # Errors
    /// [`Error::NeedsScan`] when time is up.
    pub fn check(&self) -> Result<()> {
        waiting::check()?;
        if Instant::now() < self.deadline { Ok(()) } else { Err(Error::NeedsScan) }
    }
}
