//! Flags.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use vrrl_harness::Shard;
use vrrl_harness_core::{Control, Dialect, FeedbackMode, Role, TaskKind, View};
use vrrl_harness_experiment::Workers;

use crate::output::Format;

mod gate;
mod look;
mod onnx;
mod outputs;
mod publish;
mod splits;
mod sweep;

pub(crate) use gate::{BlessArgs, GateArgs, GateCommand, Inconclusive, VerifyRunArgs};
pub(crate) use look::{GalleryArgs, ShowArgs};
pub(crate) use onnx::{OrtArgs, ParityArgs};
pub(crate) use outputs::{ExportRunArgs, ImportRunArgs};
pub(crate) use publish::PublishArgs;
pub(crate) use splits::{
    AuditArgs, BuildArgs, ExportArgs, ImportArgs, Importable, NewArgs, Overlap, Splits, VerifyArgs,
};
pub(crate) use sweep::SweepArgs;

/// Visually grounded reflection: generate tasks, train small policies, score and compare them.
///
/// Without a command: `vrrl run`, the built-in quickstart experiment.
///
/// Exit codes: 0 ok; 1 internal, also NaN loss and a mechanism that never fired; 2 usage, configuration or bad
/// input; 3 gate failed; 4 nothing ran; 5 too many faults; 6 data differ from their manifest; 7 gate inconclusive; 130 interrupted.
#[derive(Parser, Debug)]
#[command(name = "vrrl", version, after_help = "Example:\n  vrrl run --show\n  vrrl run --out runs/mine")]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Do the whole loop: splits, training, scoring, report.
    #[command(
        after_help = "Example:\n  vrrl run\n  vrrl run my-experiment.yaml --out runs/mine --maps maps.json\n\nThe same command again goes on where it stopped."
    )]
    Run(RunArgs),
    /// Named splits: list, cut new ones, write, compare, verify, convert.
    #[command(subcommand, after_help = "Example:\n  vrrl splits audit --train train --test ood7")]
    Splits(Splits),
    /// Draw contact sheets: a row for every shift, a column for each severity; one PNG per task and one page.
    #[command(
        after_help = "Example:\n  vrrl gallery --out gallery\n  vrrl gallery --task table --shift blur font --mark --tile 400 --out tables"
    )]
    Gallery(GalleryArgs),
    /// Show one example, as text and PNG.
    #[command(
        after_help = "Example:\n  vrrl show ood7 3 --propose \"up right\" --out look\n  vrrl show paper/table/id_test 0 --propose \"840 297\" --feedback whole --out look\n  vrrl show id_test 0 --shift noise=3 theme=night --out look"
    )]
    Show(ShowArgs),
    /// Train one recipe into a checkpoint.
    #[command(
        after_help = "Example:\n  vrrl train vrrl.yaml --init runs/quickstart/checkpoints/multi_sft --out my-checkpoint\n\nA recipe:\n  method: vrrl\n  train: quick/maze/train\n  val: quick/maze/id_val\n  rl: {preset: small, steps: 100}"
    )]
    Train(TrainArgs),
    /// Train and score a grid, named variants or seeds of an experiment's methods, some at a time, into one table.
    #[command(
        after_help = "Example:\n  vrrl sweep sweep.yaml --dry-run\n  vrrl sweep sweep.yaml --out runs/rho --jobs 4\n\nA sweep:\n  format: 1\n  name: rho\n  experiment: quickstart        # a built-in one, an experiment's file, or one written out\n  seeds: [1, 2, 3]\n  base: multi_sft_grpo          # every row is compared with it, paired by seed\n  grid:                         # every combination; keys are METHOD.PATH into the method's recipe\n    vrrl.rl.buffer.share: [0.25, 0.5]\n    vrrl.rl.rtm: [{}, {spare_first: true}]\n  variants:                     # or by hand\n    no-ban: {vrrl.rl.buffer.ban: never}\n\nWhat variants share is trained once. A failed run does not stop the others; the same command again goes on. The\nsame folder takes further variants, and further seeds at the end of the list."
    )]
    Sweep(SweepArgs),
    /// Score a policy on splits.
    #[command(
        after_help = "Example:\n  vrrl eval --model candle:runs/quickstart/checkpoints/vrrl --split ood7 --out my-run --temperature 1\n  vrrl eval --model openai:http://localhost:8000/v1#my-model --split table_id --out my-run --workers auto\n\nAn endpoint's key is read from OPENAI_API_KEY alone.\nThe same command again goes on where it stopped."
    )]
    Eval(EvalArgs),
    /// Judge and reward recorded turns, without a model.
    #[command(
        after_help = "Example:\n  vrrl score --input traces.jsonl --reward vrrl_paper --output scores.jsonl"
    )]
    Score(ScoreArgs),
    /// Write tables and one page from run or experiment directories, or a leaderboard site; also in other tools' formats.
    #[command(
        after_help = "Example:\n  vrrl report runs/quickstart --out my-report\n  vrrl report runs/quickstart --out my-report --export tensorboard,bencher\n  vrrl report submissions --site public"
    )]
    Report(ReportArgs),
    /// Compare two runs, item by item.
    #[command(
        after_help = "Example:\n  vrrl compare runs/quickstart/evals/multi_sft_grpo@t1 runs/quickstart/evals/vrrl@t1"
    )]
    Compare(CompareArgs),
    /// May a candidate take the baseline's place? Pass, fail, or inconclusive, by exit code 0, 3 or 7.
    #[command(
        after_help = "Example:\n  vrrl gate --baseline baselines/mine.json --candidate runs/new --junit gate.xml\n  vrrl gate bless runs/mine --out baselines/mine.json\n\nRules, in a gate.yaml:\n  alpha: 0.05\n  rules:\n    - {metric: accuracy, role: ood_test, max_drop: 2 points}\n    - {metric: delta_ref, splits: [ood7], at_least: 0.05}\n    - {metric: format_fault_rate, at_most: 1 %}"
    )]
    Gate(GateArgs),
    /// Judge a run's traces again: do its numbers follow?
    #[command(
        after_help = "Example:\n  vrrl verify runs/quickstart/evals/vrrl@t1\n\nExit code 6 where they do not."
    )]
    Verify(VerifyRunArgs),
    /// Make one run of the shards of an evaluation.
    #[command(
        after_help = "Example:\n  vrrl eval --model oracle --split ood7 --shard 1/2 --out runs/part1\n  vrrl eval --model oracle --split ood7 --shard 2/2 --out runs/part2\n  vrrl merge runs/part1 runs/part2 --out runs/whole\n\nThe result equals the run without shards, timing and date aside."
    )]
    Merge(MergeArgs),
    /// Read another harness's outputs as a run, and judge the replies anew where their ground truth is known.
    #[command(
        after_help = "Example:\n  vrrl import --from lm-eval results/my-model/samples_vrrl_maze_ood7_*.jsonl --out runs/theirs\n  vrrl import --from inspect logs/my-log.eval --out runs/theirs\n\nThe harness's own metrics stay beside, in imported.jsonl; `vrrl compare` reads the run."
    )]
    Import(ImportRunArgs),
    /// Write a checkpoint as ONNX graphs, or a run as another tool wants it: lm-eval's results and samples.
    #[command(
        after_help = "Example:\n  vrrl export runs/quickstart/checkpoints/vrrl --onnx vrrl-onnx --int8\n  vrrl export runs/quickstart/evals/vrrl@t1 --lm-eval results\n\nGraphs: vision_encoder, embed_tokens and decoder_model_merged (.onnx, opset 17), *_int8.onnx with --int8; score\nthem with --model ort:vrrl-onnx or ort:vrrl-onnx#int8. Eight-bit weights have a scale for each output and are made\ninto floats as they are used; activations stay floats."
    )]
    Export(ExportRunArgs),
    /// Run the same examples through two models that ought to reply alike, and say where they do not.
    #[command(
        after_help = "Example:\n  vrrl parity candle:runs/quickstart/checkpoints/vrrl ort:vrrl-onnx --split ood7\n  vrrl parity ort:vrrl-onnx ort:vrrl-onnx#int8 --split ood7 --min-equal 0\n\nEnds with exit code 3 if fewer than --min-equal of the turns are equal."
    )]
    Parity(ParityArgs),
    /// Say what works on this machine, and install what is missing.
    #[command(after_help = "Example:\n  vrrl doctor --format json\n  vrrl doctor --fix")]
    Doctor(DoctorArgs),
    /// Print completions for a shell.
    #[command(
        after_help = "Example:\n  vrrl completions bash > ~/.local/share/bash-completion/completions/vrrl"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(ClapArgs, Debug, Default)]
