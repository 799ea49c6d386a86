//! The workspace's test package: layering, command line, golden files, laws.
