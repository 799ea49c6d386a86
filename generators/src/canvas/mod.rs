//! Drawing with integers: sprites, smooth shapes on them, and copying onto pictures.

mod png;
mod sprite;

pub use png::png;
pub(crate) use sprite::{mix, Rgb, Shape, Sprite, UNIT};
