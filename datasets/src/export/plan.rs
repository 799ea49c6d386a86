//! What an export consists of, decided before anything is written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{json, Value as Json};
use vrrl_harness_core::{sha256_hex, Hasher};

use super::{Container, Format, Options};
use crate::split::sorted;
use crate::{Error, Examples, Source, FORMAT};

/// The only configuration of an export of one task.
pub(super) const DEFAULT: &str = "default";

/// An export as a list of shards.
pub(super) struct Plan<'s> {
    pub(super) splits: Vec<Part<'s>>,
    pub(super) format: Format,
    pub(super) options: Options,
    pub(super) out: PathBuf,
}

/// One split of an export.
pub(super) struct Part<'s> {
    pub(super) examples: &'s Examples,
    /// Name of the split in files: `[a-z0-9_]`.
    pub(super) name: String,
    /// Configuration it belongs to: the task where there are several, else `default`.
    pub(super) config: String,
    /// What decides its examples: the definition, and of an import the examples themselves.
    pub(super) identity: String,
    pub(super) count: usize,
    pub(super) shards: Vec<Shard>,
    /// Pattern of the shards' paths.
    pub(super) glob: String,
}

/// One file of rows.
#[derive(Clone)]
pub(super) struct Shard {
    /// Path under the export's folder.
    pub(super) path: String,
    /// Examples of the split.
    pub(super) range: Range<usize>,
}

impl<'s> Plan<'s> {
    pub(super) fn new(
        splits: &[&'s Examples],
        format: Format,
        options: &Options,
        out: &Path,
    ) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Export { path: out.into(), reason };
        if splits.is_empty() {
            return Err(wrong("there is no split to write; name at least one".into()));
        }
        if options.shard == 0 || options.limit == Some(0) {
            return Err(wrong("shard and limit must be at least 1".into()));
        }
        if options.multi > 100 || options.max_wrong == 0 || options.max_wrong > 7 {
            return Err(wrong("multi is a percentage, 0 to 100; max_wrong is 1 to 7".into()));
        }
        let tasks: BTreeSet<_> = splits.iter().map(|split| split.def().task).collect();
        let mut names = BTreeSet::new();
        let mut parts = Vec::new();
        for &examples in splits {
            let def = examples.def();
            let config = if tasks.len() > 1 { def.task.word() } else { DEFAULT };
            let part = Part::new(examples, config, format, options)?;
            if part.count == 0 {
                return Err(wrong(format!("split {} holds no examples", def.name)));
            }
            if !names.insert((config, part.name.clone())) {
                return Err(wrong(format!(
                    "split {} would share its files with another one of the name {:?}; export it to a folder of \
                     its own",
                    def.name, part.name
                )));
            }
            parts.push(part);
        }
        Ok(Self { splits: parts, format, options: options.clone(), out: out.into() })
    }

    /// Examples of all splits.
    pub(super) fn total(&self) -> usize {
        self.splits.iter().map(|part| part.count).sum()
    }

    /// Whether everything was generated here, so that this project's licences hold.
    pub(super) fn is_ours(&self) -> bool {
        self.splits.iter().all(|part| part.examples.source() == Source::Generated)
    }

    /// Configurations in the order of their first split.
    pub(super) fn configs(&self) -> Vec<&str> {
        let mut configs: Vec<&str> = Vec::new();
        for part in &self.splits {
            if !configs.contains(&part.config.as_str()) {
                configs.push(&part.config);
            }
        }
        configs
    }

    /// Everything that decides the bytes.
    pub(super) fn describe(&self) -> Json {
        let splits: Vec<Json> = self
            .splits
            .iter()
            .map(|part| {
                json!({
                    "config": part.config,
                    "name": part.name,
                    "definition": part.examples.def(),
                    "source": part.examples.source(),
                    "examples": part.count,
                    "identity": part.identity,
                })
            })
            .collect();
        json!({
            "format": FORMAT,
            "generator_version": vrrl_generators::VERSION,
            "export": self.format,
            "options": self.options,
            "splits": splits,
        })
    }
}

/// Hash of [`Plan::describe`].
pub(super) fn fingerprint(described: &Json) -> String {
    sha256_hex(sorted(described).as_bytes())
}

fn identity(examples: &Examples) -> Result<String, Error> {
    let definition = serde_json::to_value(examples.def()).expect("a definition is plain data");
    let named = Hasher::default().part(vrrl_generators::VERSION.to_le_bytes()).part(sorted(&definition));
    Ok(match examples.source() {
        Source::Generated => named,
        // The definition of an import does not say what its file held.
        Source::Imported => named.part(examples.hash()?),
    }
    .hex())
}

impl<'s> Part<'s> {
    fn new(examples: &'s Examples, config: &str, format: Format, options: &Options) -> Result<Self, Error> {
        let name = examples.def().folder();
        let count = options.limit.unwrap_or(usize::MAX).min(examples.len());
        let shards = count.div_ceil(options.shard);
        let base = match (config, options.container) {
            (DEFAULT, Container::Parquet) => "data/".into(),
            (DEFAULT, Container::Jsonl) => String::new(),
            (config, _) => format!("{config}/"),
        };
        // EasyR1 reads a folder of files as one split, whose name it guesses from theirs.
        let stem =
            if format == Format::Easyr1 { format!("{base}{name}/part") } else { format!("{base}{name}") };
        let ending = match options.container {
            Container::Parquet => "parquet",
            Container::Jsonl => "jsonl",
        };
        let shard = |index: usize| Shard {
            path: format!("{stem}-{index:05}-of-{shards:05}.{ending}"),
            range: index * options.shard..count.min((index + 1) * options.shard),
        };
        let shards = (0..shards).map(shard).collect();
        let glob = format!("{stem}-*.{ending}");
        let identity = identity(examples)?;
        Ok(Self { examples, name, config: config.into(), identity, count, shards, glob })
    }
}
