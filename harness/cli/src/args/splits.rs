//! Flags of `vrrl splits`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use vrrl_datasets::{Container, Format as Export, Turns};
use vrrl_harness_core::{Dialect, Role, TaskKind, View};

use super::{dialect, role, task, view};
use crate::output::Format;

#[derive(Subcommand, Debug)]
pub(crate) enum Splits {
    /// List the built-in splits, or that of a definition's file.
    #[command(
        after_help = "Example:\n  vrrl splits list --task table --role ood_test\n  vrrl splits list ladder/maze --format json\n\n`vrrl splits axes` lists the shifts with their levels."
    )]
    List {
        /// Only names that hold this; or a definition's file.
        part: Option<String>,
        /// Only splits of this task.
        #[arg(long, value_name = "TASK", value_parser = task)]
        task: Option<TaskKind>,
        /// Only splits of this role.
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: Option<Role>,
        /// How the result is printed.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List the shift axes with their levels.
    #[command(after_help = "Example:\n  vrrl splits axes --task chart")]
    Axes {
        /// Only axes of this task.
        #[arg(long, value_name = "TASK", value_parser = task)]
        task: Option<TaskKind>,
        /// Files with axes of your own.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        axes: Vec<PathBuf>,
        /// How the result is printed.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Cut a new shift split: write its definition; asks for what is missing on a terminal.
    #[command(
        after_help = "Example:\n  vrrl splits new\n  vrrl splits new --task table --shift blur=3 font=mono --n 500 --out blurred.yaml\n\n`vrrl splits axes` lists axes and levels; build, audit and eval take the file in place of a name."
    )]
    New(NewArgs),
    /// Write a split to disk, pictures included; the same command again goes on where it stopped.
    #[command(after_help = "Example:\n  vrrl splits build ood7 --out data/ood7 --limit 100 --parquet")]
    Build(BuildArgs),
    /// Prove that splits do not overlap; names, folders, definitions or files of maps.
    #[command(
        after_help = "Example:\n  vrrl splits audit --train train --test id_test ood7 --fail-on exact,symmetric\n  vrrl splits audit --train rl_train_maps.json --test eval_L3-L6.json --near --out overlap"
    )]
    Audit(AuditArgs),
    /// Write splits as other tools take them: parquet, trainers' rows, conversations, harness tasks.
    #[command(
        after_help = "Example:\n  vrrl splits export quick/maze/train --format trl --out trl --limit 1000\n  vrrl splits export id_test ood7 --format huggingface --out hub"
    )]
    Export(ExportArgs),
    /// Turn third-party maps, or rows of this program that came back, into splits.
    #[command(
        after_help = "Example:\n  vrrl splits import --from vrrl-frozenlake eval_L3-L6.json --out data/frozenlake"
    )]
    Import(ImportArgs),
    /// Generate a written split again and compare; exit code 6 where it differs.
    #[command(after_help = "Example:\n  vrrl splits verify data/ood7")]
    Verify(VerifyArgs),
}

