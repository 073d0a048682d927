//! What a signed-in person may do now. Their token says what they could do when it was made, up to a quarter of an hour
//! ago; who was removed from a workspace since, or was given a lesser role, is not to wait that long.

use std::{
    collections::HashMap,
    sync::RwLock,
    time::{Duration, Instant},
};

use logbook_engine::db::Db;

use crate::{
    accounts::{claims::Claims, permissions, users},
    http::error::{Code, Problem, Result},
};

/// So long another server goes by what was true before.
const FRESH: Duration = Duration::from_secs(2);

/// People by number, remembered for a moment.
pub struct PermissionCache {
    db: Db,
    known: RwLock<HashMap<i32, (Claims, Instant)>>,
}

impl PermissionCache {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), known: RwLock::default() }
    }

    /// The claims of a person's token with what they may do now; a script's token as it is.
    ///
    /// # Errors
    /// `unauthenticated` when the person is no longer there.
    pub async fn refresh(&self, claims: Claims) -> Result<Claims> {
        let Some(user_id) = claims.user_id() else { return Ok(claims) };
        let known = self.known.read().ok().and_then(|known| known.get(&user_id).cloned());
        let now = match known {
            // Not for a token that is newer than the memory: who signs in again sees what is true then.
            Some((now, read)) if read.elapsed() < FRESH && now.iat > claims.iat => now,
            _ => {
                let gone = || Problem::new(Code::Unauthenticated, "this user is no longer here");
                let read = self.db.run(move |conn| {
                    let user = users::find(conn, user_id)?.ok_or_else(gone)?;
                    permissions::claims(conn, &user)
                });
                let read = read.await?;
                if let Ok(mut known) = self.known.write() {
                    known.retain(|_, (_, read)| read.elapsed() < FRESH);
                    known.insert(user_id, (read.clone(), Instant::now()));
                }
                read
            }
        };
        let Claims { name, platform_admin, everywhere, roles, .. } = now;
        Ok(Claims { name, platform_admin, everywhere, roles, ..claims })
    }

    /// Reads again what somebody may do.
    pub fn forget(&self, user_id: i32) {
        if let Ok(mut known) = self.known.write() {
            known.remove(&user_id);
        }
    }
}
