//! Exit codes: the one place that decides them.

use std::process::ExitCode;

use vrrl_harness_experiment::Error;

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// Internal: a bug, a disk that refused, a NaN loss, a mechanism that never fired.
    Internal = 1,
    /// Usage, configuration or bad input; also a changed configuration on resume and unmatched ids.
    Usage = 2,
    /// A gate failed.
    GateFailed = 3,
    /// Nothing ran.
    NothingRan = 4,
    /// Too many faults.
    Faults = 5,
    /// Data differ from their manifest.
    Differs = 6,
    /// The data cannot tell whether a gate holds.
    Inconclusive = 7,
    /// Interrupted; the same command goes on.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The exit code of an error.
pub(crate) fn of(error: &Error) -> Exit {
    use vrrl_harness_runner_candle::Error as Checkpoint;
    use vrrl_harness_runner_openai::Error as Endpoint;
    if error.is_interruption() {
        return Exit::Interrupted;
    }
    match error {
        Error::Train { source, .. } => training(source),
        Error::Eval { source, .. } => harness(source),
        Error::Harness(source) => harness(source),
        Error::Differs(_) | Error::Data(vrrl_datasets::Error::Differs { .. }) => Exit::Differs,
        Error::Data(vrrl_datasets::Error::Io { source, .. }) => disk(source),
        Error::Checkpoint(Checkpoint::Io { source, .. }) => disk(source),
        Error::Endpoint(Endpoint::Cache { source, .. }) => disk(source),
        Error::Onnx(vrrl_harness_runner_ort::Error::Io { source, .. }) => disk(source),
        Error::Report(vrrl_reports::Error::Write { .. }) => Exit::Internal,
        // A folder named as a file; elsewhere one stands in the way of what is written.
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::IsADirectory => Exit::Usage,
        Error::Io { source, .. } => disk(source),
        Error::Panicked { .. } => Exit::Internal,
        _ => Exit::Usage,
    }
}

/// A path that is not there, or a file where a folder is to be, is bad input; a disk that refuses is not.
fn disk(source: &std::io::Error) -> Exit {
    use std::io::ErrorKind::{AlreadyExists, NotADirectory, NotFound};
    match source.kind() {
        NotFound | NotADirectory | AlreadyExists => Exit::Usage,
        _ => Exit::Internal,
    }
}

fn harness(error: &vrrl_harness::Error) -> Exit {
    use vrrl_harness::Error;
    match error {
        Error::NothingRan(_) => Exit::NothingRan,
        Error::TooManyFaults { .. } => Exit::Faults,
        Error::Io { source, .. } => disk(source),
        Error::Interrupted { .. } => Exit::Interrupted,
        _ => Exit::Usage,
    }
}

fn training(error: &vrrl_baselines::Error) -> Exit {
    if let vrrl_baselines::Error::Io { source, .. } = error {
        return disk(source);
    }
    match error.exit() {
        vrrl_baselines::Exit::Interrupted => Exit::Interrupted,
        vrrl_baselines::Exit::Internal => Exit::Internal,
        vrrl_baselines::Exit::Usage => Exit::Usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_documented_codes() {
        let io =
            |kind: std::io::ErrorKind| Error::Io { action: "write", path: "x".into(), source: kind.into() };
        let eval = |source| Error::Eval { name: "x".into(), source: Box::new(source) };
        let train = |source| Error::Train { name: "x".into(), source: Box::new(source) };
        for (error, code) in [
            (Error::Input("x".into()), 2),
            (io(std::io::ErrorKind::StorageFull), 1),
            (io(std::io::ErrorKind::IsADirectory), 2),
            (Error::Interrupted { stage: "x".into() }, 130),
            (Error::Differs("x".into()), 6),
            (eval(vrrl_harness::Error::Interrupted { done: 1, total: 2 }), 130),
            (eval(vrrl_harness::Error::NothingRan("x".into())), 4),
            (
                eval(vrrl_harness::Error::TooManyFaults {
                    faults: 2,
                    episodes: 3,
                    limit: 0.1,
                    first: "x".into(),
                }),
                5,
            ),
            (Error::Harness(vrrl_harness::Error::Unmatched("x".into())), 2),
            (
                train(vrrl_baselines::Error::NotFinite {
                    step: 3,
                    part: "loss".into(),
                    value: f64::NAN,
                    place: Default::default(),
                    last: None,
                }),
                1,
            ),
            (
                train(vrrl_baselines::Error::Exploded {
                    step: 3,
                    part: "loss",
                    value: 9.0,
                    median: 0.01,
                    factor: 100.0,
                    last: None,
                }),
                1,
            ),
            (train(vrrl_baselines::Error::Locked { dir: "x".into() }), 2),
            (train(vrrl_baselines::Error::NeverFired(vec!["x".into()])), 1),
            (train(vrrl_baselines::Error::Interrupted { step: 3 }), 130),
            (train(vrrl_baselines::Error::Recipe("x".into())), 2),
        ] {
            assert_eq!(of(&error) as u8, code, "{error}");
        }
    }
}
