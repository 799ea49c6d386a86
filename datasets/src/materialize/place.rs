//! Where a build works, and how it comes to its place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::row::{Manifest, MANIFEST};
use crate::Error;

/// The hidden folder of a build under way: `out/` will be moved, `shards/` says what is finished.
pub(super) struct Work {
    dir: PathBuf,
    /// Held while this process writes.
    _lock: File,
}

impl Work {
    /// Makes it, or finds what an earlier run of the same identity has left.
    pub(super) fn open(target: &Path, identity: &str) -> Result<Self, Error> {
        let dir = beside(target, &format!("partial-{}", &identity[..16]))?;
        for part in [dir.join("out"), dir.join("shards")] {
            fs::create_dir_all(&part).map_err(Error::io("create", &part))?;
        }
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(Error::io("create", &path))?;
        if !alone(&lock) {
            return Err(Error::Busy(target.into()));
        }
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn out(&self) -> PathBuf {
        self.dir.join("out")
    }

    pub(super) fn shards(&self) -> PathBuf {
        self.dir.join("shards")
    }

    /// Brings everything onto the disk, then `out` into place, then removes the rest.
    pub(super) fn finish(self, target: &Path) -> Result<(), Error> {
        // A rename can reach the disk before the data that it names.
        sync_all(&self.out())?;
        move_into_place(&self.out(), target)?;
        fs::remove_dir_all(&self.dir).map_err(Error::io("remove", &self.dir))
    }
}

/// A hidden name beside the target, in the same file system.
fn beside(target: &Path, what: &str) -> Result<PathBuf, Error> {
    let Some(name) = target.file_name() else {
        return Err(Error::malformed(target, "the folder to write needs a name of its own"));
    };
    Ok(target.with_file_name(format!(".{}.{what}", name.to_string_lossy())))
}

/// Whether a build of this target was begun and not finished.
pub(crate) fn half_written(target: &Path) -> bool {
    let Ok(start) = beside(target, "partial-") else { return false };
    let (Some(home), Some(start)) = (start.parent(), start.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let home = if home.as_os_str().is_empty() { Path::new(".") } else { home };
    let Ok(entries) = fs::read_dir(home) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(start))
}

/// Puts back what a run left aside that was killed while it replaced a folder.
pub(super) fn recover(target: &Path) -> Result<(), Error> {
    let old = beside(target, "old")?;
    if !old.exists() {
        Ok(())
    } else if target.exists() {
        fs::remove_dir_all(&old).map_err(Error::io("remove", &old))
    } else {
        fs::rename(&old, target).map_err(Error::io("restore", target))
    }
}

/// Only nothing, an empty folder, or an earlier split may be replaced.
pub(super) fn check_target(dir: &Path) -> Result<(), Error> {
    if !dir.exists() {
        return Ok(());
    }
    let occupied = || Err(Error::Occupied(dir.into()));
    if !dir.is_dir() {
        return occupied();
    }
    let names: Vec<_> = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.file_name())).collect())
        .map_err(Error::io("read", dir))?;
    if names.is_empty() {
        return Ok(());
    }
    let manifest = fs::read_to_string(dir.join(MANIFEST)).ok();
    let Some(manifest) = manifest.and_then(|text| serde_json::from_str::<Manifest>(&text).ok()) else {
        return occupied();
    };
    let ours = ["README.md", MANIFEST, "parquet", manifest.folder.as_str()];
    if names.iter().all(|name| ours.iter().any(|our| name == our)) {
        Ok(())
    } else {
        occupied()
    }
}

fn move_into_place(from: &Path, target: &Path) -> Result<(), Error> {
    if target.exists() {
        // Folders are not replaced in one step: step aside first, and back if that fails.
        let old = beside(target, "old")?;
        fs::rename(target, &old).map_err(Error::io("replace", target))?;
        if let Err(error) = fs::rename(from, target) {
            let _ = fs::rename(&old, target);
            return Err(Error::io("create", target)(error));
        }
        sync_parent(target)?;
        return fs::remove_dir_all(&old).map_err(Error::io("remove", &old));
    }
    fs::rename(from, target).map_err(Error::io("create", target))?;
    sync_parent(target)
}

fn sync_parent(target: &Path) -> Result<(), Error> {
    let home = target.parent().filter(|home| !home.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_dir(home)
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("synchronise", dir))
}

/// Folders cannot be opened everywhere; there, the file system orders renames itself.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn sync_dir(_: &Path) -> Result<(), Error> {
    Ok(())
}

/// Brings a tree onto the disk: by one call for the whole file system where there is one, else file by file,
/// which takes minutes for a hundred thousand.
fn sync_all(dir: &Path) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let folder = File::open(dir).map_err(Error::io("read", dir))?;
        if rustix::fs::syncfs(&folder).is_ok() {
            return Ok(());
        }
    }
    sync_tree(dir)
}

fn sync_tree(dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let path = entry.map_err(Error::io("read", dir))?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("synchronise", &path))?;
        }
    }
    sync_dir(dir)
}

/// Takes the lock; `false` where another process has it. It ends with the process, killed or not.
#[cfg(unix)]
pub(crate) fn alone(lock: &File) -> bool {
    use rustix::fs::{flock, FlockOperation};
    // A file system without locks is no reason to write nothing.
    !matches!(flock(lock, FlockOperation::NonBlockingLockExclusive), Err(rustix::io::Errno::WOULDBLOCK))
}

#[cfg(not(unix))]
pub(crate) fn alone(_: &File) -> bool {
    true
}
