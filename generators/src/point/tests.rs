//! Laws of points.
