//! The job that creates the partitions of the coming months.

use std::time::Duration;

use super::{Budget, Job, NO_WORKSPACE, Progress};
use crate::{
    db::{Conn, partitions},
    error::Result,
};

/// Runs as the owner of the tables. Where it fails, the appender still creates the partitions that a batch needs.
pub(super) struct CreatePartitions;

impl Job for CreatePartitions {
    const NAME: &'static str = "create_partitions";
    const INTERVAL: Duration = Duration::from_secs(3600);

    fn due(&mut self, conn: &mut Conn) -> Result<Vec<i32>> {
        Ok(if partitions::has_upcoming(conn)? { Vec::new() } else { vec![NO_WORKSPACE] })
    }

    fn run(&mut self, conn: &mut Conn, _workspace_id: i32, _budget: &Budget<'_>) -> Result<Progress> {
        partitions::create_upcoming(conn)?;
        Ok(Progress::Done)
    }
}
