//! The importer of other projects' maps.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(splits) = vrrl_datasets::import_frozenlake_text(bytes, Path::new("fuzz.json"), "fuzz") {
        for split in splits {
            assert_eq!(split.def.n, split.examples.len());
        }
    }
});
