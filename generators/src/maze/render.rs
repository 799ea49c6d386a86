//! The two pictures of a maze: crisp, 64 pixels a cell, and the small canvas, 8 pixels a cell.

use vrrl_harness_core::Image;

use super::generate::{MazeScene, CANVAS_CELLS};
use super::theme::Tiles;

/// Pixels of a cell's side on the crisp picture.
pub(crate) const CRISP: usize = 64;
/// Pixels around the crisp board: half a cell, so that a step off the grid can be drawn.
pub(crate) const MARGIN: usize = CRISP / 2;
/// Pixels of a cell's side on the canvas.
pub(crate) const SMALL: usize = 8;

/// The crisp picture, `(n + 1) * 64` pixels square.
pub(crate) fn crisp(scene: &MazeScene) -> Image {
    let side = scene.size() * CRISP + 2 * MARGIN;
    draw(scene, scene.theme.crisp(), side, CRISP, [MARGIN, MARGIN])
}

/// The canvas, 64 pixels square whatever the size of the board.
pub(crate) fn canvas(scene: &MazeScene) -> Image {
    let corner = scene.offset.map(|cells| cells * SMALL);
    draw(scene, scene.theme.small(), CANVAS_CELLS * SMALL, SMALL, corner)
}

/// `corner` is the board's top row and left column in pixels.
fn draw(scene: &MazeScene, tiles: &Tiles, side: usize, cell_side: usize, corner: [usize; 2]) -> Image {
    let n = scene.size();
    let mut image = Image::from_raw(side as u32, side as u32, tiles.around.repeat(side * side))
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
