//! The memory of request bodies, from their first byte until their events are stored.
//!
//! A workspace holds at most half of it. What is not a whole body yet counts against its sender too, who holds at most a
//! quarter: bodies that stay incomplete keep only their sender from sending.

use std::sync::Arc;

use super::shares::{Share, Shares};
use crate::error::{Error, Result};

/// The largest body, in KiB: everybody's share has room for one.
const LARGEST_BODY: usize = 16 * 1024;

type Sender = (i32, String);

/// The memory of all bodies.
#[derive(Clone)]
pub(super) struct Memory {
    workspaces: Arc<Shares<i32>>,
    senders: Arc<Shares<Sender>>,
}

/// The memory of one request.
pub struct MemoryPermit {
    of_workspace: Share<i32>,
    /// None once the body is whole.
    of_sender: Option<Share<Sender>>,
    most: usize,
}

impl Memory {
    pub(super) fn new(kib: usize) -> Self {
        let part = |n: usize| (kib / n).max(LARGEST_BODY);
        Self { workspaces: Shares::new(kib, part(2)), senders: Shares::new(kib, part(4)) }
    }

    pub(super) fn begin(&self, workspace_id: i32, sender: &str) -> MemoryPermit {
        MemoryPermit {
            of_workspace: self.workspaces.begin(workspace_id),
            of_sender: Some(self.senders.begin((workspace_id, sender.to_owned()))),
            most: self.senders.most_of_one(),
        }
    }
}

impl MemoryPermit {
    /// Grows to what a body of this many bytes needs.
    ///
    /// # Errors
    /// [`Error::QueueFull`]; the permit keeps what it has.
    pub fn grow_to(&mut self, bytes: usize) -> Result<()> {
        // A request that is alone always fits, however small the memory is configured.
        let more = (bytes / 1024 + 1).min(self.most).saturating_sub(self.kib());
        if let Some(of_sender) = &mut self.of_sender
            && !of_sender.grow(more)
        {
            return Err(Error::QueueFull);
        }
        if self.of_workspace.grow(more) {
            return Ok(());
        }
        if let Some(of_sender) = &mut self.of_sender {
            of_sender.shrink(more);
        }
        Err(Error::QueueFull)
    }

    /// The body has arrived: from here on it counts against its workspace only.
    pub fn complete(&mut self) {
        self.of_sender = None;
    }

    pub(super) fn workspace_id(&self) -> i32 {
        *self.of_workspace.key()
    }

    pub(super) fn kib(&self) -> usize {
        self.of_workspace.amount()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn incomplete_bodies_take_a_quarter_for_their_sender_and_half_for_a_workspace() {
        let memory = Memory::new(64 * 1024);
        let stalled = |workspace_id, sender: &str, count: usize| -> Vec<_> {
            let mut permits: Vec<_> = (0..count).map(|_| memory.begin(workspace_id, sender)).collect();
            permits.retain_mut(|permit| permit.grow_to(16 * MIB - 1024).is_ok());
            permits
        };
        let first = stalled(1, "a", 16);
        assert_eq!(first.len(), 1);
        let second = stalled(1, "b", 16);
        assert_eq!((second.len(), stalled(1, "c", 1).len()), (1, 0));
        assert_eq!(stalled(2, "d", 1).len(), 1, "another workspace has room");
        drop(first);
        // A whole body leaves its sender room for the next one.
        let mut whole = stalled(1, "a", 1);
        whole[0].complete();
        drop(second);
        assert_eq!(stalled(1, "a", 16).len(), 1);
        drop(whole);
        assert_eq!(memory.workspaces.held() + memory.senders.held(), 0);
    }

    #[test]
    fn one_request_fits_however_small_the_memory_is() {
        let memory = Memory::new(1024);
        let mut permit = memory.begin(1, "a");
        assert!(permit.grow_to(MIB / 2).is_ok() && permit.grow_to(16 * MIB).is_ok());
        assert_eq!(permit.kib(), 1024);
        assert!(memory.begin(2, "b").grow_to(1).is_err());
        drop(permit);
        assert!(memory.begin(2, "b").grow_to(1).is_ok());
    }
}
