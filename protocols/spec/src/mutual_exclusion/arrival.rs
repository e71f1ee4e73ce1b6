//! ME3: requests are granted in the order in which they happened, as far as one happened before the
//! other (Lamport 1978).

use ftsim_core::{Observation, Observed, ProcessId, Property, Setting, Violation};

use super::{EntryNumber, Indication, MutualExclusion, Request};
use crate::happened_before::{HappenedBefore, Past};

/// Remembers what happened before each request, and compares it with the entries so far.
#[derive(Clone, Debug, Hash)]
pub(super) struct FirstComeFirstServed {
    /// Requests are the events.
    past: HappenedBefore,
    /// What happened before the last request of each process, in the order of their ids.
    before: Vec<Past>,
    /// The number of the last entry of each process.
    entered: Vec<EntryNumber>,
    has_crashed: Vec<bool>,
    /// Entries after which some other request was granted that had happened before.
    obligations: u64,
}

impl FirstComeFirstServed {
    pub(super) fn new(setting: &Setting) -> Self {
        let n = setting.n as usize;
        Self {
            past: HappenedBefore::new(setting),
            before: vec![vec![0; n]; n],
            entered: vec![0; n],
            has_crashed: vec![false; n],
            obligations: 0,
        }
    }

    fn enter(&mut self, p: ProcessId, number: EntryNumber) -> Result<(), Violation> {
        self.entered[p.index()] = number;
        let others = (0..).map(ProcessId).zip(&self.before[p.index()]);
        let mut others = others.filter(|(q, count)| *q != p && **count > 0);
        let skipped = others
            .clone()
            .find(|(q, count)| self.entered[q.index()] < **count && !self.has_crashed[q.index()]);
        self.obligations += u64::from(others.next().is_some());
        let Some((q, count)) = skipped else { return Ok(()) };
        Err(Violation::by(
            [p, q],
            format!("{p} entered before {q}, whose request number {count} happened before its own"),
        ))
    }
}

impl Property<MutualExclusion> for FirstComeFirstServed {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        let p = event.process;
        if p.index() >= self.before.len() {
            return Ok(());
        }
        match event.what {
            Observation::Request(Request::Enter(number)) => {
                self.before[p.index()] = self.past.of(p).to_vec();
                self.past.event(p, *number);
            }
            Observation::Send(_) | Observation::Receive(_) => self.past.observe(p, event.what),
            Observation::Indication(Indication::Entered(number)) => return self.enter(p, *number),
            Observation::Crash => self.has_crashed[p.index()] = true,
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}
