//! Recorded turns in, rewards and scores out: `vrrl score`, as a stream.
//!
//! Lines are read in chunks, judged on all cores and written in input order, so that a million transcripts need the
//! memory of one chunk. What a line is, see [`Line`]; the output stands beside its place only when all of it is written.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use vrrl_harness_core::reward::{judge_leniently, judge_turns, Reward, RewardSet, Score};
use vrrl_harness_core::{mend_surrogates, Dialect, Error as CoreError, Problem, Seed, TaskKind, Truth};

use crate::{Error, Result};

/// A chunk ends after so many lines or bytes, whichever comes first.
const LINES: usize = 8192;
const BYTES: usize = 8 << 20;

/// What happens at a line that cannot be scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnError {
    /// Nothing is written.
    Abort,
    /// An error object is written in its place.
    Record,
}

/// Rebuilds the problem of a ground truth, from any thread.
pub type PoseSync<'p> =
    &'p (dyn Fn(TaskKind, &Truth, Seed) -> std::result::Result<Arc<dyn Problem>, CoreError> + Sync);

/// What to score, and how.
pub struct ScoreTurns<'a> {
    /// Turns, one JSON object a line.
    pub input: &'a Path,
    /// Scores, one JSON object a line, in input order.
    pub output: &'a Path,
    /// The reward of each task.
    pub rewards: &'a RewardSet,
    /// What happens at a line that cannot be scored.
    pub on_error: OnError,
    /// Also write what the lenient reading makes of the turns, under `lenient`.
    pub lenient: bool,
    /// Rebuilds problems.
    pub pose: PoseSync<'a>,
}

/// What was scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Scored {
    /// Lines scored.
    pub scored: usize,
    /// Lines that could not be.
    pub errors: usize,
}

/// One line; more keys are ignored.
#[derive(Deserialize)]
struct Line<'t> {
    #[serde(borrow)]
    id: Cow<'t, str>,
    task: TaskKind,
    dialect: Dialect,
    #[serde(borrow)]
    truth: &'t RawValue,
    #[serde(borrow)]
    turns: Vec<Spoken<'t>>,
}

/// A turn: a text, or an object with one.
struct Spoken<'t>(Cow<'t, str>);

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    reward: Reward,
    score: Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    lenient: Option<Score>,
}

#[derive(Serialize)]
struct Refused {
    id: Option<serde_json::Value>,
    line: usize,
    error: String,
}

/// Scores every line of a file into another.
///
/// # Errors
/// With [`OnError::Abort`] the first line that cannot be scored, by number, and then nothing is written; files that
/// cannot be read or written.
pub fn score_turns(work: &ScoreTurns<'_>) -> Result<Scored> {
    let input = File::open(work.input).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::Input(format!("{}: no such file", work.input.display())),
        _ => Error::io("read", work.input)(e),
    })?;
    if let Some(parent) = work.output.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    let mut temporary = work.output.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let done = stream(work, input, &temporary).and_then(|done| {
        fs::rename(&temporary, work.output)
            .map_err(Error::io("rename a temporary file to", work.output))
            .map(|()| done)
    });
    if done.is_err() {
        // Best effort: the error that matters is the one at hand.
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn stream(work: &ScoreTurns<'_>, input: File, temporary: &Path) -> Result<Scored> {
    let mut input = BufReader::with_capacity(1 << 18, input);
    let file = File::create(temporary).map_err(Error::io("write", temporary))?;
    let mut output = BufWriter::with_capacity(1 << 18, file);
    let mut done = Scored::default();
    let mut chunk = Chunk::default();
    while chunk.fill(&mut input).map_err(Error::io("read", work.input))? {
        let rows: Vec<_> = chunk.lines().map(|(number, line)| (number, line, judge(work, line))).collect();
        for (number, line, row) in rows {
            let row = match row {
                Ok(row) => {
                    done.scored += 1;
                    row
                }
                Err(reason) if work.on_error == OnError::Abort => {
                    return Err(Error::content(work.input, format!("line {number}"), reason));
                }
                Err(error) => {
                    done.errors += 1;
                    serde_json::to_vec(&Refused { id: id(line), line: number, error })
                        .map_err(|e| Error::io("write", temporary)(e.into()))?
                }
            };
            output
                .write_all(&row)
                .and_then(|()| output.write_all(b"\n"))
                .map_err(Error::io("write", temporary))?;
        }
    }
    output.flush().and_then(|()| output.get_ref().sync_all()).map_err(Error::io("write", temporary))?;
    Ok(done)
}

/// Some lines of the input, with their numbers.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Number of the first line, from 1, and where each line ends.
    first: usize,
    ends: Vec<usize>,
}

