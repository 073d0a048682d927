//! The keys that this server has read, and what it knows of their use.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, RwLock},
    time::{Duration, Instant},
};

use diesel::{prelude::*, result::DatabaseErrorKind};
use logbook_engine::db::{
    Conn, Db,
    schema::{api_key_networks, api_keys},
    timestamp::Timestamp,
};
use subtle::ConstantTimeEq as _;

use crate::{
    accounts::{
        api_keys::{ApiKey, KeyState, START, USE_SECONDS, prefix_of},
        secret::token_hash,
    },
    audit::AuditLog,
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
    },
};

/// How long a key may be known without being read again: so long another server takes a key that was revoked here.
const FRESH: Duration = Duration::from_secs(2);
/// Networks that are remembered of a key; from then on nothing more is told of where it is used.
const MOST_NETWORKS: usize = 1000;

/// The keys of a prefix (hardly ever more than one), and when they were read.
#[derive(Clone)]
struct Known {
    keys: Arc<[ApiKey]>,
    read: Instant,
}

/// What this server knows of a key's use.
#[derive(Default)]
struct Use {
    noted: Option<Instant>,
    networks: HashSet<String>,
}

/// ApiKeyCache by prefix, remembered for a moment: a producer sends the same one with every request.
pub struct ApiKeyCache {
    db: Db,
    known: RwLock<HashMap<String, Known>>,
    used: Mutex<HashMap<String, Use>>,
}

impl ApiKeyCache {
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone(), known: RwLock::default(), used: Mutex::default() }
    }

    /// True for what claims to be a key, whether it is one or not.
    pub fn is_key(text: &str) -> bool {
        text.starts_with(START)
    }

    /// True where the answer is in memory, or nearly: what has a key's shape and a prefix that is new here takes a look
    /// into the database, one of a known prefix at most every [`FRESH`].
    pub fn is_known(&self, text: &str) -> bool {
        let known = |prefix| self.known.read().is_ok_and(|known| known.contains_key(prefix));
        prefix_of(text).is_none_or(known)
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
        let known = self.known.read().ok().and_then(|known| known.get(prefix).cloned());
        if let Some(Known { keys, read }) = known
            && read.elapsed() < FRESH
        {
            return Ok(keys);
        }
        let wanted = prefix.to_owned();
        let query = move |conn: &mut Conn| {
            let keys = api_keys::table.filter(api_keys::prefix.eq(wanted));
            Ok::<_, Problem>(keys.select(ApiKey::as_select()).load::<ApiKey>(conn)?)
        };
        let keys: Arc<[ApiKey]> = self.db.run(query).await?.into();
        // What is unknown is not remembered: anybody can make up prefixes.
        if !keys.is_empty()
            && let Ok(mut known) = self.known.write()
        {
            known.insert(prefix.to_owned(), Known { keys: keys.clone(), read: Instant::now() });
        }
        Ok(keys)
    }

    /// Reads the key again at its next use.
    pub fn forget(&self, prefix: &str) {
        if let Ok(mut known) = self.known.write() {
            known.remove(prefix);
        }
    }

    /// Notes beside the request that the key was used, at most once a minute, and tells when it is used from elsewhere than
    /// before.
    pub fn used(&self, key: &ApiKey, client_info: ClientInfo, audit: &AuditLog) {
        let network = client_info.network().filter(|_| audit.is_on());
        let (due, new) = match self.used.lock() {
            Ok(mut used) => {
                let use_of = used.entry(key.prefix.clone()).or_default();
                let due = use_of.noted.is_none_or(|at| at.elapsed().as_secs() >= USE_SECONDS.unsigned_abs());
                if due {
                    use_of.noted = Some(Instant::now());
                }
                // What is forgotten here is still in the table.
                if use_of.networks.len() >= MOST_NETWORKS {
                    use_of.networks.clear();
                }
                (due, network.filter(|network| use_of.networks.insert(network.clone())))
            }
            Err(_) => return,
        };
        if !due && new.is_none() {
            return;
        }
        let (db, key, audit) = (self.db.clone(), key.clone(), audit.clone());
        actix_web::rt::spawn(async move {
            let (workspace_id, prefix) = (key.workspace_id, key.prefix.clone());
            let noted = db.run(move |conn| {
                if due {
                    note_use(conn, workspace_id, &prefix)?;
                }
                match new {
                    Some(network) => note_network(conn, workspace_id, &prefix, &network),
                    None => Ok(false),
                }
            });
            match noted.await {
                Ok(true) => audit.key_from_new_address(&key, &client_info),
                Ok(false) => {}
                Err(problem) => tracing::warn!(%problem, "the use of an API key was not noted"),
            }
        });
    }
}

/// Another server may have noted a use a moment ago.
fn note_use(conn: &mut Conn, workspace_id: i32, prefix: &str) -> Result<()> {
    let now = Timestamp::now();
    let noted_before = now.plus_seconds(-USE_SECONDS);
    diesel::update(api_keys::table.find((workspace_id, prefix)))
        .filter(api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(noted_before)))
        .set(api_keys::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// True when the key was never used from there.
fn note_network(conn: &mut Conn, workspace_id: i32, prefix: &str, network: &str) -> Result<bool> {
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
        // Another server was quicker, and tells it.
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
