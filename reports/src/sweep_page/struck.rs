//! Which faults struck whom, how often, and what the victims had done last.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::ShownSweep;
use crate::foreign::line;
use crate::layout::{counted, with_separators};

/// The faults of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StruckFaults {
    /// A row for each kind and victim, in alphabetical order.
    pub rows: Vec<FaultRow>,
    /// The number of first runs that `led` and `phases` are about.
    pub sampled: u64,
}

/// A kind of fault with a victim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultRow {
    /// The kind.
    pub kind: String,
    /// The victim: a process, a role, or the network.
    pub victim: String,
    /// How often it was in the plan of a run, over all runs.
    pub planned: u64,
    /// How often it struck, over all runs.
    pub struck: u64,
    /// How often its victim led.
    pub led: u64,
    /// How often it struck, by what the victim had done last.
    pub phases: BTreeMap<Phase, u64>,
}

/// What a process had handled last when a fault struck.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phase {
    /// The last event that it handled: the kind of a message, or what it was, such as `a sync`;
    /// empty before the first.
    pub handled: String,
    /// Whether its handler had returned.
    pub is_over: bool,
}

impl Phase {
    /// The trigger occurred, but nothing happened.
    pub const WITHOUT_EFFECT: Self = Self { handled: String::new(), is_over: true };

    fn text(&self) -> String {
        match (self.handled.as_str(), self.is_over) {
            ("", false) => "before its start".to_owned(),
            ("", true) => "without effect".to_owned(),
            (handled, true) => format!("after {handled}"),
            (handled, false) => format!("during {handled}"),
        }
    }
}

/// The section; nothing if no scenario has faults.
pub fn section(sweeps: &[ShownSweep]) -> Markup {
    let shown = || sweeps.iter().filter_map(|sweep| Some((sweep, sweep.struck.as_ref()?)));
    html! {
        @if shown().next().is_some() {
            section {
                h2 { "Which faults struck whom, and when" }
                p { "How often each fault was planned and struck, over all runs. The columns to \
                    the right say what the victim had handled last when it was struck, in the \
                    first runs of the sweep: " em { "during" } " an event if its handler was cut \
                    short, " em { "after" } " it if the process was waiting for the next one. For \
                    a fault of the network, the last event of any process counts. A fault is " em {
                    "without effect" } " if its victim was down already, for example." }
                @for (sweep, struck) in shown() {
                    h3 { (line(&sweep.report.name)) " " small { (counted(sweep.runs, "run"))
                        @if struck.sampled < sweep.runs { ", phases in the first "
                            (with_separators(struck.sampled)) } } }
                    (table(struck))
                }
            }
        }
    }
}

fn table(struck: &StruckFaults) -> Markup {
    let phases: BTreeSet<&Phase> = struck.rows.iter().flat_map(|row| row.phases.keys()).collect();
    let most = struck.rows.iter().flat_map(|row| row.phases.values()).max().copied().unwrap_or(1);
    let is_led = struck.rows.iter().any(|row| row.led > 0);
    html! {
        div.matrix.struck tabindex="0" role="region" aria-label="Faults by victim and phase" {
            table {
                thead { tr { th scope="col" { "fault" } th scope="col" { "victim" }
                    th scope="col" { "struck" } th scope="col" { "planned" }
                    @if is_led { th scope="col" { "while it led" } }
                    @for phase in &phases { th scope="col" { (line(&phase.text())) } } } }
                tbody { @for row in &struck.rows {
                    @let is_planned = row.planned > 0;
                    tr class=[(is_planned && row.struck == 0).then_some("never")] {
                        th scope="row" { (line(&row.kind)) }
                        td { (line(&row.victim)) }
                        @if is_planned {
                            td { @if row.struck == 0 { "never" }
                                @else { (with_separators(row.struck)) } }
                            td { (with_separators(row.planned)) }
                        } @else { td colspan="2" { "by another fault" } }
                        @if is_led { td { @if row.led > 0 { (row.led) } } }
                        @for phase in &phases { (cell(row.phases.get(phase).copied(), most)) }
                    }
                } }
            }
        }
    }
}

/// The number of shades.
const SHADE_COUNT: u64 = 4;

fn cell(count: Option<u64>, most: u64) -> Markup {
    html! {
        @match count {
            None => td {},
            Some(count) => td class=(format!("shade-{}", shade(count, most))) { (count) },
        }
    }
}

/// The shade of a count, from 1 to [`SHADE_COUNT`].
fn shade(count: u64, most: u64) -> u64 {
    count.saturating_mul(SHADE_COUNT).div_ceil(most.max(1)).clamp(1, SHADE_COUNT)
}