impl Chunk {
    /// Reads the next lines; false at the end.
    fn fill(&mut self, input: &mut impl BufRead) -> std::io::Result<bool> {
        self.first += self.ends.len().max(usize::from(self.first == 0));
        self.bytes.clear();
        self.ends.clear();
        while self.ends.len() < LINES && self.bytes.len() < BYTES {
            if input.read_until(b'\n', &mut self.bytes)? == 0 {
                break;
            }
            self.ends.push(self.bytes.len());
        }
        Ok(!self.ends.is_empty())
    }

    /// Lines that are not blank, in order.
    fn lines(&self) -> impl ParallelIterator<Item = (usize, &[u8])> {
        let line = move |i: usize| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            (self.first + i, self.bytes[start..self.ends[i]].trim_ascii())
        };
        (0..self.ends.len()).into_par_iter().with_min_len(16).map(line).filter(|(_, line)| !line.is_empty())
    }
}

/// The output row of one line, or why there is none.
fn judge(work: &ScoreTurns<'_>, line: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let text = text(line)?;
    let line: Line<'_> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let refuse = |reason: String| format!("id {}: {reason}", line.id);
    let truth = match line.task {
        TaskKind::Maze => read(line.truth).map(Truth::Maze),
        TaskKind::Table | TaskKind::Chart => read(line.truth).map(Truth::Region),
    };
    let truth = truth.map_err(|e| refuse(format!("truth: {e}")))?;
    if !line.dialect.serves(line.task) {
        let known: Vec<&str> = Dialect::of(line.task).map(Dialect::word).collect();
        let (task, dialect) = (line.task.word(), line.dialect.word());
        return Err(refuse(format!("{dialect} is no dialect of task {task}; use {}", known.join(", "))));
    }
    // What the truth leaves open is only how the problem is drawn.
    let problem = (work.pose)(line.task, &truth, Seed(0)).map_err(|e| refuse(e.to_string()))?;
    let texts: Vec<&str> = line.turns.iter().map(|turn| &*turn.0).collect();
    let judged = judge_turns(&*problem, line.dialect, &texts);
    let config = work.rewards.of(line.task);
    let row = Row {
        id: &line.id,
        reward: judged.reward(config),
        score: judged.score(config),
        lenient: work.lenient.then(|| judge_leniently(&*problem, line.dialect, &texts).score(config)),
    };
    serde_json::to_vec(&row).map_err(|e| refuse(e.to_string()))
}

/// The line as text; other programs write lone surrogates, which no Rust string can hold, so they become U+FFFD.
fn text(line: &[u8]) -> std::result::Result<Cow<'_, str>, String> {
    let text = std::str::from_utf8(line).map_err(|e| format!("not UTF-8 after byte {}", e.valid_up_to()))?;
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(if text.contains("\\ud") || text.contains("\\uD") {
        mend_surrogates(text)
    } else {
        Cow::Borrowed(text)
    })
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> serde_json::Result<T> {
    serde_json::from_str(raw.get())
}

/// The id of a line that could not be scored, if it has one.
fn id(line: &[u8]) -> Option<serde_json::Value> {
    #[derive(Deserialize)]
    struct Named {
        id: serde_json::Value,
    }
    serde_json::from_str::<Named>(&text(line).ok()?).ok().map(|named| named.id)
}

impl<'de: 't, 't> Deserialize<'de> for Spoken<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Turn;
        impl<'de> Visitor<'de> for Turn {
            type Value = Spoken<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a turn: a text, or an object with `text`")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Spoken<'de>, E> {
                Ok(Spoken(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Spoken<'de>, E> {
                Ok(Spoken(Cow::Owned(text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Spoken<'de>, A::Error> {
                let mut text = None;
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "text" {
                        let Text(found) = map.next_value()?;
                        text = Some(Spoken(found));
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                text.ok_or_else(|| serde::de::Error::missing_field("text"))
            }
        }
        deserializer.deserialize_any(Turn)
    }
}

/// A string that borrows where it can.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
