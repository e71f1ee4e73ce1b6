//! Nothing but tests: files that other programs read have the shape that these want.
