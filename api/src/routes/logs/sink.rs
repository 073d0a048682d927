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
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(text),
            Self::Gzip(file) => file.write_all(text),
        }
    }

    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(file) => file.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

/// A file while it is written. NDJSON and CSV are compressed; Parquet is by itself.
pub struct ExportFile {
    db: Db,
    export: Export,
    path: PathBuf,
    writer: Option<Writer>,
    events: u64,
    /// Bytes that it may have.
    most_bytes: u64,
    stopping: watch::Receiver<bool>,
    told: Instant,
}

impl ExportFile {
    /// # Errors
    /// The file system's.
    pub fn create(
        folder: &ExportFolder,
        db: &Db,
        (export, most_bytes): (Export, u64),
        format: Format,
        stopping: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        private_files::create_folder(&folder.folder)?;
        let path = folder.path(&export);
        let file = BufWriter::new(private_files::options().write(true).create_new(true).open(&path)?);
        let writer = match format {
            Format::Parquet => Writer::Plain(file),
            Format::Ndjson | Format::Csv => Writer::Gzip(GzEncoder::new(file, Compression::fast())),
        };
        let (db, told) = (db.clone(), Instant::now());
        Ok(Self { db, export, path, writer: Some(writer), events: 0, most_bytes, stopping, told })
    }

    fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map(|metadata| metadata.len()).unwrap_or_default()
    }

    async fn write(&mut self, text: Vec<u8>, events: usize) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("the file could not be written: {error}");
        let mut writer = self.writer.take().ok_or("the file is closed")?;
        let written = web::block(move || writer.write(&text).map(|()| writer));
        self.writer = Some(written.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?);
        self.events += events as u64;
        self.check_bytes()
    }

    fn check_bytes(&self) -> Result<(), String> {
        if self.bytes() > self.most_bytes {
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
        let (db, amount) = (self.db.clone(), (self.events, self.bytes()));
        let (workspace_id, id) = (self.export.workspace_id, self.export.id.clone());
        let tell = move |conn: &mut Conn| exports::progress(conn, (workspace_id, &id), amount, progress);
        db.run(tell)
            .await
            .map_err(|problem| tracing::warn!(%problem, "the progress of an export is not stored"))
    }

    async fn finish(mut self) -> Result<(), String> {
        let writer = self.writer.take().ok_or("the file is closed")?;
        let finished = web::block(move || writer.finish()).await;
        let written = match finished {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("the file could not be written: {error}")),
            Err(error) => Err(format!("the file could not be written: {error}")),
        };
        if let Err(why) = written.and_then(|()| self.check_bytes()) {
            self.fail(&why).await;
            return Err(why);
        }
        match self.tell(Progress::Done).await {
            Ok(true) => Ok(()),
            // It was removed, or nobody would ever learn that it is whole.
            _ => {
                exports::remove_file(&self.path);
                Err("it was removed".into())
            }
        }
    }

    async fn fail(self, why: &str) {
        exports::remove_file(&self.path);
        let _ = self.tell(Progress::Failed(why.to_owned())).await;
    }
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
