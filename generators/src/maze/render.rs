//! The two pictures of a maze: crisp, 64 pixels a cell, and the small canvas, 8 pixels a cell.

use std::sync::OnceLock;

use vrrl_harness_core::Image;

use super::generate::{MazeScene, CANVAS_CELLS};
use crate::canvas::{Rgb, Shape, Sprite, UNIT};

/// Pixels of a cell's side on the crisp picture.
pub(crate) const CRISP: usize = 64;
/// Pixels around the crisp board: half a cell, so that a step off the grid can be drawn.
pub(crate) const MARGIN: usize = CRISP / 2;
/// Pixels of a cell's side on the canvas.
pub(crate) const SMALL: usize = 8;

const SNOW: Rgb = [238, 242, 246];
const ICE: Rgb = [208, 230, 242];
const SEAM: Rgb = [184, 212, 228];
const GLINT: Rgb = [230, 243, 249];

const GREY: Rgb = [128, 128, 128];

struct Tiles {
    frozen: Sprite,
    hole: Sprite,
    start: Sprite,
    goal: Sprite,
}

impl Tiles {
    fn of(&self, letter: char) -> &Sprite {
        match letter {
            'H' => &self.hole,
            'S' => &self.start,
            'G' => &self.goal,
            _ => &self.frozen,
        }
    }
}

/// The crisp picture, `(n + 1) * 64` pixels square.
pub(crate) fn crisp(scene: &MazeScene) -> Image {
    static TILES: OnceLock<Tiles> = OnceLock::new();
    let tiles = TILES.get_or_init(crisp_tiles);
    let side = scene.size() * CRISP + 2 * MARGIN;
    draw(scene, tiles, side, SNOW, CRISP, [MARGIN, MARGIN])
}

/// The canvas, 64 pixels square whatever the size of the board.
pub(crate) fn canvas(scene: &MazeScene) -> Image {
    static TILES: OnceLock<Tiles> = OnceLock::new();
    let tiles = TILES.get_or_init(small_tiles);
    draw(scene, tiles, CANVAS_CELLS * SMALL, GREY, SMALL, scene.offset.map(|cells| cells * SMALL))
}

/// `corner` is the board's top row and left column in pixels.
fn draw(
    scene: &MazeScene,
    tiles: &Tiles,
    side: usize,
    around: Rgb,
    cell_side: usize,
    corner: [usize; 2],
) -> Image {
    let n = scene.size();
    let mut image = Image::from_raw(side as u32, side as u32, around.repeat(side * side))
        .expect("the buffer has three bytes for each pixel");
    for cell in 0..n * n {
        let (row, column) = (cell / n, cell % n);
        tiles.of(scene.letter(cell)).blit(
            &mut image,
            corner[1] + column * cell_side,
            corner[0] + row * cell_side,
        );
    }
    image
}

/// Pixels to [`UNIT`]s.
const fn px(pixels: i32) -> i32 {
    pixels * UNIT
}

fn crisp_tiles() -> Tiles {
    let rect = |x0, y0, x1, y1, r| Shape::Rect(px(x0), px(y0), px(x1), px(y1), px(r));
    let disc = |x, y, r| Shape::disc(px(x), px(y), px(r));
    let ellipse = |x, y, rx, ry| Shape::Ellipse(px(x), px(y), px(rx), px(ry));
    let polygon =
        |corners: &[(i32, i32)]| Shape::Polygon(corners.iter().map(|&(x, y)| (px(x), px(y))).collect());
    // Half a pixel of seam on each side makes one line between neighbours.
    let ice = Sprite::new(CRISP, SEAM).paint(&rect(1, 1, 63, 63, 3), ICE);
    let frozen = ice
        .clone()
        .paint(&polygon(&[(12, 26), (26, 12), (30, 12), (12, 30)]), GLINT)
        .paint(&polygon(&[(38, 52), (52, 38), (54, 38), (38, 54)]), GLINT);
    let hole = ice
        .clone()
        .paint(&disc(32, 32, 26), [168, 203, 222])
        .paint(&disc(32, 32, 24), [40, 84, 128])
        .paint(&disc(32, 34, 21), [22, 52, 92])
        .paint(&ellipse(25, 24, 6, 3), [74, 122, 164]);
    let start = ice
        .clone()
        .paint(&ellipse(32, 56, 15, 3), SEAM)
        .paint(&rect(23, 44, 30, 56, 2), [92, 60, 40])
        .paint(&rect(34, 44, 41, 56, 2), [92, 60, 40])
        .paint(&polygon(&[(24, 29), (40, 29), (46, 49), (18, 49)]), [38, 138, 74])
        .paint(&rect(20, 41, 44, 44, 0), [60, 44, 34])
        .paint(&rect(29, 40, 35, 45, 1), [240, 196, 64])
        .paint(&disc(32, 23, 10), [248, 212, 178])
        .paint(&polygon(&[(20, 20), (44, 20), (35, 3), (31, 3)]), [26, 110, 58])
        .paint(&rect(19, 17, 45, 21, 2), [250, 250, 250])
        .paint(&disc(33, 5, 3), [250, 250, 250])
        .paint(&disc(28, 25, 2), [40, 36, 44])
        .paint(&disc(36, 25, 2), [40, 36, 44]);
    let goal = ice
        .paint(&ellipse(32, 55, 21, 3), SEAM)
        .paint(&rect(14, 28, 50, 55, 2), [242, 186, 46])
        .paint(&rect(14, 28, 50, 31, 0), [206, 148, 26])
        .paint(&rect(11, 20, 53, 29, 2), [250, 206, 82])
        .paint(&rect(28, 20, 36, 55, 0), [124, 58, 160])
        .paint(&polygon(&[(32, 20), (16, 8), (14, 18)]), [124, 58, 160])
        .paint(&polygon(&[(32, 20), (48, 8), (50, 18)]), [124, 58, 160])
        .paint(&polygon(&[(32, 20), (19, 12), (18, 17)]), [164, 102, 196])
        .paint(&polygon(&[(32, 20), (45, 12), (46, 17)]), [164, 102, 196])
        .paint(&disc(32, 19, 4), [124, 58, 160]);
    Tiles { frozen, hole, start, goal }
}

/// Sprites of 8 × 8 pixels; the middle four carry the path in feedback, so each is known by its rim as well.
fn small_tiles() -> Tiles {
    let colour = |letter: u8| match letter {
        b'i' => [216, 236, 248],
        b'I' => [184, 210, 228],
        b'w' => [16, 32, 72],
        b'W' => [48, 88, 144],
        b'g' => [32, 150, 64],
        b'G' => [12, 84, 36],
        b's' => [248, 208, 168],
        b'y' => [250, 200, 40],
        b'Y' => [176, 120, 8],
        b'v' => [128, 48, 168],
        _ => GREY,
    };
    let art = |rows: [&str; 8]| Sprite::from_art(&rows, colour);
    Tiles {
        frozen: art([
            "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "iiiiiiiI", "IIIIIIII",
        ]),
        hole: art([
            "iiWWWWiI", "iWwwwwWI", "WwwwwwwW", "WwwwwwwW", "WwwwwwwW", "WwwwwwwW", "iWwwwwWI", "IIWWWWII",
        ]),
        start: art([
            "iiiGGiiI", "iiGGGGiI", "iGssssGI", "iissssiI", "iggggggI", "gggggggg", "iggggggI", "IGGIIGGI",
        ]),
        goal: art([
            "ivviivvI", "iivvvviI", "yyyvvyyy", "yyyvvyyy", "YYYvvYYY", "yyyvvyyy", "yyyvvyyy", "YYYvvYYY",
        ]),
    }
}