pub(crate) struct RunArgs {
    /// An experiment file; the built-in quickstart where absent.
    #[arg(value_name = "EXPERIMENT.yaml")]
    pub file: Option<PathBuf>,
    /// Print the experiment and do nothing.
    #[arg(long)]
    pub show: bool,
    /// Experiment directory [default: runs/NAME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// First training seed; an experiment with several takes the ones after it.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// A built-in experiment: quickstart, mazes, ablations or reference.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub preset: Option<String>,
    /// cpu, cuda or cuda-bf16.
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Files of third-party maps to score on as well.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub maps: Vec<PathBuf>,
    /// Stages that run side by side; changes no result [default: cores, at most 2].
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct TrainArgs {
    /// The recipe file.
    pub recipe: PathBuf,
    /// Checkpoint directory to make or to go on with.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Checkpoint directory to start from.
    #[arg(long, value_name = "DIR")]
    pub init: Option<PathBuf>,
    /// cpu, cuda or cuda-bf16.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Write the training curves as TensorBoard events into --out, while training.
    #[arg(long)]
    pub tensorboard: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct MergeArgs {
    /// Run directories of all shards, in any order.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Run directory to make.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// How the summary is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct EvalArgs {
    /// candle:PATH, ort:DIR (ONNX graphs; ort:DIR#int8 for a variant), openai:URL#NAME (an endpoint with chat completions), replay:TRACES.jsonl, oracle, noisy-oracle:P, random or repeat.
    #[arg(long)]
    pub model: String,
    /// Names (the last part is enough), definition files, materialized folders or files of maps.
    #[arg(long, value_name = "SPLIT", num_args = 1.., required = true)]
    pub split: Vec<String>,
    /// Run directory to make or to go on with.
    #[arg(long, value_name = "RUN", required_unless_present = "dry_run")]
    pub out: Option<PathBuf>,
    /// Only the first examples of each split.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// One of N parts of each split, from 1/N to N/N; `vrrl merge` makes one run of them.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Only these examples.
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub samples: Vec<String>,
    /// Episodes an example.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub repeats: u32,
    /// Most turns, commit included.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub max_turns: usize,
    /// 0 is greedy.
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    pub temperature: f64,
    /// Evaluation seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// More faults than this share fail the run.
    #[arg(long, value_name = "R", default_value_t = 0.01)]
    pub max_fault_rate: f64,
    /// What is shown in place of the policy's own feedback: none (its own), blank (an empty picture of equal
    /// size), swapped (the same proposal on the split's next example), oracle (a right answer, drawn). Several
    /// (blank,swapped,oracle) run one after the other beside the policy's own, each in a folder of RUN, and end
    /// with what its own feedback is worth.
    #[arg(long, value_name = "CONTROL,...", default_value = "none", value_delimiter = ',', value_parser = control)]
    pub control: Vec<Control>,
    /// For tables and charts: crop (the surroundings of the point) or whole (the full picture).
    #[arg(long, value_name = "MODE", default_value = "crop", value_parser = feedback)]
    pub feedback: FeedbackMode,
    /// Turn language [default: the checkpoint's own, else bare_commit].
    #[arg(long, value_parser = dialect)]
    pub dialect: Option<Dialect>,
    /// cpu, cuda or cuda-bf16.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Endpoints: episodes at once; auto grows until latency or refusals say stop [default: auto].
    #[arg(long, value_name = "N|auto")]
    pub workers: Option<Workers>,
    /// Endpoints: what the model is told; plain, question, or a YAML file [default: plain].
    #[arg(long, value_name = "NAME|PATH")]
    pub prompt_profile: Option<String>,
    /// Endpoints: a file of settings (token_limit, max_tokens, stop, omit, max_side, max_pixels, image_detail,
    /// extra_body, headers, tries, backoff_s, max_wait_s, connect_timeout_s, timeout_s).
    #[arg(long, value_name = "FILE.yaml")]
    pub endpoint: Option<PathBuf>,
    /// Endpoints: a directory of replies to reuse and to add to.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Flags of ONNX graphs.
    #[command(flatten)]
    pub ort: OrtArgs,
    /// Say what would be asked, and ask nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// json prints summary.json at the end.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn control(word: &str) -> Result<Control, String> {
    let known = Control::ALL.map(Control::word).join(", ");
    Control::ALL.into_iter().find(|c| c.word() == word).ok_or_else(|| format!("there are {known}"))
}

fn feedback(word: &str) -> Result<FeedbackMode, String> {
    let known = FeedbackMode::ALL.map(FeedbackMode::word).join(", ");
    FeedbackMode::ALL.into_iter().find(|m| m.word() == word).ok_or_else(|| format!("there are {known}"))
}

fn task(word: &str) -> Result<TaskKind, String> {
    const ALL: [TaskKind; 3] = [TaskKind::Table, TaskKind::Chart, TaskKind::Maze];
    let known = ALL.map(TaskKind::word).join(", ");
    ALL.into_iter().find(|t| t.word() == word).ok_or_else(|| format!("there are {known}"))
}

fn role(word: &str) -> Result<Role, String> {
    const ALL: [Role; 5] = [Role::Train, Role::IdVal, Role::IdTest, Role::OodVal, Role::OodTest];
    let known = ALL.map(Role::word).join(", ");
    ALL.into_iter().find(|r| r.word() == word).ok_or_else(|| format!("there are {known}"))
}

fn view(word: &str) -> Result<View, String> {
    match word {
        "crisp" => Ok(View::Crisp),
        "canvas" => Ok(View::Canvas),
        _ => Err("there are crisp, canvas".into()),
    }
}

fn dialect(word: &str) -> Result<Dialect, String> {
    let known = Dialect::ALL.map(Dialect::word).join(", ");
    Dialect::from_word(word).ok_or_else(|| format!("unknown dialect; there are {known}"))
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ScoreArgs {
    /// Turns, one JSON object a line.
    #[arg(long, value_name = "TRACES.jsonl")]
    pub input: PathBuf,
    /// vrrl_paper, vrrl_code, outcome_only, or a YAML file.
    #[arg(long, value_name = "REWARD.yaml|PRESET")]
    pub reward: String,
    /// Scores, one JSON object a line.
    #[arg(long, value_name = "OUT.jsonl")]
    pub output: PathBuf,
    /// What happens at a line that cannot be scored.
    #[arg(long, value_enum, default_value_t)]
    pub on_error: BadLine,
    /// Also write, under the key lenient, the score that a forgiving reading of the turns would give.
    #[arg(long)]
    pub lenient: bool,
    /// How the counts are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum BadLine {
    /// Stop with exit code 2 and write nothing.
    #[default]
    Abort,
    /// Write an error object in its place and end with exit code 2.
    Record,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ReportArgs {
    /// Run or experiment directories.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder to write into.
    #[arg(long, value_name = "DIR", required_unless_present = "site")]
    pub out: Option<PathBuf>,
    /// A site, and other formats.
    #[command(flatten)]
    pub publish: PublishArgs,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct CompareArgs {
    /// A run directory, or a JSONL file whose lines carry id and correct (and may carry split, correct_first).
    pub a: PathBuf,
    /// Another, over the same items.
    pub b: PathBuf,
    /// Another pair of runs of the same two methods, trained with another seed; once for each further seed. The
    /// claim is then about the methods: seeds are what is tested, not items.
    #[arg(long, value_names = ["A", "B"], num_args = 2, action = clap::ArgAction::Append)]
    pub pair: Vec<PathBuf>,
    /// Compare the items that are on both sides once, and count the others, in place of refusing.
    #[arg(long)]
    pub intersect: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct DoctorArgs {
    /// Install ONNX Runtime from its package on PyPI (checked by its hash) into the cache, where ort: looks for it.
    #[arg(long)]
    pub fix: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_are_sound_and_every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example:\n  vrrl "), "{} has no example", command.get_name());
            command.get_subcommands().for_each(check);
        }
        let command = Args::command();
        command.clone().debug_assert();
        check(&command);
    }

    #[test]
    fn no_command_is_run() {
        assert!(Args::try_parse_from(["vrrl"]).unwrap().command.is_none());
        let error = Args::try_parse_from(["vrrl", "run", "x.yaml", "--preset", "quickstart"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
