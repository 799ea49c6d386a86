//! The `vrrl` command: flags, progress, exit codes. What it does lives in the crates it calls.

mod args;
mod commands;
mod exit;
mod output;
mod progress;
mod signal;

use std::process::ExitCode;

use clap::Parser as _;

// Training makes and drops many buffers of a few megabytes; the system allocator maps each one anew, which
// costs more than the arithmetic.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before any thread: candle's own pool spins while it waits, and parallelism here is over shards.
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        std::env::set_var("CANDLE_NUM_THREADS", "1");
    }
    let args = args::Args::parse();
    // One pool for everything, as wide as the machine. It can only fail if it exists already, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().build_global();
    signal::listen();
    match commands::dispatch(args) {
        Ok(code) => code.into(),
        Err(error) => {
            let code = exit::of(&error);
            output::error(&error, code);
            code.into()
        }
    }
}
