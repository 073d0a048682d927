//! The only module that tells the two databases apart.
//!
//! Everything above works on one [`Conn`], an enum over both backends, with one schema and one copy of each query. What
//! really differs (pragmas, batch inserts, locks) is in [`dialect`].

pub mod backup;
pub mod checkpoints;
pub mod citus;
pub mod copy_out;
pub mod dialect;
pub mod migrations;
pub mod partitions;
mod readers;
pub mod roles;
pub mod rows;
pub mod schema;
pub mod timestamp;
pub mod waiting;

use std::{path::Path, sync::Arc, time::Duration};

use diesel::{Connection as _, r2d2::R2D2Connection as _};
use tokio::sync::Semaphore;

use crate::private_files;
pub use multi_backend::MultiBackend as Backend;
pub use readers::ReaderId;
use readers::{Cost, ReadQueue};
use waiting::Waiting;

/// The derive makes a module-private backend type; this module gives it a name that can be exported.
mod multi_backend {
    /// A connection to either database.
    #[derive(diesel::MultiConnection)]
    pub enum Conn {
        Pg(diesel::PgConnection),
        Sqlite(diesel::SqliteConnection),
    }
}
pub use multi_backend::Conn;

impl Conn {
    /// Whether the database answers. SQLite's connections cannot break by themselves.
    fn ping(&mut self) -> diesel::QueryResult<()> {
        match self {
            Self::Pg(conn) => conn.ping(),
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Whether the connection must not be used again: it was lost, or left in a transaction.
    fn is_broken(&mut self) -> bool {
        match self {
            Self::Pg(conn) => conn.is_broken(),
            Self::Sqlite(conn) => conn.is_broken(),
        }
    }
}

/// The errors of this module: the database cannot be reached now, or it refused a statement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, lost connection, or locked for longer than the busy timeout. Worth a retry.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// More requests wait for a connection than may, or for too long.
    #[error("too many requests wait for the database")]
    Busy,
    /// More reads of one caller wait than may.
    #[error("too many of your requests wait for the database")]
    TooManyAtOnce,
    #[error(transparent)]
    Query(diesel::result::Error),
    #[error("{0}")]
    Setup(String),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        if dialect::is_unavailable(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Query(error)
        }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which database a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// `sqlite://PATH` or `postgres://…`. The scheme decides, since SQLite would take any text for a file name.
#[derive(Clone, Debug)]
pub struct Url {
    pub kind: Kind,
    target: String,
}

impl std::str::FromStr for Url {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(Error::Setup("the SQLite URL has no path: sqlite://data/logbook.db".into()));
            }
            return Ok(Self { kind: Kind::Sqlite, target: path.to_owned() });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self { kind: Kind::Postgres, target: url.to_owned() });
        }
        Err(Error::Setup("the database URL must start with sqlite:// or postgres://".into()))
    }
}

/// Opens connections for the pool.
#[derive(Clone, Debug)]
pub struct Manager(Url);

impl diesel::r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> std::result::Result<Conn, Self::Error> {
        let mut conn = match self.0.kind {
            Kind::Sqlite => Conn::Sqlite(
                diesel::SqliteConnection::establish(&self.0.target)
                    .map_err(diesel::r2d2::Error::ConnectionError)?,
            ),
            Kind::Postgres => Conn::Pg(
                diesel::PgConnection::establish(&dialect::with_timeouts(&self.0.target))
                    .map_err(diesel::r2d2::Error::ConnectionError)?,
            ),
        };
        dialect::prepare_connection(&mut conn).map_err(diesel::r2d2::Error::QueryError)?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> std::result::Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        // Whoever panicked may have left a role or a setting behind.
        std::thread::panicking() || conn.is_broken()
    }
}

/// A pool of database connections, and who may have one.
#[derive(Clone)]
pub struct Db {
    pool: diesel::r2d2::Pool<Manager>,
    /// Most of the connections, for those who read logs.
    readers: Arc<ReadQueue>,
    /// The others, which no reader of logs can take: for signing in, permissions, workspaces and health.
    reserve: Arc<Semaphore>,
    pub kind: Kind,
}

/// How long a request waits for a connection of the reserve.
const RESERVE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request waits for an answer. A frozen database keeps connections open and never answers.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

impl Db {
    /// A pool of `size` connections, opened as they are needed. Fails when none can be opened.
    ///
    /// # Errors
    /// [`Error::Setup`] when the URL names no database; [`Error::Unavailable`].
    pub fn open(url: &str, size: u32) -> Result<Self> {
        let db = Self::open_lazily(url, size)?;
        db.conn()?;
        Ok(db)
    }

