//! The real binary in a folder of its own.

#[allow(dead_code)]
pub mod files;

use std::path::Path;
use std::process::{Command, Output};

/// A command of the binary, run in `dir`.
pub fn vrrl(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vrrl"));
    command.current_dir(dir).args(args).env_remove("RUST_BACKTRACE");
    command
}

/// Exit code, stdout and stderr.
pub fn out(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = vrrl(dir, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// Stdout of a command that must succeed.
#[allow(dead_code)]
pub fn done(dir: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = out(dir, args);
    assert_eq!(code, 0, "{args:?}\n{stdout}\n{stderr}");
    stdout
}

/// Asserts the exit code, and that the error names every word.
#[allow(dead_code)]
pub fn refused(dir: &Path, args: &[&str], code: i32, words: &[&str]) {
    let (got, stdout, stderr) = out(dir, args);
    assert_eq!(got, code, "{args:?}\n{stdout}\n{stderr}");
    let error = stderr.lines().find(|line| line.starts_with("error: "));
    let error = error.unwrap_or_else(|| panic!("{args:?}: no error in {stderr}"));
    for word in words {
        assert!(error.contains(word), "{args:?}: {word:?} is not in {error}");
    }
}

/// An experiment that takes seconds: a tiny network, a few steps, a few examples.
#[allow(dead_code)]
pub const TINY: &str = "\
name: tiny
seeds: [1]
dialect: bare_commit
splits:
  train: quick/maze/train
  val: quick/maze/id_val
  test: [quick/maze/id_test, quick/maze/ood6]
methods:
  - name: base
    method: base
    max_turns: 1
    recipe:
      network: {channels: 8, blocks: 1, width: 32, layers: 1}
      demos: {drawn_share: 0.5}
      sft: {steps: 6, batch: 8, look_every: 2, look: 8}
  - name: multi_sft
    method: multi_sft
    init: base
    recipe:
      sft: {steps: 30, batch: 8, lr: 0.02, warmup: 2, look_every: 10, look: 8}
  - name: multi_sft_grpo
    method: multi_sft_grpo
    init: multi_sft
    recipe:
      # No answer is right yet; replies that keep the format earn a little, so groups differ.
      rl: {steps: 4, questions: 4, group: 4, max_turns: 3, filter: null, reward: {reflect_weight: 0.0}, look_every: 2, look: 8}
eval: {decodings: [t1], limit: 40, save_images: 2, max_turns: 3}
references: [repeat]
";
