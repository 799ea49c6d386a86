//! One process at a time in an experiment directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use crate::{Error, Result};

/// The lock's file. It stays when the lock is gone: a file that is removed could be locked by two, each under its own inode.
const FILE: &str = ".lock";

/// A directory that is ours until this is dropped; the system lets go of it even if the process is killed.
#[derive(Debug)]
pub(crate) struct Held {
    file: File,
}

/// Takes a directory, making it; at once or not at all.
///
/// # Errors
/// [`Error::Busy`] if another process (or another run in this one) has it.
pub(crate) fn hold(dir: &Path) -> Result<Held> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let path = dir.join(FILE);
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::Busy { dir: dir.to_path_buf(), pid: owner(&path) })
        }
        // Some network file systems know no locks; there one has to take care oneself, as without this file.
        Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path)(e)),
    }
    let pid = std::process::id().to_string();
    file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(Error::io("write", &path))?;
    Ok(Held { file })
}

/// Who holds the lock, where the file can be read while it is held.
fn owner(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Drop for Held {
    fn drop(&mut self) {
        // A run that is over leaves the same file whoever ran it. Best effort: nothing is read from it but a name.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_by_the_first_one_s_number() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("new/out");
        let held = hold(&out).unwrap();
        let error = hold(&out).unwrap_err();
        let pid = std::process::id().to_string();
        assert!(matches!(error, Error::Busy { .. }) && error.to_string().contains(&pid), "{error}");
        drop(held);
        assert_eq!(fs::read(out.join(FILE)).unwrap(), b"");
        // A dead owner's number does not count.
        fs::write(out.join(FILE), "1").unwrap();
        hold(&out).unwrap();
    }
}
