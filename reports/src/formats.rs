//! Runs in the formats of other tools, each made from the diagram of the run.

mod chrome;
mod dot;
mod edn;
mod itf;
mod shiviz;

pub use chrome::write_chrome_trace;
pub use dot::write_dot;
pub use edn::write_edn;
pub use itf::write_itf;
pub use shiviz::write_shiviz;

use crate::diagram::{Diagram, DiagramStep, Part};
use crate::foreign::line;

/// What happened in a step, on one line; empty if nothing did.
fn step_text(diagram: &Diagram, step: &DiagramStep) -> String {
    let parts: Vec<_> = step.parts.iter().map(|part| part_text(diagram, part)).collect();
    parts.join("; ")
}

/// What a part of a step is, on one line.
fn part_text(diagram: &Diagram, part: &Part) -> String {
    let verb = match part.event {
        "send" | "carry" => "sends ",
        "deliver" => "receives ",
        "drop" => "loses ",
        _ => "",
    };
    format!("{verb}{}", line(diagram.text(part.text)))
}

/// The name of a step's lane.
fn lane_name<'d>(diagram: &'d Diagram, step: &DiagramStep) -> &'d str {
    let lane = step.lane.and_then(|lane| diagram.lanes.get(lane as usize));
    lane.map_or("network", |lane| lane.name.as_str())
}
