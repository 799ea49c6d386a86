//! One training a folder.
//!
//! The lock belongs to the process: however it ends, the lock is gone. The file goes with an orderly end and may stay
//! behind a kill, where it means nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// File of the lock.
const LOCK: &str = "lock";

/// The right to write a checkpoint directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`.
    ///
    /// # Errors
    /// [`Error::Locked`] if somebody holds it; if the file cannot be made.
    pub(crate) fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(LOCK);
        let io = |source| Error::Io { path: path.clone(), source };
        loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { dir: dir.to_owned() }),
                // A file system without locks: as safe as it was before there was one.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(e)) => return Err(io(e)),
            }
            // Between opening and locking, the one before may have ended and removed this very file.
            if same(&file, &path).map_err(io)? {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays behind hinders nobody.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let mine = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((mine.dev(), mine.ino()) == (there.dev(), there.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Other systems do not remove a file that is open.
#[cfg(not(unix))]
fn same(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_by_name_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        // What a killed process left.
        fs::write(dir.path().join(LOCK), "").unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Locked { .. }), "{text}");
        assert!(text.contains(&dir.path().display().to_string()) && text.contains("another --out"), "{text}");
        drop(first);
        assert!(!dir.path().join(LOCK).exists());
        Lock::take(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_on_a_removed_file_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(LOCK);
        let old = File::create(&path).unwrap();
        assert!(same(&old, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!same(&old, &path).unwrap());
        fs::write(&path, "").unwrap();
        // The inode may be used again only once `old` is closed.
        assert!(!same(&old, &path).unwrap());
    }
}
