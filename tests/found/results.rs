//! Defects of folders and files of results.
