//! Replies kept on disk, by everything that decides them.
//!
//! The key is a hash over where the request goes, its headers as they are configured, its whole body (model,
//! messages, picture bytes, sampling) and the reply's seed, also where that is not sent. A renderer that draws one
//! pixel differently misses. A file that does not read counts as absent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Hasher, Reply, FORMAT};

/// A directory of replies.
pub(crate) struct Cache {
    dir: PathBuf,
    written: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    text: String,
    prompt_tokens: u64,
    completion_tokens: u64,
    cut: bool,
}

impl Cache {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_path_buf(), written: AtomicU64::new(0) })
    }

    pub(crate) fn key(place: &str, body: &[u8], seed: u64) -> String {
        Hasher::default().part(b"reply").part(place).part(body).part(seed.to_le_bytes()).hex()
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(&key[..2]).join(format!("{key}.json"))
    }

    pub(crate) fn get(&self, key: &str) -> Option<Reply> {
        let kept: Kept = serde_json::from_slice(&fs::read(self.path(key)).ok()?).ok()?;
        let Kept { format, text, prompt_tokens, completion_tokens, cut } = kept;
        (format == FORMAT).then(|| Reply { text, prompt_tokens, completion_tokens, cut, ..Reply::default() })
    }

    pub(crate) fn put(&self, key: &str, reply: &Reply) -> io::Result<()> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder)?;
        let kept = Kept {
            format: FORMAT,
            text: reply.text.clone(),
            prompt_tokens: reply.prompt_tokens,
            completion_tokens: reply.completion_tokens,
            cut: reply.cut,
        };
        // Two processes may share the directory, and two workers may have asked the same.
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!("{key}.{}-{number}.tmp", std::process::id()));
        fs::write(&temporary, serde_json::to_vec(&kept)?)?;
        fs::rename(&temporary, &path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_back_and_broken_files_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let key = Cache::key("u", b"body", 1);
        for other in [Cache::key("v", b"body", 1), Cache::key("u", b"bodz", 1), Cache::key("u", b"body", 2)] {
            assert_ne!(key, other);
        }
        assert!(cache.get(&key).is_none());
        let reply = Reply { text: "hi".into(), prompt_tokens: 3, cut: true, ..Reply::default() };
        cache.put(&key, &reply).unwrap();
        assert_eq!(cache.get(&key), Some(reply));
        fs::write(cache.path(&key), "{\"format\":1,").unwrap();
        assert!(cache.get(&key).is_none());
    }
}
