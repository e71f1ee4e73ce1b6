//! Defects of the commands.
