//! What the holder of a token may do now. A token says what they could do when it was signed, up to a quarter of an hour ago
//! or, for a script, up to a year. Whoever has lost a role since then, or whose session or token has ended, must not keep it
//! for that long.

use std::time::{Duration, Instant};

use logbook_engine::db::Db;

use crate::{
    accounts::{claims::Claims, permissions, script_tokens, sessions},
    http::error::{Code, Problem, Result},
    ttl_cache::TtlCache,
};

/// How long another server may use a stale answer.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);
/// Sessions and scripts whose permissions are remembered.
const MOST_TOKENS: usize = 20_000;
/// For how long it is remembered that a session was used in a workspace. The database knows it for longer.
const USE_TIME_TO_LIVE: Duration = Duration::from_secs(3600);

/// The permissions of people by session, and of scripts by token, remembered for a moment.
pub struct PermissionCache {
    db: Db,
    sessions: TtlCache<String, Claims>,
    scripts: TtlCache<String, ()>,
    used: TtlCache<(String, i32), ()>,
}

impl PermissionCache {
    pub fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            sessions: TtlCache::new(MOST_TOKENS, TIME_TO_LIVE),
            scripts: TtlCache::new(MOST_TOKENS, TIME_TO_LIVE),
            used: TtlCache::new(MOST_TOKENS, USE_TIME_TO_LIVE),
        }
    }

    /// The claims of a token with what its holder may do now.
    ///
    /// # Errors
    /// `unauthenticated` when the session or the script's token has ended.
    pub async fn refresh(&self, claims: Claims) -> Result<Claims> {
        match (claims.user_id(), claims.sid.clone(), claims.jti.clone()) {
            (Some(_), Some(session), _) => self.of_person(claims, session).await,
            (None, _, Some(id)) => self.of_script(claims, id).await,
            _ => Err(ended()),
        }
    }

    async fn of_person(&self, claims: Claims, session: String) -> Result<Claims> {
        // A token that is newer than what is remembered does not use it.
        let known = self.sessions.get(&session).filter(|known| known.iat > claims.iat);
        let now = match known {
            Some(known) => known,
            None => {
                let read_at = Instant::now();
                let id = session.clone();
                let read = self.db.run(move |conn| {
                    let (user, session) = sessions::find(conn, &id)?.ok_or_else(ended)?;
                    permissions::claims(conn, &user, &session)
                });
                let read = read.await?;
                self.sessions.insert(session, read.clone(), read_at);
                read
            }
        };
        if now.sub != claims.sub {
            return Err(ended());
        }
        let Claims { name, platform_admin, everywhere, roles, .. } = now;
        Ok(Claims { name, platform_admin, everywhere, roles, ..claims })
    }

    async fn of_script(&self, claims: Claims, id: String) -> Result<Claims> {
        if self.scripts.get(&id).is_none() {
            let read_at = Instant::now();
            let wanted = id.clone();
            let active = self.db.run(move |conn| script_tokens::is_active(conn, &wanted)).await?;
            if !active {
                return Err(Problem::new(Code::Unauthenticated, "this token was revoked"));
            }
            self.scripts.insert(id, (), read_at);
        }
        Ok(claims)
    }

    /// Notes that a person's session is used in a workspace. Returns true the first time.
    pub async fn is_first_use(&self, workspace_id: i32, claims: &Claims) -> bool {
        let (Some(user_id), Some(session)) = (claims.user_id(), claims.sid.clone()) else { return false };
        let key = (session.clone(), workspace_id);
        if self.used.get(&key).is_some() {
            return false;
        }
        let read_at = Instant::now();
        let noted = self.db.run(move |conn| sessions::used_in(conn, workspace_id, user_id, &session));
        match noted.await {
            Ok(first) => {
                self.used.insert(key, (), read_at);
                first
            }
            // The request goes on; the next one notes it.
            Err(problem) => {
                tracing::warn!(%problem, workspace_id, "the use of a session was not noted");
                false
            }
        }
    }

    /// Makes the next request of every session read its permissions again.
    pub fn invalidate_all(&self) {
        self.sessions.clear();
    }

    /// Makes the session's next request read its permissions again.
    pub fn invalidate(&self, session: &str) {
        self.sessions.invalidate(session);
    }
}

fn ended() -> Problem {
    Problem::new(Code::Unauthenticated, "the session has ended: sign in again")
}
