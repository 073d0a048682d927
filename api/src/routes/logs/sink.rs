//! Where an export is written: into the answer of its request, or into a file in the background.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix_web::{rt, web};
use flate2::{Compression, write::GzEncoder};
use logbook_engine::{
    db::{Conn, Db, timestamp::Timestamp},
    private_files,
};
use tokio::sync::watch;

use super::formats::Format;
use crate::{
    accounts::exports::{self, Export, KEPT_SECONDS, Progress},
    http::stream::BodyWriter,
};

/// How often an export in the background says how far it is, and learns that it was removed.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// How often old files are removed.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

/// The folder of the files.
pub struct ExportFolder {
    folder: PathBuf,
    /// Bytes that the files of a workspace may take.
    pub quota: u64,
}

impl ExportFolder {
    pub fn new(data_dir: &Path, quota: u64) -> Self {
        Self { folder: data_dir.join("exports"), quota }
    }

    pub fn path(&self, export: &Export) -> PathBuf {
        self.folder.join(export.file_name())
    }

    /// Removes what is old, for as long as the server runs.
    pub async fn keep_clean(self: Arc<Self>, db: Db) {
        loop {
            let (folder, db) = (self.folder.clone(), db.clone());
            let swept = web::block(move || {
                remove_old_files(&folder);
                exports::sweep(&mut *db.conn()?, &folder, Timestamp::now())
            });
            if let Ok(Err(problem)) = swept.await {
                tracing::warn!(%problem, "old exports could not be removed");
            }
            rt::time::sleep(SWEPT_EVERY).await;
        }
    }
}

/// Also files that no export knows any more. Those of running exports are young.
fn remove_old_files(folder: &Path) {
    let oldest = Duration::from_secs(KEPT_SECONDS.unsigned_abs() + 3600);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_some_and(|age| age > oldest) {
            exports::remove_file(&entry.path());
        }
    }
}

enum Writer {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Writer {
    /// Returns the size of the file until now.
    fn write(&mut self, text: &[u8]) -> io::Result<u64> {
        let file = match self {
            Self::Plain(file) => {
                file.write_all(text)?;
                file
            }
            Self::Gzip(file) => {
                file.write_all(text)?;
                file.get_mut()
            }
        };
        Ok(file.get_ref().metadata()?.len())
    }

    /// Returns the size of the whole file.
    fn finish(self) -> io::Result<u64> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(file) => file.finish()?,
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

/// A file while it is written. NDJSON and CSV are compressed; Parquet is by itself.
pub struct ExportFile {
    db: Db,
    export: Export,
    path: PathBuf,
    writer: Option<Writer>,
    events: u64,
    bytes: u64,
    /// Bytes that it may have.
    most_bytes: u64,
    stopping: watch::Receiver<bool>,
    told: Instant,
}

impl ExportFile {
    /// # Errors
    /// The file system's.
    pub async fn create(
        folder: &ExportFolder,
        db: &Db,
        (export, most_bytes): (Export, u64),
        format: Format,
        stopping: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let (folder, path) = (folder.folder.clone(), folder.path(&export));
        let open = {
            let path = path.clone();
            move || {
                private_files::create_folder(&folder)?;
                private_files::options().write(true).create_new(true).open(path)
            }
        };
        let file = BufWriter::new(web::block(open).await.map_err(io::Error::other)??);
        let writer = match format {
            Format::Parquet => Writer::Plain(file),
            Format::Ndjson | Format::Csv => Writer::Gzip(GzEncoder::new(file, Compression::fast())),
        };
        let (db, told, writer) = (db.clone(), Instant::now(), Some(writer));
        Ok(Self { db, export, path, writer, events: 0, bytes: 0, most_bytes, stopping, told })
    }

    async fn write(&mut self, text: Vec<u8>, events: usize) -> Result<(), String> {
        let mut writer = self.writer.take().ok_or("the file is closed")?;
        let written = on_a_thread(move || writer.write(&text).map(|bytes| (writer, bytes))).await?;
        (self.writer, self.bytes) = (Some(written.0), written.1);
        self.events += events as u64;
        self.check_bytes()
    }

    fn check_bytes(&self) -> Result<(), String> {
        if self.bytes > self.most_bytes {
            return Err("the kept exports take all the room there is; remove some, or ask for less".into());
        }
        Ok(())
    }

    /// Tells how far it is.
    async fn pause(&mut self) -> Result<(), String> {
        if *self.stopping.borrow() {
            return Err("the server stopped".into());
        }
        if self.told.elapsed() < TOLD_EVERY {
            return Ok(());
        }
        self.told = Instant::now();
        match self.tell(Progress::Running).await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it was removed".into()),
            // The database may be back with the next batch.
            Err(()) => Ok(()),
        }
    }

    async fn tell(&self, progress: Progress) -> Result<bool, ()> {
        let (db, amount) = (self.db.clone(), (self.events, self.bytes));
        let (workspace_id, id) = (self.export.workspace_id, self.export.id.clone());
        let tell = move |conn: &mut Conn| exports::progress(conn, (workspace_id, &id), amount, progress);
        db.run(tell)
            .await
            .map_err(|problem| tracing::warn!(%problem, "the progress of an export is not stored"))
    }

    async fn finish(mut self) -> Result<(), String> {
        let writer = self.writer.take().ok_or("the file is closed")?;
        let written = on_a_thread(move || writer.finish()).await.and_then(|bytes| {
            self.bytes = bytes;
            self.check_bytes()
        });
        if let Err(why) = written {
            self.fail(&why).await;
            return Err(why);
        }
        match self.tell(Progress::Done).await {
            Ok(true) => Ok(()),
            // It was removed, or nobody would ever learn that it is whole.
            _ => {
                self.remove().await;
                Err("it was removed".into())
            }
        }
    }

    async fn fail(mut self, why: &str) {
        self.remove().await;
        self.bytes = 0;
        let _ = self.tell(Progress::Failed(why.to_owned())).await;
    }

    async fn remove(&self) {
        let path = self.path.clone();
        if let Err(error) = web::block(move || exports::remove_file(&path)).await {
            tracing::warn!(%error, "the file of an export could not be removed");
        }
    }
}

/// Waits for the file system on a thread of its own, and says what failed.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let done = web::block(work).await.map_err(io::Error::other).flatten();
    done.map_err(|error| format!("the file could not be written: {error}"))
}

/// Where an export is written.
pub enum Sink {
    Body(BodyWriter),
    File(Box<ExportFile>),
}

impl Sink {
    /// Writes the bytes of so many events.
    ///
    /// # Errors
    /// Why nothing more can be written.
    pub async fn write(&mut self, text: Vec<u8>, events: usize) -> Result<(), String> {
        match self {
            Self::Body(body) => body.write(text).await.map_err(|ended| format!("{ended:?}")),
            Self::File(file) => file.write(text, events).await,
        }
    }

    /// Between two batches.
    ///
    /// # Errors
    /// Why nothing more can be written.
    pub async fn pause(&mut self) -> Result<(), String> {
        match self {
            Self::Body(body) => body.pause(Duration::ZERO).await.map_err(|ended| format!("{ended:?}")),
            Self::File(file) => file.pause().await,
        }
    }

    /// Ends what is whole.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn finish(self) -> Result<(), String> {
        match self {
            Self::Body(body) => {
                body.finish();
                Ok(())
            }
            Self::File(file) => file.finish().await,
        }
    }

    /// Gives up what is not whole.
    pub async fn fail(self, why: &str) {
        if let Self::File(file) = self {
            file.fail(why).await;
        }
    }
}
