//! Defects of the engine.
