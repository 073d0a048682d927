//! Files and folders that only the user who runs Logbook can read: the data folder has the keys that sign tokens, and a
//! SQLite file has all events.
//!
//! What Logbook creates is private from the start. Existing files of Logbook are restricted to their owner, which is
//! logged. An existing folder keeps its permissions: it may be shared on purpose, and Logbook's files in it are private
//! anyway.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{ErrorKind, Result},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Permissions of the group and of others.
const OF_OTHERS: u32 = 0o077;
/// Others may write, and so replace files. The sticky bit of a folder such as /tmp prevents that.
const WRITABLE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Creates a folder and its parents for their owner alone. Leaves an existing folder unchanged.
///
/// # Errors
/// The file system's.
pub fn create_folder(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & WRITABLE != 0 && mode & STICKY == 0 {
        tracing::warn!(folder = %folder.display(), "everybody can replace the files of this folder; make it private");
    }
    Ok(())
}

/// Open options under which a new file can be read and written by its owner alone.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Removes everybody else's permissions from a file, if it exists.
pub fn tighten(file: &Path) {
    let tightened = fs::metadata(file).and_then(|metadata| {
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OF_OTHERS != 0 {
            fs::set_permissions(file, Permissions::from_mode(mode & !OF_OTHERS))?;
            tracing::info!(file = %file.display(), "other users could open this file; now only its owner can");
        }
        Ok(())
    });
    match tightened {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(file = %file.display(), %error, "other users may open this file");
        }
        _ => {}
    }
}

/// Makes a SQLite database private. Creates a missing file, since SQLite would let others read it. SQLite gives its
/// side files the same permissions.
///
/// # Errors
/// When the file is missing and cannot be created.
pub fn prepare_database(file: &Path) -> Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_folder(folder)?;
    }
    match options().write(true).create_new(true).open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        created => return created.map(drop),
    }
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        tighten(Path::new(&name));
    }
    Ok(())
}
