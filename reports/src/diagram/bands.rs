//! What lasts: processes that are absent, down, paused, Byzantine or leading, and conditions of
//! links.

use std::collections::BTreeMap;

use ftsim_core::Instant;
use ftsim_core::outcome::trace::{Trace, TraceEvent};

use super::texts::{TextId, Texts};
use crate::causality::Causality;

/// Something that lasts.
#[derive(Clone, Debug)]
pub struct Band {
    /// What: `absent`, `down`, `paused`, `byzantine`, `leads`, or `condition`.
    pub what: &'static str,
    /// A description.
    pub text: TextId,
    /// The lanes; all if empty.
    pub lanes: Vec<u32>,
    /// The step in which it begins.
    pub from: usize,
    /// The step in which it ends; `None`: with the run.
    pub until: Option<usize>,
}

/// The bands of a run, in the order of their beginnings.
pub fn bands(
    trace: &Trace,
    causality: &Causality,
    lane_count: usize,
    texts: &mut Texts,
) -> Vec<Band> {
    let mut open = Open { bands: Vec::new(), by_key: BTreeMap::new(), texts };
    for (index, step) in causality.steps.iter().enumerate() {
        for entry in step.entries.iter().map(|entry| &trace.entries[*entry]) {
            let lane = step.process.map(|p| p.0);
            match (&entry.what, lane) {
                // A process that starts late is absent before.
                (TraceEvent::Start, Some(lane)) if entry.at > Instant::ZERO => {
                    open.begin("absent", "absent", vec![lane], 0);
                    open.end("absent", "absent", Some(lane), index);
                }
                (TraceEvent::Indicate { leads: Some(true), .. }, Some(lane)) => {
                    open.end("leads", "leads", Some(lane), index);
                    open.begin("leads", "leads", vec![lane], index);
                }
                (TraceEvent::Indicate { leads: Some(false), .. }, Some(lane)) => {
                    open.end("leads", "leads", Some(lane), index);
                }
                (TraceEvent::Crash { .. }, Some(lane)) => {
                    open.end("leads", "leads", Some(lane), index);
                    open.begin("down", "down", vec![lane], index);
                }
                (TraceEvent::Recover { .. }, Some(lane)) => {
                    open.end("down", "down", Some(lane), index);
                }
                (TraceEvent::Pause, Some(lane)) => {
                    open.begin("paused", "paused", vec![lane], index);
                }
                (TraceEvent::Resume, Some(lane)) => {
                    open.end("paused", "paused", Some(lane), index);
                }
                (TraceEvent::Corrupt { behaviour }, Some(lane)) => {
                    let text = format!("Byzantine: {behaviour}");
                    open.begin("byzantine", &text, vec![lane], index);
                }
                (TraceEvent::Doubled { second }, Some(lane)) => {
                    open.begin("byzantine", &format!("is two: {second}"), vec![lane], index);
                }
                (TraceEvent::Begins { condition }, _) => {
                    let lanes = named(condition, lane_count);
                    open.begin("condition", condition, lanes, index);
                }
                (TraceEvent::Ends { condition }, _) => {
                    open.end("condition", condition, None, index);
                }
                _ => {}
            }
        }
    }
    open.bands.sort_by_key(|band| band.from);
    open.bands
}

struct Open<'t> {
    bands: Vec<Band>,
    /// The latest band of each kind and description, and of each lane if it is of one.
    by_key: BTreeMap<(&'static str, String, Option<u32>), usize>,
    texts: &'t mut Texts,
}

impl Open<'_> {
    fn begin(&mut self, what: &'static str, text: &str, lanes: Vec<u32>, from: usize) {
        let lane = match (what, lanes.as_slice()) {
            ("condition", _) => None,
            (_, [lane]) => Some(*lane),
            _ => None,
        };
        self.by_key.insert((what, text.to_owned(), lane), self.bands.len());
        let text = self.texts.intern(text);
        self.bands.push(Band { what, text, lanes, from, until: None });
    }

    fn end(&mut self, what: &'static str, text: &str, lane: Option<u32>, until: usize) {
        if let Some(index) = self.by_key.remove(&(what, text.to_owned(), lane)) {
            self.bands[index].until = Some(until);
        }
    }
}

/// The processes that a description names, such as p1 and p2 in `partition {p1, p2}`.
fn named(text: &str, lane_count: usize) -> Vec<u32> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let ids = words.filter_map(|word| word.strip_prefix('p')?.parse::<u32>().ok());
    let mut lanes: Vec<u32> = ids.filter(|id| (*id as usize) < lane_count).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}