#[derive(ClapArgs, Debug, Default)]
pub(crate) struct NewArgs {
    /// table, chart or maze [default: the base's].
    #[arg(long, value_name = "TASK", value_parser = task)]
    pub task: Option<TaskKind>,
    /// Split to start from [default: the task's in-distribution test split].
    #[arg(long, value_name = "SPLIT")]
    pub base: Option<String>,
    /// Axes with their levels, or none.
    #[arg(long, value_name = "AXIS=LEVEL", num_args = 1.., value_delimiter = ',')]
    pub shift: Vec<String>,
    /// Files with axes of your own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub axes: Vec<PathBuf>,
    /// Examples [default: as many as the base].
    #[arg(long, value_name = "N")]
    pub n: Option<usize>,
    /// train, id_val, id_test, ood_val or ood_test [default: ood_test or ood_val, as the base].
    #[arg(long, value_name = "ROLE", value_parser = role)]
    pub role: Option<Role>,
    /// Full name [default: my/TASK/AXIS_LEVEL].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Draw scenes of its own even where those of the base can be kept.
    #[arg(long)]
    pub fresh: bool,
    /// File to write [default: the name's last part, .yaml].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file that stands there.
    #[arg(long)]
    pub force: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct BuildArgs {
    /// Name of the split, or a definition's file.
    pub split: String,
    /// Folder to make.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only the first examples.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The same as parquet beside it, in DIR/parquet.
    #[arg(long)]
    pub parquet: bool,
    /// Also a wrong proposal of each example and the picture of its feedback.
    #[arg(long)]
    pub feedback: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct AuditArgs {
    /// Training splits.
    #[arg(long, value_name = "SPLIT", num_args = 1.., required = true)]
    pub train: Vec<String>,
    /// Test splits.
    #[arg(long, value_name = "SPLIT", num_args = 1.., required = true)]
    pub test: Vec<String>,
    /// Draw and compare pictures, too: what looks alike whatever its form.
    #[arg(long)]
    pub near: bool,
    /// Folder for audit.json, audit.txt and pictures of offending pairs side by side.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Kinds of overlap that end with exit code 3.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_enum)]
    pub fail_on: Vec<Overlap>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ExportArgs {
    /// Names, folders, definitions or files of maps.
    #[arg(required = true, value_name = "SPLIT")]
    pub splits: Vec<String>,
    /// huggingface (also parquet, croissant), easyr1, verl, trl, sft, sft_chat, sft_turns, lm_eval (also lmms_eval).
    #[arg(long, value_name = "FORMAT", value_parser = export)]
    pub format: Export,
    /// Folder to make or to go on with.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Rows as parquet with the pictures inside, or jsonl beside a folder of pictures.
    #[arg(long, value_name = "CONTAINER", default_value = "parquet", value_parser = container)]
    pub container: Container,
    /// Only the first examples of each split.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Examples a file.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub shard: usize,
    /// Which picture: crisp or canvas.
    #[arg(long, value_name = "VIEW", default_value = "crisp", value_parser = view)]
    pub view: View,
    /// Turn language of prompts and conversations.
    #[arg(long, value_name = "NAME", default_value = "reflection_tag", value_parser = dialect)]
    pub dialect: Dialect,
    /// Prompts that ask for one answer (single), or for proposals that are drawn and revised (multi).
    #[arg(long, value_name = "TURNS", default_value = "single", value_parser = turns)]
    pub turns: Turns,
    /// Conversations: percent that open with wrong proposals.
    #[arg(long, value_name = "PERCENT", default_value_t = 50)]
    pub multi: u32,
    /// Conversations: most wrong proposals before the right one.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub max_wrong: u32,
    /// Print the result as JSON (--format names what is written).
    #[arg(long)]
    pub json: bool,
}

fn export(word: &str) -> Result<Export, String> {
    let known = vrrl_harness_experiment::export_formats();
    Export::from_word(word)
        .ok_or_else(|| format!("there are {known}; `vrrl splits build` writes an imagefolder"))
}

fn container(word: &str) -> Result<Container, String> {
    match word {
        "parquet" => Ok(Container::Parquet),
        "jsonl" => Ok(Container::Jsonl),
        _ => Err("there are parquet, jsonl".into()),
    }
}

fn turns(word: &str) -> Result<Turns, String> {
    match word {
        "single" => Ok(Turns::Single),
        "multi" => Ok(Turns::Multi),
        _ => Err("there are single, multi".into()),
    }
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ImportArgs {
    /// Its kind.
    #[arg(long, value_enum)]
    pub from: Importable,
    /// The file, or the folder of rows.
    pub file: PathBuf,
    /// Folder to make.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Name of the splits [default: the file's].
    #[arg(long)]
    pub name: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct VerifyArgs {
    /// The folder.
    pub dir: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Overlap {
    /// Equal items.
    Exact,
    /// Equal up to the task's symmetries.
    Symmetric,
    /// The same background.
    SamePattern,
    /// Pictures that look alike (with --near).
    Near,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Importable {
    /// The maps of the VRRL release, both shapes.
    VrrlFrozenlake,
    /// Rows that this program wrote: an export for huggingface or lm_eval, a built folder, a .parquet or .jsonl file.
    VrrlRows,
}
