//! Ground truth as it stands in files (`truth` of a trace or a metadata row).

use serde::{Deserialize, Deserializer, Serialize};

/// What decides whether an answer is right.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Truth {
    /// A maze.
    Maze(MazeTruth),
    /// A place in an image.
    Region(RegionTruth),
}

/// A maze: rows of `S`, `F`, `H`, `G`, and row-major cell indices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MazeTruth {
    /// Rows of cells; read from `["SF", "HG"]` and from `[["S", "F"], ["H", "G"]]`.
    #[serde(deserialize_with = "rows")]
    pub layout: Vec<String>,
    /// Start cell.
    pub start_pos: usize,
    /// Goal cell.
    pub target_pos: usize,
    /// Cells on a side.
    pub level: usize,
}

/// A place in an image, in pixels of the original: a point with a tolerance, or a box.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RegionTruth {
    /// The point to hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// The box to hit, `[x0, y0, x1, y1]`, borders included.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub bounds: Option<[f64; 4]>,
    /// Largest distance that counts as a hit; wins over the reward's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Width and height of the original image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
}

fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Row {
        Joined(String),
        Cells(Vec<String>),
    }
    let rows = Vec::<Row>::deserialize(deserializer)?;
    Ok(rows
        .into_iter()
        .map(|row| match row {
            Row::Joined(text) => text,
            Row::Cells(cells) => cells.concat(),
        })
        .collect())
}
