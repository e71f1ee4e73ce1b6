//! Results of runs in readable form: text, JSON, JUnit, GitHub. Writes to `impl Write`, opens no
//! file, contains no protocol.
//!
//! Text is styled with ANSI escapes; strip them if the output is not a terminal.

mod binomial;
mod causality;
mod diagram;
pub mod drawing;
mod figures;
mod fisher;
mod foreign;
mod formats;
mod github;
mod interval;
mod junit;
mod lanes;
mod layout;
mod mermaid;
mod numbers;
mod outcome;
mod page;
mod pair;
mod program;
mod protocol_page;
mod scenario;
mod statistic;
mod step_text;
mod story;
mod story_text;
mod style;
mod sweep;
mod sweep_page;
mod trace;
mod traffic;
mod waiting;

pub use causality::{Causality, MessageLife, Step};
pub use diagram::{
    About, Band, Change, Diagram, DiagramMessage, DiagramRow, DiagramStep, DiagramStory,
    DiagramVerdict, Lane, Lost, Part, StateAfter,
};
pub use figures::{Figures, Latency, four_digits, write_figures};
pub use fisher::p_value;
pub use foreign::{Medium, foreign, is_active, line, shell_word};
pub use formats::{write_chrome_trace, write_dot, write_edn, write_itf, write_shiviz};
pub use github::{write_annotations, write_step_summary};
pub use interval::Rate;
pub use junit::write_junit;
pub use lanes::{LaneSteps, Lanes, Signs, write_lanes};
pub use layout::{Page, TableRow, counted, with_separators};
pub use mermaid::write_mermaid;
pub use numbers::{MeanCase, MeasuredNumber, NumberCase, write_numbers, write_numbers_markdown};
pub use outcome::{outcome_json, write_outcome};
pub use page::{write_pair_page, write_run_page};
pub use pair::{Pair, PartIndex};
pub use program::{program, set_program};
pub use protocol_page::{
    GENERATOR, ProtocolPage, ShownMutant, ShownRun, ShownScenario, file_name, write_index_page,
    write_protocol_page,
};
pub use scenario::{
    PropertyRow, ReachedRow, RegressionRow, ScenarioReport, SeedRange, Surprise, SurpriseKind,
    write_json, write_scenario_figures, write_text,
};
pub use statistic::{Interval, Judgement, StatisticRow};
pub use step_text::{rounded, step_in_words};
pub use story::{Row, Standing, Story, Violated};
pub use story_text::write_story;
pub use sweep::{ExampleRow, GroupRow, RateRow, SweepReport, write_sweep_json, write_sweep_text};
pub use sweep_page::{
    Change as SweepChange, Compared, Comparison, Curve, FaultRow, Measure, Over, Phase, Picture,
    Point, Quantity, Series, ShownSweep, StruckFaults, SweepPage, headline, write_sweep_page,
};
pub use trace::{Columns, write_entry, write_entry_jsonl, write_trace, write_trace_jsonl};
pub use traffic::{PerRun, Traffic, write_traffic};
