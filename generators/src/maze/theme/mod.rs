//! What a maze is drawn with: one set of tiles for each theme, as large and as small pictures.
//!
//! Every theme shows a figure, a gift and holes, so that the question reads the same.

mod blueprint;
mod landscape;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::render::CRISP;
use crate::canvas::{Rgb, Shape, Sprite, UNIT};

/// The look of a maze.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// A frozen lake.
    #[default]
    Ice,
    /// Sand and pits.
    Desert,
    /// Grass and ponds.
    Forest,
    /// Moonlit rock and craters.
    Night,
    /// White lines on blue.
    Blueprint,
}

impl Theme {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Ice
    }

    /// The large tiles and what surrounds them.
    pub(super) fn crisp(self) -> &'static Tiles {
        static TILES: [OnceLock<Tiles>; 5] = [const { OnceLock::new() }; 5];
        TILES[self as usize].get_or_init(|| match self {
            Self::Ice => landscape::ice(),
            Self::Desert => landscape::desert(),
            Self::Forest => landscape::forest(),
            Self::Night => landscape::night(),
            Self::Blueprint => blueprint::crisp(),
        })
    }

    /// The tiles of 8×8 pixels and what surrounds them.
    pub(super) fn small(self) -> &'static Tiles {
        static TILES: [OnceLock<Tiles>; 5] = [const { OnceLock::new() }; 5];
        TILES[self as usize].get_or_init(|| match self {
            Self::Ice => landscape::small_ice(),
            Self::Desert => landscape::small_desert(),
            Self::Forest => landscape::small_forest(),
            Self::Night => landscape::small_night(),
            Self::Blueprint => blueprint::small(),
        })
    }
}

/// One picture for each kind of cell.
pub(super) struct Tiles {
    /// Colour around the board.
    pub(super) around: Rgb,
    free: Sprite,
    hole: Sprite,
    start: Sprite,
    goal: Sprite,
}

impl Tiles {
    pub(super) fn of(&self, letter: char) -> &Sprite {
        match letter {
            'H' => &self.hole,
            'S' => &self.start,
            'G' => &self.goal,
            _ => &self.free,
        }
    }
}

/// Pixels to [`UNIT`]s.
const fn px(pixels: i32) -> i32 {
    pixels * UNIT
}

fn rect(x0: i32, y0: i32, x1: i32, y1: i32, radius: i32) -> Shape {
    Shape::Rect(px(x0), px(y0), px(x1), px(y1), px(radius))
}

fn disc(x: i32, y: i32, radius: i32) -> Shape {
    Shape::disc(px(x), px(y), px(radius))
}

fn ellipse(x: i32, y: i32, rx: i32, ry: i32) -> Shape {
    Shape::Ellipse(px(x), px(y), px(rx), px(ry))
}

fn polygon(corners: &[(i32, i32)]) -> Shape {
    Shape::Polygon(corners.iter().map(|&(x, y)| (px(x), px(y))).collect())
}

/// A cell's ground; half a pixel of seam on each side makes one line between neighbours.
fn ground(seam: Rgb, colour: Rgb) -> Sprite {
    Sprite::new(CRISP, seam).paint(&rect(1, 1, 63, 63, 3), colour)
}

fn pixels(rows: [&str; 8], colours: &[(u8, Rgb)]) -> Sprite {
    let colour = |letter: u8| {
        let known = colours.iter().find(|&&(name, _)| name == letter);
        known.map_or([128, 128, 128], |&(_, colour)| colour)
    };
    Sprite::from_art(&rows, colour)
}
