//! Shifts: named ways in which pictures and scenes leave what was trained on, and how far.
//!
//! An [`Axis`] is data (`axes.yaml`, or a user's file of the same format): for every level a *patch* that is
//! merged into a task's parameters. A patch changes the scene, its look, or, under the key `post`, the
//! finished picture ([`Op`]). [`resolve`] merges the patches of any number of axes; [`pose`](crate::pose)
//! draws what comes out.

mod axis;
mod near;
mod op;
mod pixels;
mod posed;
mod resolve;
#[cfg(test)]
mod tests;

pub use axis::{axes, axes_from_yaml, axis, Axis, Changes, Level};
pub use op::Op;
pub use resolve::resolve;

pub(crate) use op::take_post;
pub(crate) use pixels::shrink;
pub(crate) use posed::{processed, Needs};
