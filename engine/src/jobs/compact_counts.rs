//! The job that compacts the kept counts.

use super::{Budget, Job, Progress};
use crate::{
    counts::compact,
    db::{Conn, roles, timestamp::Timestamp},
    error::Result,
};

pub(super) struct CompactCounts;

impl Job for CompactCounts {
    const NAME: &'static str = "compact_counts";

    fn due(&mut self, conn: &mut Conn) -> Result<Vec<i32>> {
        roles::as_appender_throughout(conn, |conn| compact::due(conn, Timestamp::now()))
    }

    fn run(&mut self, conn: &mut Conn, workspace_id: i32, budget: &Budget<'_>) -> Result<Progress> {
        roles::as_appender_throughout(conn, |conn| {
            while compact::compact(conn, workspace_id)? {
                if budget.is_spent() {
                    return Ok(Progress::More);
                }
            }
            Ok(Progress::Done)
        })
    }
}
