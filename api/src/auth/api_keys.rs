//! Checks API keys, and keeps in memory which ones this server has read lately and where they were used.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::{prelude::*, result::DatabaseErrorKind};
use logbook_engine::db::{
    Conn, Db,
    schema::{api_key_networks, api_keys},
    timestamp::Timestamp,
};
use quick_cache::unsync;
use subtle::ConstantTimeEq as _;

use crate::{
    accounts::{
        api_keys::{ApiKey, KeyState, START, USE_SECONDS, prefix_of},
        secret::token_hash,
    },
    audit::{self, AuditLog},
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
    },
    ttl_cache::TtlCache,
};

/// How long a key may be used without being read again: how long other servers still accept a key that was revoked here.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);
/// Keys that are remembered. What is forgotten beyond that is read from the database again.
const MOST_KEYS: usize = 10_000;
/// Networks that are remembered for a key. Beyond that no more new ones are recorded.
const MOST_NETWORKS: usize = 1000;

/// Between attempts to store a use. Two uses at one moment can be a deadlock on Citus, and what is not stored is not in the
/// audit either.
const PAUSES: [Duration; 3] = [Duration::from_millis(50), Duration::from_millis(200), Duration::from_secs(1)];

/// What this server knows of a key's use.
#[derive(Default)]
struct Use {
    noted: Option<Instant>,
    networks: HashSet<String>,
}

/// API keys by prefix, remembered for a moment: a producer sends the same one with every request.
pub struct ApiKeyCache {
    db: Db,
    /// The keys of a prefix, hardly ever more than one.
    known: TtlCache<String, Arc<[ApiKey]>>,
    used: Mutex<unsync::Cache<String, Use>>,
}

impl ApiKeyCache {
    pub fn new(db: &Db) -> Self {
        Self {
            db: db.clone(),
            known: TtlCache::new(MOST_KEYS, TIME_TO_LIVE),
            used: Mutex::new(unsync::Cache::new(MOST_KEYS)),
        }
    }

    /// True for what claims to be a key, whether it is one or not.
    pub fn is_key(text: &str) -> bool {
        text.starts_with(START)
    }

    /// True where checking the key costs nothing, or little: a text without a key's shape is refused at once, a known
    /// prefix is read from the database at most every [`TIME_TO_LIVE`]. Only a key with an unknown prefix takes a query.
    pub fn is_known(&self, text: &str) -> bool {
        prefix_of(text).is_none_or(|prefix| self.known.has_any(prefix))
    }

    /// What the holder of a key may do.
    ///
    /// # Errors
    /// `token_expired`; `unauthenticated` for a key that is unknown, wrong or revoked.
    pub async fn verify(&self, text: &str) -> Result<ApiKey> {
        let unknown = || Problem::new(Code::Unauthenticated, "the API key is not valid");
        let prefix = prefix_of(text).ok_or_else(unknown)?;
        let keys = self.find(prefix).await?;
        let hash = token_hash(text);
        // Digests are compared in constant time, so that no answer's delay tells how much of one was right.
        let fits = |key: &&ApiKey| key.secret_hash.as_bytes().ct_eq(hash.as_bytes()).into();
        let key = keys.iter().find(fits).ok_or_else(unknown)?;
        match key.state() {
            KeyState::Active => Ok(key.clone()),
            KeyState::Expired => Err(Problem::new(Code::TokenExpired, "the API key has expired")),
            KeyState::Revoked => Err(Problem::new(Code::Unauthenticated, "the API key was revoked")),
        }
    }

    async fn find(&self, prefix: &str) -> Result<Arc<[ApiKey]>> {
        if let Some(keys) = self.known.get(prefix) {
            return Ok(keys);
        }
        let read_at = Instant::now();
        let wanted = prefix.to_owned();
        let query = move |conn: &mut Conn| {
            let keys = api_keys::table.filter(api_keys::prefix.eq(wanted));
            Ok::<_, Problem>(keys.select(ApiKey::as_select()).load::<ApiKey>(conn)?)
        };
        let keys: Arc<[ApiKey]> = self.db.run(query).await?.into();
        // Unknown prefixes are not remembered: anybody can make them up.
        if !keys.is_empty() {
            self.known.insert(prefix.to_owned(), keys.clone(), read_at);
        }
        Ok(keys)
    }

