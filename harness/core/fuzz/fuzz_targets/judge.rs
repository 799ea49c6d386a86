//! Any text, in any dialect, for any task: nothing panics, the lenient reading never contradicts the strict one, and
//! what was understood can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vrrl_harness_core::{mend_surrogates, Dialect, Parsed, TaskKind};

fuzz_target!(|text: &str| {
    for task in TaskKind::ALL {
        for dialect in Dialect::of(task) {
            let (strict, lenient) = (dialect.parse(text, task), dialect.parse_leniently(text, task));
            if strict.understood() {
                assert_eq!(strict, lenient);
            }
            if let Parsed::Propose { answer: Some(answer), .. } = strict {
                let again = dialect.parse(&dialect.print_proposal(&answer, Some(text)), task);
                assert_eq!(again, Parsed::Propose { answer: Some(answer), thinks: true });
            }
        }
    }
    let _ = mend_surrogates(text);
});
