//! What an export consists of, decided before anything is written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{json, Value as Json};
use vrrl_harness_core::sha256_hex;

use super::{Container, Examples, Format, Options};
use crate::split::sorted;
use crate::{Error, FORMAT};

/// An export as a list of shards.
pub(super) struct Plan<'s> {
    pub(super) splits: Vec<Part<'s>>,
    pub(super) format: Format,
    pub(super) options: Options,
    pub(super) out: PathBuf,
}

/// One split of an export.
pub(super) struct Part<'s> {
    pub(super) examples: &'s dyn Examples,
    /// Name of the split in files: `[a-z0-9_]`.
    pub(super) name: String,
    /// Configuration it belongs to: the task where there are several, else `default`.
    pub(super) config: String,
    pub(super) count: usize,
    pub(super) shards: Vec<Shard>,
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
        splits: &[&'s dyn Examples],
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
            let config = if tasks.len() > 1 { def.task.word() } else { "default" };
            let part = Part::new(examples, config, options);
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
                    "hash": part.examples.hash(),
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

impl<'s> Part<'s> {
    fn new(examples: &'s dyn Examples, config: &str, options: &Options) -> Self {
        let name = examples.def().folder();
        let count = options.limit.unwrap_or(usize::MAX).min(examples.count());
        let shards = count.div_ceil(options.shard);
        let base = match (config, options.container) {
            ("default", Container::Parquet) => "data/".into(),
            ("default", Container::Jsonl) => String::new(),
            (config, _) => format!("{config}/"),
        };
        let ending = match options.container {
            Container::Parquet => "parquet",
            Container::Jsonl => "jsonl",
        };
        let shard = |index: usize| Shard {
            path: format!("{base}{name}-{index:05}-of-{shards:05}.{ending}"),
            range: index * options.shard..count.min((index + 1) * options.shard),
        };
        let shards = (0..shards).map(shard).collect();
        Self { examples, name, config: config.into(), count, shards }
    }

    /// Glob over the split's files, under the export's folder.
    pub(super) fn glob(&self) -> String {
        let first = &self.shards[0].path;
        let (base, ending) =
            (first.split(&format!("{}-0", self.name)).next().unwrap_or_default(), first.rsplit('.').next());
        format!("{base}{}-*.{}", self.name, ending.unwrap_or_default())
    }
}