    /// Makes the next use of the key read it again.
    pub fn invalidate(&self, prefix: &str) {
        self.known.invalidate(prefix);
    }

    /// Stores that the key was used, at most once a minute, and records it in the audit when it is used from a new network.
    /// Both happen in the background.
    pub fn record_use(&self, key: &ApiKey, client_info: ClientInfo, audit: &AuditLog) {
        let network = client_info.network().filter(|_| audit.is_on());
        let (due, new) = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Ok::<_, Infallible>(Use::default());
            let Ok(Some(mut known)) = used.get_mut_or_insert_with(key.prefix.as_str(), new) else { return };
            let due = known.noted.is_none_or(|at| at.elapsed().as_secs() >= USE_SECONDS.unsigned_abs());
            if due {
                known.noted = Some(Instant::now());
            }
            // What is forgotten here is still in the table.
            if known.networks.len() >= MOST_NETWORKS {
                known.networks.clear();
            }
            let new = network.filter(|network| known.networks.insert(network.clone()));
            (due, new)
        };
        if !due && new.is_none() {
            return;
        }
        let (db, key, audit) = (self.db.clone(), key.clone(), audit.clone());
        actix_web::rt::spawn(async move {
            let mut pauses = PAUSES.iter();
            let noted = loop {
                let (workspace_id, prefix, new) = (key.workspace_id, key.prefix.clone(), new.clone());
                let noted = db.run(move |conn| {
                    if due {
                        store_use(conn, workspace_id, &prefix)?;
                    }
                    match new {
                        Some(network) => store_network(conn, workspace_id, &prefix, &network),
                        None => Ok(false),
                    }
                });
                match noted.await {
                    Ok(is_new) => break Ok(is_new),
                    Err(problem) => {
                        if let Err(problem) = audit::pause(pauses.next(), problem).await {
                            break Err(problem);
                        }
                    }
                }
            };
            match noted {
                Ok(true) => audit.key_from_new_address(&key, &client_info),
                Ok(false) => {}
                Err(problem) => tracing::warn!(%problem, "the use of an API key was not stored"),
            }
        });
    }
}

/// Does nothing where another server has stored a use a moment ago.
fn store_use(conn: &mut Conn, workspace_id: i32, prefix: &str) -> Result<()> {
    let now = Timestamp::now();
    let noted_before = now.plus_seconds(-USE_SECONDS);
    diesel::update(api_keys::table.find((workspace_id, prefix)))
        .filter(api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(noted_before)))
        .set(api_keys::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// True when the key was never used from this network before.
fn store_network(conn: &mut Conn, workspace_id: i32, prefix: &str, network: &str) -> Result<bool> {
    let row = api_key_networks::table.find((workspace_id, prefix, network));
    if row.select(api_key_networks::network).first::<String>(conn).optional()?.is_some() {
        return Ok(false);
    }
    let known = api_key_networks::table
        .filter(api_key_networks::workspace_id.eq(workspace_id))
        .filter(api_key_networks::prefix.eq(prefix));
    if known.count().get_result::<i64>(conn)? >= MOST_NETWORKS as i64 {
        return Ok(false);
    }
    let inserted = diesel::insert_into(api_key_networks::table)
        .values((
            api_key_networks::workspace_id.eq(workspace_id),
            api_key_networks::prefix.eq(prefix),
            api_key_networks::network.eq(network),
            api_key_networks::first_used_at.eq(Timestamp::now()),
        ))
        .execute(conn);
    match inserted {
        Ok(_) => Ok(true),
        // Another server was quicker, and records it.
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
