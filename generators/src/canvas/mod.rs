//! Drawing with integers: pictures, letters and smooth shapes; sprites; PNG files.

mod bounds;
mod face;
mod fill;
mod picture;
mod png;
mod sprite;
mod stroke;
#[cfg(test)]
mod tests;
mod text;
mod tiny;

pub(crate) use bounds::Bounds;
pub(crate) use picture::{Dash, Picture};
pub use png::png;
pub(crate) use sprite::{mix, Rgb, Shape, Sprite, UNIT};
pub use text::Family;
pub(crate) use text::{box_of, box_turned, measure, Across, Anchor, Down, Font, Weight};
pub(crate) use tiny::{tiny_box, TINY};
