//! Leases: which process runs a job for a workspace.

use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error::DatabaseError},
};

use crate::{
    db::{Conn, schema::job_leases, timestamp::Timestamp},
    error::Result,
};

/// How long a lease lasts unless it is renewed.
const LEASE_SECONDS: i64 = 10;
/// A lease is renewed once it has no more than this many seconds left, not each time that it is checked, which is
/// several times a second.
pub(super) const RENEWED_WITHIN: i64 = LEASE_SECONDS / 2;

/// Takes or renews the lease of a workspace and job. False when another process holds it.
///
/// # Errors
/// The database's.
pub(super) fn hold(conn: &mut Conn, workspace_id: i32, job: &str, holder: &str) -> Result<bool> {
    let now = Timestamp::now();
    let until = now.plus_seconds(LEASE_SECONDS);
    let lease = job_leases::table.find((workspace_id, job));
    let found = lease
        .select((job_leases::holder, job_leases::held_until))
        .first::<(String, Timestamp)>(conn)
        .optional()?;
    match found {
        Some((known, held)) if known == holder && held > now.plus_seconds(RENEWED_WITHIN) => Ok(true),
        Some((known, held)) if known != holder && held > now => Ok(false),
        Some((known, held)) => {
            let taken = diesel::update(lease)
                // Another process may have been faster.
                .filter(job_leases::holder.eq(known))
                .filter(job_leases::held_until.eq(held))
                .set((job_leases::holder.eq(holder), job_leases::held_until.eq(until)))
                .execute(conn)?;
            Ok(taken == 1)
        }
        None => {
            let taken = diesel::insert_into(job_leases::table)
                .values((
                    job_leases::workspace_id.eq(workspace_id),
                    job_leases::job.eq(job),
                    job_leases::holder.eq(holder),
                    job_leases::held_until.eq(until),
                ))
                .execute(conn);
            match taken {
                Err(DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
                taken => Ok(taken? == 1),
            }
        }
    }
}
