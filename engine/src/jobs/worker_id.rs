//! The id under which a process holds leases.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use uuid::Uuid;

use crate::private_files;

/// The file in the data folder that stores the id.
const FILE: &str = "worker-id";

/// The id of this process.
///
/// The data folder stores it, so that a process that was killed and restarted need not wait for its own leases to run
/// out. Of several processes with one data folder, only one has the stored id: it locks the file, and the system
/// releases the lock however the process ends. The others have ids of their own.
pub(super) struct WorkerId {
    name: String,
    _lock: Option<File>,
}

impl WorkerId {
    pub(super) fn open(data_dir: &Path) -> Self {
        Self::from_folder(data_dir).unwrap_or_else(|error| {
            tracing::debug!(%error, "the data folder has no free worker id");
            Self { name: Uuid::new_v4().to_string(), _lock: None }
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// The file's; `WouldBlock` when another process has the id.
    fn from_folder(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        private_files::tighten(&path);
        let mut options = private_files::options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock()?;
        let mut name = String::new();
        // Anything but an id is overwritten: a process may have been killed before it wrote the whole id.
        let is_known = file.read_to_string(&mut name).is_ok() && Uuid::try_parse(&name).is_ok();
        if !is_known {
            name = Uuid::new_v4().to_string();
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(name.as_bytes())?;
        }
        Ok(Self { name, _lock: Some(file) })
    }
}
