//! The split parser: any text is read or refused; what is read comes back from its own YAML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vrrl_datasets::SplitDef;

fuzz_target!(|text: &str| {
    if let Ok(def) = SplitDef::from_yaml(text, "fuzz.yaml") {
        let yaml = serde_yaml::to_string(&def).expect("a definition is plain data");
        assert_eq!(SplitDef::from_yaml(&yaml, "again.yaml").expect("its own YAML reads"), def);
        def.shifted_params().expect("a checked definition has parameters");
    }
});
