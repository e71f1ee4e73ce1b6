//! A small trace, and its diagram.
