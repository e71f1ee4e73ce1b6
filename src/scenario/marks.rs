//! Marks along a run: enough of a rolling digest to tell which event is the first that differs.

use std::hash::Hasher;

use ftsim_core::Digest;
use ftsim_core::outcome::trace::Trace;

/// Marks along a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// How many events each mark stands for, at least 1.
    pub every: u64,
    /// After each so many events, and after the last, 16 bits of the digest so far.
    pub marks: Vec<u16>,
}

/// So many marks at most.
const MARK_COUNT_MAX: u64 = 1_000;
/// Marks in a line of their text.
const LINE: usize = 20;

impl Marks {
    /// The marks along this run.
    pub fn of(trace: &Trace) -> Self {
        let every = (trace.entries.len() as u64).div_ceil(MARK_COUNT_MAX).max(1);
        Self::with(trace, every)
    }

    fn with(trace: &Trace, every: u64) -> Self {
        let mut digest = Digest::EMPTY;
        let mut marks = Vec::new();
        let events = trace.entries.chunks(usize::try_from(every).unwrap_or(usize::MAX));
        for some in events {
            for entry in some {
                let text = serde_json::to_vec(entry).expect("an entry has only text as its keys");
                digest.write(&text);
            }
            // The upper bits are the better ones.
            marks.push(u16::try_from(digest.value() >> 48).expect("16 bits are left"));
        }
        Self { every, marks }
    }

    /// Where this run begins to differ: its events from here to there, counted from 0, one of which
    /// is the first. `None` if no mark tells.
    pub fn first_difference(&self, trace: &Trace) -> Option<std::ops::Range<u64>> {
        let other = Self::with(trace, self.every);
        let same = self.marks.iter().zip(&other.marks).take_while(|(a, b)| a == b).count();
        let differs = same < self.marks.len().max(other.marks.len());
        let from = self.every.saturating_mul(same as u64);
        differs.then(|| from..from.saturating_add(self.every))
    }

    /// As text, in lines.
    pub fn text(&self) -> String {
        let line = |marks: &[u16]| {
            let marks: Vec<String> = marks.iter().map(|mark| format!("{mark:04x}")).collect();
            marks.join(" ")
        };
        self.marks.chunks(LINE).map(line).collect::<Vec<_>>().join("\n")
    }

    /// Reads the text; `None` if it is none.
    pub fn parse(every: u64, text: &str) -> Option<Self> {
        let marks = text.split_whitespace().map(|mark| u16::from_str_radix(mark, 16).ok());
        let marks: Option<Vec<u16>> = marks.collect();
        marks.filter(|_| every > 0).map(|marks| Self { every, marks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftsim_core::Instant;
    use ftsim_core::outcome::trace::{Entry, TraceEvent};

    fn trace(remarks: &[u32]) -> Trace {
        let entry = |(step, remark): (u64, &u32)| Entry {
            step,
            at: Instant::ZERO,
            process: None,
            what: TraceEvent::Note { remark: remark.to_string() },
        };
        Trace { entries: (1..).zip(remarks).map(entry).collect(), truncated: false }
    }

    #[test]
    fn marks_name_the_first_event_that_differs() {
        let events: Vec<u32> = (0..100).collect();
        let marks = Marks::of(&trace(&events));
        assert_eq!(marks.first_difference(&trace(&events)), None);
        let mut other = events.clone();
        other[41] = 7;
        assert_eq!(marks.first_difference(&trace(&other)), Some(41..42));
        assert_eq!(marks.first_difference(&trace(&events[..90])), Some(90..91));
        other = events.clone();
        other.push(0);
        assert_eq!(marks.first_difference(&trace(&other)), Some(100..101));
        assert_eq!(Marks::parse(marks.every, &marks.text()), Some(marks));
    }

    #[test]
    fn long_runs_have_as_many_marks_as_others() {
        let events: Vec<u32> = (0..2_500).collect();
        let marks = Marks::of(&trace(&events));
        assert_eq!((marks.every, marks.marks.len()), (3, 834));
        let mut other = events;
        other[1_000] = 0;
        assert_eq!(marks.first_difference(&trace(&other)), Some(999..1_002));

        // A file can say any number.
        let marks = Marks { every: u64::MAX, marks: vec![0, 0] };
        assert_eq!(marks.first_difference(&trace(&[])), Some(0..u64::MAX));
    }
}
