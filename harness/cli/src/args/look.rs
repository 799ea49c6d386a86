//! Flags of `vrrl show` and `vrrl gallery`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use vrrl_harness_core::{Dialect, FeedbackMode, TaskKind, View};

use super::{dialect, feedback, task, view};
use crate::output::Format;

#[derive(ClapArgs, Debug)]
pub(crate) struct ShowArgs {
    /// Name of the split, a definition file, a materialized folder or a file of maps.
    pub split: String,
    /// Which example, from 0.
    pub index: usize,
    /// A proposal to draw and judge: moves such as "up right", or x and y in pixels such as "840 297".
    #[arg(long, value_name = "ANSWER", allow_hyphen_values = true)]
    pub propose: Option<String>,
    /// For tables and charts: crop (the surroundings of the point) or whole (the full picture).
    #[arg(long, value_name = "MODE", default_value = "crop", value_parser = feedback)]
    pub feedback: FeedbackMode,
    /// The same scene under shifts: axes with their levels.
    #[arg(long, value_name = "AXIS=LEVEL", num_args = 1.., value_delimiter = ',')]
    pub shift: Vec<String>,
    /// Files with axes of your own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub axes: Vec<PathBuf>,
    /// crisp (for people and large models) or canvas (64×64 pixels, for the small policy).
    #[arg(long, value_name = "VIEW", default_value = "crisp", value_parser = view)]
    pub view: View,
    /// Folder for the pictures.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Print exactly what a prompted model is told, and draw nothing.
    #[arg(long)]
    pub prompt: bool,
    /// Its wording: plain, question or a YAML file.
    #[arg(long, value_name = "NAME|PATH", default_value = "plain")]
    pub prompt_profile: String,
    /// Its turn language.
    #[arg(long, value_parser = dialect, default_value = "reflection_tag")]
    pub dialect: Dialect,
    /// Most turns it may take, commit included.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub max_turns: usize,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct GalleryArgs {
    /// Tasks [default: that of the base, else all].
    #[arg(long, value_name = "TASK", num_args = 1.., value_parser = task)]
    pub task: Vec<TaskKind>,
    /// Shift axes [default: all of the task].
    #[arg(long, value_name = "AXIS", num_args = 1.., value_delimiter = ',')]
    pub shift: Vec<String>,
    /// Files with axes of your own.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub axes: Vec<PathBuf>,
    /// Split to shift, a name or a definition's file [default: each task's in-distribution test split].
    #[arg(long, value_name = "SPLIT")]
    pub base: Option<String>,
    /// Base scenes on the page, a row each; the picture shows the first.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub scenes: usize,
    /// Seed of the scenes.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// crisp (for people and large models) or canvas (64×64 pixels, for the small policy).
    #[arg(long, value_name = "VIEW", default_value = "crisp", value_parser = view)]
    pub view: View,
    /// On the picture, the surroundings of the answer pixel by pixel instead of the whole.
    #[arg(long)]
    pub close: bool,
    /// On the picture, a green frame around what is right.
    #[arg(long)]
    pub mark: bool,
    /// Width of a tile of the picture, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 240)]
    pub tile: u32,
    /// Folder to write into.
    #[arg(long, value_name = "DIR", default_value = "gallery")]
    pub out: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
