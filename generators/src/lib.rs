//! The tasks: generation, rendering, feedback, judging.
//!
//! Everything is a pure function of parameters and a seed: the same seed gives the same bytes on every
//! machine, because generation and drawing use integers only. Other crates see a task through [`pose`] and
//! [`pose_truth`]; they never name one.

mod again;
#[doc(hidden)]
pub mod bench;
mod canvas;
mod chart;
pub mod gallery;
mod look;
mod maze;
mod pictured;
mod place;
mod point;
mod pose;
pub mod shift;
pub mod table;
mod words;

pub use canvas::{png, Family};
pub use chart::{
    Chart, ChartFamily, ChartLayout, ChartParams, ChartScene, LabelDomain, Legend, Numbers,
    Query as ChartQuery,
};
pub use look::{Grid, LineStyle, Look, Palette};
pub use maze::{Maze, MazeParams, MazeScene, Theme};
pub use pictured::{pose_picture, LoadPicture};
pub use pose::{check, every, pose, pose_truth};
pub use table::{Table, TableParams, TableScene};

/// Version of everything here that decides bytes of generated data; part of every split's hash.
pub const VERSION: u32 = 1;
