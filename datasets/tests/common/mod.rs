//! What the tests of data on disk share.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below a folder with its bytes, by its path from there.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}