    /// False when opening would create the database: a SQLite file that does not exist.
    ///
    /// # Errors
    /// [`Error::Setup`] when the URL names no database.
    pub fn exists(url: &str) -> Result<bool> {
        let url: Url = url.parse()?;
        Ok(url.kind == Kind::Postgres || Path::new(&url.target).exists())
    }

    /// As [`Db::open`], without connecting to the database.
    ///
    /// # Errors
    /// [`Error::Setup`] when the URL names no database.
    pub fn open_lazily(url: &str, size: u32) -> Result<Self> {
        let url: Url = url.parse()?;
        if url.kind == Kind::Sqlite {
            private_files::prepare_database(Path::new(&url.target))
                .map_err(|error| Error::Setup(format!("cannot create {}: {error}", url.target)))?;
        }
        let kind = url.kind;
        let pool = diesel::r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_millis(2500))
            // `conn_after` does.
            .test_on_check_out(false)
            .build_unchecked(Manager(url));
        // Whoever waits for a connection waits without a thread: there are 512, and slow queries would take them all.
        let reserve = (size as usize * 3 / 8).max(1);
        let readers = Arc::new(ReadQueue::new((size as usize).saturating_sub(reserve).max(1)));
        Ok(Self { pool, readers, reserve: Arc::new(Semaphore::new(reserve)), kind })
    }

    /// How many transactions can usefully write at the same time: SQLite has one writer; on PostgreSQL workspaces do
    /// not wait for each other's commits.
    pub fn concurrent_writers(&self) -> usize {
        match self.kind {
            Kind::Sqlite => 1,
            Kind::Postgres => 4,
        }
    }

    /// Whether events are stored in [`partitions`].
    pub fn has_partitions(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// A connection, for blocking code.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn conn(&self) -> Result<diesel::r2d2::PooledConnection<Manager>> {
        self.conn_after(Conn::ping)
    }

    /// The first connection on which `begin` succeeds. A PostgreSQL connection that broke while it was idle fails when
    /// it is used, and the pool replaces it. Trying the statement that begins the work anyway saves a separate check.
    fn conn_after(
        &self,
        mut begin: impl FnMut(&mut Conn) -> diesel::QueryResult<()>,
    ) -> Result<diesel::r2d2::PooledConnection<Manager>> {
        loop {
            let mut conn = self.pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
            match begin(&mut conn) {
                Err(_) if conn.is_broken() => {}
                begun => return Ok(begun.map(|()| conn)?),
            }
        }
    }

    /// Runs quick database work off the async threads. For work that belongs to no workspace or does not read its logs.
    ///
    /// # Errors
    /// [`Error::Busy`] when it waits for too long; [`Error::Unavailable`] when there is no answer; whatever `work` returns.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let permit = tokio::time::timeout(RESERVE_PATIENCE, self.reserve.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(Error::Busy.into()) };
        self.answered(permit, move |db| work(&mut *db.conn()?)).await
    }

    /// Reads the logs of one workspace, in one snapshot. On PostgreSQL `work` can see nothing else.
    ///
    /// # Errors
    /// As [`Db::run`]; [`Error::TooManyAtOnce`].
    pub async fn read<T, E>(
        &self,
        reader: ReaderId,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + From<diesel::result::Error> + Send + 'static,
    {
        self.read_at_cost(reader, Cost::Quick, work).await
    }

    /// As [`Db::read`], for work that may scan many rows.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn scan<T, E>(
        &self,
        reader: ReaderId,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + From<diesel::result::Error> + Send + 'static,
    {
        self.read_at_cost(reader, Cost::Scan, work).await
    }

    async fn read_at_cost<T, E>(
        &self,
        reader: ReaderId,
        cost: Cost,
        work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + From<diesel::result::Error> + Send + 'static,
    {
        let workspace_id = reader.workspace_id;
        let place = self.readers.enter(reader, cost).await?;
        self.answered(place, move |db| db.read_now(workspace_id, work)).await
    }

    fn read_now<T, E>(&self, workspace_id: i32, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error> + From<diesel::result::Error>,
    {
        let mut conn = self.conn_after(|conn| roles::begin_as_reader(conn, workspace_id))?;
        let done = work(&mut conn);
        roles::end(&mut conn, done)
    }

    /// Runs `work` on a thread of its own. The permit is held until it ends, even if nobody waits for it any more.
    async fn answered<T, E>(
        &self,
        permit: impl Send + 'static,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let db = self.clone();
        let waiting = Waiting::default();
        let done = tokio::task::spawn_blocking(waiting.work(move || {
            let _permit = permit;
            work(&db)
        }));
        match tokio::time::timeout(ANSWER_PATIENCE, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Unavailable("the server is stopping".into()).into()),
            Err(_) => Err(Error::Unavailable("no answer in time".into()).into()),
        }
    }
}
