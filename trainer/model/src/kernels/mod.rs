//! The network's arithmetic on plain `f32` slices: each kernel with its exact backward pass.
//!
//! A straight port to small candle operations spends its time in memory traffic. These fuse what belongs
//! together and stay single-threaded; [`crate::ops`] wraps them as candle custom operations and offers a
//! composed form of each for other devices, which the tests hold against these.

pub mod attention;
pub mod conv;
pub mod linear;
pub mod norm;
pub mod scalar;
