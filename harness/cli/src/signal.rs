//! Ctrl-C and friends: the first one asks to stop, the second one means it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set when the user wants to stop.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);
/// Set by a signal alone; [`STOP`] is also set when a stage fails.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Starts listening.
pub(crate) fn listen() {
    let handler = || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(crate::exit::Exit::Interrupted as i32);
        }
        STOP.store(true, Ordering::SeqCst);
        crate::output::note("stopping after the write under way; once more stops at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        crate::output::note(&format!("cannot listen for Ctrl-C ({error}); files stay whole all the same"));
    }
}
