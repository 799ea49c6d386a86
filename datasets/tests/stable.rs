//! Bytes on disk: the same whatever the number of threads, and whatever was interrupted.

// Helpers outside of test functions are test code, too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

mod common;
use common::files;
use vrrl_datasets::{build, find, load, verify, Build, Building, Error, Examples, SplitDef, Written};

fn write(
    def: &SplitDef,
    dir: &Path,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Building),
) -> Result<Written, Error> {
    build(Examples::draw(def).unwrap(), dir, Build { limit: None, feedback: true, progress, stop })
}

#[test]
fn threads_change_no_byte() {
    let never = AtomicBool::new(false);
    // Some train, some reported: the two ways to draw; the ladder draws in two steps.
    for (name, n) in NAMES {
        let def = SplitDef { n, ..find(name).unwrap() };
        let home = tempfile::tempdir().unwrap();
        let run = |threads: usize| {
            let dir = home.path().join(threads.to_string());
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| write(&def, &dir, &never, &mut |_| ())).unwrap();
            files(&dir)
        };
        let one = run(1);
        assert_eq!(one.len(), 2 * n + 3, "{name}");
        for threads in [2, 7] {
            let other = run(threads);
            let differ: Vec<_> = one.iter().filter(|(path, bytes)| other.get(*path) != Some(bytes)).collect();
            assert!(
                other.len() == one.len() && differ.is_empty(),
                "{name}: {threads} threads, {}",
                differ.len()
            );
        }
        assert_eq!(verify(&home.path().join("7")).unwrap(), n);
    }
}

const NAMES: [(&str, usize); 6] = [
    ("quick/maze/train", 40),
    ("quick/maze/ood6", 40),
    ("ladder/maze/density_3", 20),
    ("paper/table/cell_query", 20),
    ("bar_chart", 20),
    ("chart_train", 40),
];

/// The time at which each finished picture was written.
fn times(home: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let work = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let images = work.filter(|path| path.is_dir()).flat_map(|path| {
        let images = path.join("out/train/images");
        fs::read_dir(images).into_iter().flatten().map(|entry| entry.unwrap().path())
    });
    images.map(|path| (path.clone(), fs::metadata(&path).unwrap().modified().unwrap())).collect()
}

#[test]
fn a_killed_build_goes_on_behind_its_finished_shards() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("split");
    let def = SplitDef { n: 1200, ..find("quick/maze/train").unwrap() };
    let stop = AtomicBool::new(false);
    // Dies after its first shard, without a chance to tidy up.
    let killed = catch_unwind(AssertUnwindSafe(|| write(&def, &dir, &stop, &mut |_| panic!("killed"))));
    assert!(killed.is_err() && !dir.exists());
    let error = load(&dir).unwrap_err().to_string();
    assert!(error.contains("split") && error.contains("half written"), "{error}");
    let first = times(home.path());
    assert_eq!(first.len(), 2 * 512);
    // Stopped by hand after the next one.
    let mut after_two = |at: &Building| stop.store(at.done >= 1024, Ordering::Relaxed);
    let error = write(&def, &dir, &stop, &mut after_two).unwrap_err();
    assert!(matches!(error, Error::Interrupted { done: 1024, total: 1200, .. }), "{error}");
    let second = times(home.path());
    assert_eq!(second.len(), 2 * 1024);
    assert!(first.iter().all(|(path, time)| second[path] == *time), "finished pictures are not drawn again");
    // A picture that was cut in the middle, as a crash of the machine does it: its shard alone is drawn again.
    let cut = first.keys().next().unwrap();
    let bytes = fs::read(cut).unwrap();
    fs::write(cut, &bytes[..bytes.len() / 2]).unwrap();
    stop.store(false, Ordering::Relaxed);
    let written = write(&def, &dir, &stop, &mut |_| ()).unwrap();
    assert_eq!((written.rows, written.found), (1200, 512));
    // The same bytes as without any of this.
    let whole = home.path().join("whole");
    write(&def, &whole, &stop, &mut |_| ()).unwrap();
    assert!(files(&dir) == files(&whole));
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}
