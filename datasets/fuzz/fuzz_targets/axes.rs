//! Users' own shift axes, as a definition brings them along.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vrrl_datasets::{AxesFile, SplitDef};

fuzz_target!(|yaml: &str| {
    let mut def = vrrl_datasets::find("quick/maze/ood6").expect("it is built in");
    def.name = "fuzz/axes".into();
    def.axes = vec![AxesFile::Content { file: "fuzz.yaml".into(), yaml: yaml.into() }];
    let text = serde_yaml::to_string(&def).expect("a definition is plain data");
    if let Ok(read) = SplitDef::from_yaml(&text, "fuzz.yaml") {
        assert_eq!(read, def);
    }
});
