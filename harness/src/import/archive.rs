//! Zip files, bounded: no entry is unpacked further than a limit, whatever its header says.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::{CompressionMethod, ZipArchive};

use crate::{Error, Result};

/// Most bytes of one entry, unpacked.
pub(super) const MOST: u64 = 256 << 20;

/// A zip file whose entries are read one at a time.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    most: u64,
}

impl Archive {
    pub fn open(path: &Path, most: u64) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|e| {
            let next = "a zip file ends with its list of entries: was it cut off? copy it again";
            Error::content(path, "its list of entries", format!("{e}; {next}"))
        })?;
        Ok(Self { path: path.to_path_buf(), zip, most })
    }

    /// Names of all entries, in order of names.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.zip.file_names().map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Unpacks one entry.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let refuse = |why: String| Error::content(&self.path, format!("entry {name}"), why);
        let index = self.zip.index_for_name(name).ok_or_else(|| refuse("missing".into()))?;
        // Raw, because Zstandard is unpacked by a decoder of its own.
        let entry = self.zip.by_index_raw(index).map_err(|e| refuse(e.to_string()))?;
        let (method, crc) = (entry.compression(), entry.crc32());
        let bytes = if method == CompressionMethod::ZSTD {
            let unpacked =
                ruzstd::decoding::StreamingDecoder::new(entry).map_err(|e| refuse(e.to_string()))?;
            bounded(unpacked, self.most)
        } else {
            drop(entry);
            let entry = self.zip.by_index(index).map_err(|e| refuse(e.to_string()))?;
            bounded(entry, self.most)
        };
        let bytes = bytes.map_err(refuse)?;
        if crc32(&bytes) == crc {
            Ok(bytes)
        } else {
            Err(refuse("its checksum differs: the file is damaged; copy it again".into()))
        }
    }
}

fn bounded(entry: impl Read, most: u64) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    entry
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("{e}; the file is damaged: copy it again"))?;
    if bytes.len() as u64 > most {
        return Err(format!("more than {most} bytes when unpacked, which no sample is; refused"));
    }
    Ok(bytes)
}

/// The checksum of zip files.
fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zipped(dir: &Path, size: usize) -> PathBuf {
        let path = dir.join("x.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let options =
            zip::write::SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("big", options).unwrap();
        zip.write_all(&vec![b'0'; size]).unwrap();
        zip.finish().unwrap();
        path
    }

    #[test]
    fn an_entry_that_unpacks_to_too_much_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = zipped(dir.path(), 1 << 20);
        assert!(std::fs::metadata(&path).unwrap().len() < 8192);
        assert_eq!(Archive::open(&path, 1 << 20).unwrap().read("big").unwrap().len(), 1 << 20);
        let error = Archive::open(&path, (1 << 20) - 1).unwrap().read("big").unwrap_err().to_string();
        assert!(error.contains("x.zip, entry big") && error.contains("1048575 bytes"), "{error}");
        assert!(Archive::open(&path, MOST)
            .unwrap()
            .read("small")
            .unwrap_err()
            .to_string()
            .contains("missing"));
    }

    #[test]
    fn damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = zipped(dir.path(), 4096);
        let bytes = std::fs::read(&path).unwrap();
        for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let read = Archive::open(&path, MOST).and_then(|mut zip| zip.read("big"));
            assert!(read.unwrap_err().to_string().contains("x.zip"), "cut at {cut}");
        }
    }
}
