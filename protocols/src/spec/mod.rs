//! Problems: one file each.
