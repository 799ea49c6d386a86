//! Tests of the task as a whole.
