//! Defects of the checkers of properties.
