//! One file per group of commands.

mod doctor;
mod gallery;
mod gate;
mod onnx;
mod outputs;
mod pieces;
mod run;
mod site;
mod splits;
mod sweep;

use clap::CommandFactory as _;
use vrrl_harness_experiment::Result;

use crate::args::{Args, Command, RunArgs};
use crate::exit::Exit;

/// Does what the arguments say.
pub(crate) fn dispatch(args: Args) -> Result<Exit> {
    match args.command.unwrap_or_else(|| Command::Run(RunArgs::default())) {
        Command::Run(args) => run::run(args),
        Command::Splits(args) => splits::splits(args),
        Command::Gallery(args) => gallery::gallery(args),
        Command::Show(args) => pieces::show(&args),
        Command::Train(args) => pieces::train(&args),
        Command::Sweep(args) => sweep::sweep(args),
        Command::Eval(args) => pieces::eval(args),
        Command::Score(args) => pieces::score(args),
        Command::Report(args) => pieces::report(&args),
        Command::Compare(args) => pieces::compare(&args),
        Command::Gate(args) => gate::gate(args),
        Command::Verify(args) => gate::verify(&args),
        Command::Merge(args) => pieces::merge(&args),
        Command::Import(args) => outputs::import(args),
        Command::Export(args) => outputs::export(&args),
        Command::Parity(args) => onnx::parity(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "vrrl", &mut script);
            crate::output::say(String::from_utf8_lossy(&script).trim_end());
            Ok(Exit::Ok)
        }
    }
}

/// The command as it was typed, for the page.
pub(crate) fn typed() -> String {
    let words = std::env::args().skip(1).map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    std::iter::once("vrrl".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
