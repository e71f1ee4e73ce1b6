//! Finished runs made legible: text and JSON. Writes to `impl Write`; opens no file, knows no
//! protocol.
//!
//! Text is styled with ANSI escapes; who writes it to something that is no terminal strips them.

mod figures;
mod outcome;
mod scenario;
mod style;
mod trace;

pub use figures::{Figures, Latency, write_figures};
pub use outcome::{outcome_json, write_outcome};
pub use scenario::{
    PropertyRow, ReachedRow, ScenarioReport, SeedRange, Surprise, SurpriseKind, write_json,
    write_scenario_figures, write_text,
};
pub use trace::{write_trace, write_trace_jsonl};
