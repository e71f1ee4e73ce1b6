//! Finished runs made legible. Writes to `impl Write`; opens no file, knows no protocol.
