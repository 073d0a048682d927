//! What a signed-in person may do now. Their token says what they could do when it was signed, up to a quarter of an hour
//! ago. Whoever has lost a role since then must not keep it for that long.

use std::time::{Duration, Instant};

use logbook_engine::db::Db;

use crate::{
    accounts::{claims::Claims, permissions, users},
    http::error::{Code, Problem, Result},
    ttl_cache::TtlCache,
};

/// How long another server may use a stale answer.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);
/// People whose permissions are remembered.
const MOST_PEOPLE: usize = 20_000;

/// The permissions of people by user id, remembered for a moment.
pub struct PermissionCache {
    db: Db,
    known: TtlCache<i32, Claims>,
}

impl PermissionCache {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), known: TtlCache::new(MOST_PEOPLE, TIME_TO_LIVE) }
    }

    /// The claims of a person's token with what they may do now; the claims of a script's token as they are.
    ///
    /// # Errors
    /// `unauthenticated` when the person no longer exists.
    pub async fn refresh(&self, claims: Claims) -> Result<Claims> {
        let Some(user_id) = claims.user_id() else { return Ok(claims) };
        // A token that is newer than what is remembered does not use it: after signing in again, people see what is true then.
        let known = self.known.get(&user_id).filter(|known| known.iat > claims.iat);
        let now = match known {
            Some(known) => known,
            None => {
                let read_at = Instant::now();
                let gone = || Problem::new(Code::Unauthenticated, "this user no longer exists");
                let read = self.db.run(move |conn| {
                    let user = users::find(conn, user_id)?.ok_or_else(gone)?;
                    permissions::claims(conn, &user)
                });
                let read = read.await?;
                self.known.insert(user_id, read.clone(), read_at);
                read
            }
        };
        let Claims { name, platform_admin, everywhere, roles, .. } = now;
        Ok(Claims { name, platform_admin, everywhere, roles, ..claims })
    }

    /// Makes the person's next request read their permissions again.
    pub fn invalidate(&self, user_id: i32) {
        self.known.invalidate(&user_id);
    }
}
