//! The results of one class of faults: what was measured, and what it makes of the protocol.

use std::fmt;

use ftsim_core::{Entry, Outcome, PropertyKind, Verdict};
use ftsim_reports::Rate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::class::Class;
use crate::run::failure::failures;

/// The liveness property that says that a ring has come to a state in which it is safe.
const CONVERGENCE: &str = "stab.convergence";
/// The safety property that such a ring violates until then.
const UNTIL_CONVERGENCE: &str = "me.exclusion";

/// The tolerance of a protocol towards a class of faults (Arora and Gouda 1993; Gärtner 1999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// Safe and live.
    Masking,
    /// Safe, and not live.
    FailSafe,
    /// Not safe, but safe again from some point on, and live.
    NonMasking,
    /// Not safe, and not safe again or not live.
    Intolerant,
    /// Nothing was violated, but not everything was decided in all runs.
    Undecided,
    /// Nothing was violated, but the premise of no safety property, or of no liveness property,
    /// came true in any run.
    Untested,
    /// No such fault can strike the protocol.
    NotApplicable,
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Masking => "masking",
            Self::FailSafe => "fail-safe",
            Self::NonMasking => "non-masking",
            Self::Intolerant => "intolerant",
            Self::Undecided => "undecided",
            Self::Untested => "untested",
            Self::NotApplicable => "not applicable",
        })
    }
}

/// The row of a protocol, a class of faults and a number of faulty processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number among all rows, from 0.
    pub index: u64,
    /// The protocol.
    pub protocol: String,
    /// The number of its processes.
    pub processes: u32,
    /// The class of faults.
    pub faults: Class,
    /// The number of faulty processes; none if the faults make no process faulty.
    pub faulty: Option<u32>,
    /// The number of processes that could be among them.
    pub candidates: u32,
    /// What the runs show.
    pub tolerance: Tolerance,
    /// The reason why it is not applicable.
    pub why: Option<String>,
    /// Faults that struck, in all runs.
    pub struck: u64,
    /// Runs that were not safe.
    pub not_safe: Share,
    /// Runs that were not safe, and of which nothing shows that they were safe again.
    pub not_safe_again: Share,
    /// Runs that were not live.
    pub not_live: Share,
    /// Runs in which a limit was reached before some verdict.
    pub undecided: u64,
    /// The violated properties, in the order of the first run that violates each.
    pub violated: Vec<Violated>,
    /// The properties that were judged.
    pub judged: Vec<Judged>,
    /// What an exploration of all runs adds.
    pub explored: Option<Explored>,
}

/// A violated property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violated {
    /// Its name.
    pub property: String,
    /// Whether it is a safety property.
    pub is_safety: bool,
    /// The number of runs that violate it.
    pub runs: u64,
    /// The first of them.
    pub world: u64,
    /// The violation in that run.
    pub message: String,
}

/// A property that was judged in the runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub property: String,
    /// Whether it is a safety property.
    pub is_safety: bool,
    /// Whether its premise came true in some run: if not, nothing was seen of it.
    pub is_tested: bool,
}

/// An exploration of all runs of one small world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explored {
    /// The number of processes.
    pub processes: u32,
    /// The faults that each run could have, and how time passes.
    pub budget: String,
    /// Runs, one of each class.
    pub runs: u64,
    /// Whether these were all, so that what none of them violates is proved for this world.
    pub is_all: bool,
    /// The violated properties: the search ends with the first run that violates any.
    pub violated: Vec<Found>,
}

/// A property that an exploration saw violated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub property: String,
    /// Whether it is a safety property.
    pub is_safety: bool,
    /// The violation.
    pub message: String,
    /// A scenario whose run violates it, if delays can force its order.
    pub scenario: Option<String>,
}

/// Whether this is a safety property of a protocol; a panic is a matter of safety.
pub(super) fn is_safety(entry: &Entry, name: &str) -> bool {
    let known = entry.properties.iter().find(|known| known.id.0 == name);
    known.is_none_or(|known| known.kind == PropertyKind::Safety)
}

/// A number of runs out of all, with an interval when it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The number.
    pub count: u64,
    /// All runs.
    pub total: u64,
}

impl Share {
    /// The share with its interval.
    pub fn rate(self) -> Rate {
        Rate::new(self.count.min(self.total), self.total)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.rate().serialize(s)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shown {
            count: u64,
            total: u64,
        }
        let Shown { count, total } = Shown::deserialize(d)?;
        Ok(Self { count, total })
    }
}

/// What one run shows.
#[derive(Debug, Default)]
pub(super) struct Seen {
    struck: u64,
    is_undecided: bool,
    /// Property, whether it is a safety property, and message.
    failures: Vec<(&'static str, bool, String)>,
    /// Whether it is safe again after what violates safety.
    is_safe_again: bool,
    /// The properties that were judged.
    judged: Vec<Judged>,
}

impl Seen {
    pub fn of(outcome: &Outcome) -> Self {
        let failures = failures(outcome).map(|failure| {
            (failure.id.property, failure.kind == PropertyKind::Safety, failure.message)
        });
        let failures: Vec<_> = failures.collect();
        let judged = &outcome.judged;
        let has_converged = judged
            .iter()
            .any(|one| one.id.0 == CONVERGENCE && !matches!(one.verdict, Verdict::Violated(_)));
        let mut unsafe_by = failures.iter().filter(|(_, is_safety, _)| *is_safety);
        Self {
            struck: (outcome.plan.faults.len() - outcome.unfired.len()) as u64,
            is_undecided: judged.iter().any(|one| matches!(one.verdict, Verdict::Undecided(_))),
            is_safe_again: has_converged && unsafe_by.all(|(name, ..)| *name == UNTIL_CONVERGENCE),
            failures,
            judged: judged
                .iter()
                .map(|one| Judged {
                    property: one.id.0.to_owned(),
                    is_safety: one.kind == PropertyKind::Safety,
                    is_tested: one.exercised > 0,
                })
                .collect(),
        }
    }
}

impl Row {
    /// The row without runs.
    pub(super) fn empty(
        index: u64,
        protocol: &str,
        (faults, faulty): (Class, Option<u32>),
    ) -> Self {
        Self {
            index,
            protocol: protocol.to_owned(),
            processes: 0,
            faults,
            faulty,
            candidates: 0,
            tolerance: Tolerance::NotApplicable,
            why: None,
            struck: 0,
            not_safe: Share::default(),
            not_safe_again: Share::default(),
            not_live: Share::default(),
            undecided: 0,
            violated: Vec::new(),
            judged: Vec::new(),
            explored: None,
        }
    }

    /// Adds the runs of these worlds, in their order.
    pub(super) fn add(&mut self, runs: impl Iterator<Item = (u64, Seen)>) {
        for (world, seen) in runs {
            let violates =
                |safety: bool| seen.failures.iter().any(|(_, is_safety, _)| *is_safety == safety);
            self.not_safe.count += u64::from(violates(true));
            self.not_safe_again.count += u64::from(violates(true) && !seen.is_safe_again);
            self.not_live.count += u64::from(violates(false));
            self.undecided += u64::from(seen.is_undecided);
            self.struck += seen.struck;
            for share in [&mut self.not_safe, &mut self.not_safe_again, &mut self.not_live] {
                share.total += 1;
            }
            for one in seen.judged {
                match self.judged.iter_mut().find(|known| known.property == one.property) {
                    Some(known) => known.is_tested |= one.is_tested,
                    None => self.judged.push(one),
                }
            }
            for (name, is_safety, message) in seen.failures {
                match self.violated.iter_mut().find(|known| known.property == name) {
                    Some(known) => known.runs += 1,
                    None => self.violated.push(Violated {
                        property: name.to_owned(),
                        is_safety,
                        runs: 1,
                        world,
                        message,
                    }),
                }
            }
        }
        self.tolerance = self.measured();
    }

    /// The number of runs.
    pub const fn runs(&self) -> u64 {
        self.not_safe.total
    }

    /// Adds what an exploration saw.
    pub(super) fn add_exploration(&mut self, explored: Option<Explored>) {
        self.explored = explored;
        self.tolerance = self.measured();
    }

    /// Whether the premise of some property of each kind came true, if there are such properties.
    fn is_tested(&self) -> bool {
        [true, false].into_iter().all(|safety| {
            let mut such = self.judged.iter().filter(|one| one.is_safety == safety).peekable();
            such.peek().is_none() || such.any(|one| one.is_tested)
        })
    }

    fn measured(&self) -> Tolerance {
        // In a smaller world, as many faulty processes are a greater part of all.
        let explored = self.explored.iter().filter(|one| one.processes == self.processes);
        let explored = explored.flat_map(|explored| &explored.violated);
        let (found_unsafe, found_not_live): (Vec<_>, Vec<_>) =
            explored.partition(|found| found.is_safety);
        let is_safe = self.not_safe.count == 0 && found_unsafe.is_empty();
        let is_safe_again = self.not_safe_again.count == 0 && found_unsafe.is_empty();
        let is_live = self.not_live.count == 0 && found_not_live.is_empty();
        match (is_safe, is_safe_again, is_live) {
            _ if self.runs() == 0 => Tolerance::NotApplicable,
            (true, _, false) => Tolerance::FailSafe,
            (false, false, _) | (false, true, false) => Tolerance::Intolerant,
            _ if self.undecided > 0 => Tolerance::Undecided,
            (true, _, true) if !self.is_tested() => Tolerance::Untested,
            (true, _, true) => Tolerance::Masking,
            (false, true, true) => Tolerance::NonMasking,
        }
    }

    /// The names of the violated properties.
    pub fn violated_names(&self) -> Vec<&str> {
        self.violated.iter().map(|violated| violated.property.as_str()).collect()
    }

    /// A witness of each "no": the first run that is not safe, and the first that is not live.
    pub fn witnesses(&self) -> impl Iterator<Item = &Violated> {
        let first = |safety: bool| {
            let such = self.violated.iter().filter(move |violated| violated.is_safety == safety);
            such.min_by_key(|violated| violated.world)
        };
        [first(true), first(false)].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFETY: (&str, bool) = ("cons.agreement", true);
    const LIVENESS: (&str, bool) = ("cons.termination", false);

    fn run(failures: &[(&'static str, bool)]) -> Seen {
        let failures = failures.iter().map(|(name, kind)| (*name, *kind, "why".to_owned()));
        Seen { failures: failures.collect(), ..Seen::default() }
    }

    fn tolerance(runs: Vec<Seen>) -> Tolerance {
        let mut row = Row::empty(0, "eager-rb", (Class::Crash, Some(1)));
        row.add((0..).zip(runs));
        row.tolerance
    }

    #[test]
    fn the_four_classes_are_those_of_the_literature() {
        assert_eq!(tolerance(vec![]), Tolerance::NotApplicable);
        assert_eq!(tolerance(vec![run(&[]), run(&[])]), Tolerance::Masking);
        assert_eq!(tolerance(vec![run(&[]), run(&[LIVENESS])]), Tolerance::FailSafe);
        assert_eq!(tolerance(vec![run(&[SAFETY])]), Tolerance::Intolerant);
        assert_eq!(tolerance(vec![run(&[SAFETY]), run(&[LIVENESS])]), Tolerance::Intolerant);
        let safe_again = || Seen { is_safe_again: true, ..run(&[SAFETY]) };
        assert_eq!(tolerance(vec![safe_again(), run(&[])]), Tolerance::NonMasking);
        assert_eq!(tolerance(vec![safe_again(), run(&[SAFETY])]), Tolerance::Intolerant);
        assert_eq!(tolerance(vec![safe_again(), run(&[LIVENESS])]), Tolerance::Intolerant);
    }

    #[test]
    fn what_is_undecided_proves_nothing_and_excuses_nothing() {
        let undecided = || Seen { is_undecided: true, ..run(&[]) };
        assert_eq!(tolerance(vec![run(&[]), undecided()]), Tolerance::Undecided);
        assert_eq!(tolerance(vec![run(&[SAFETY]), undecided()]), Tolerance::Intolerant);
        assert_eq!(tolerance(vec![run(&[LIVENESS]), undecided()]), Tolerance::FailSafe);
    }

    #[test]
    fn what_no_run_puts_to_the_test_is_not_masked() {
        let judged = |tested: [bool; 3]| Seen {
            judged: [(SAFETY, tested[0]), (("cons.validity", true), tested[1])]
                .into_iter()
                .chain([(LIVENESS, tested[2])])
                .map(|((name, is_safety), is_tested)| Judged {
                    property: name.to_owned(),
                    is_safety,
                    is_tested,
                })
                .collect(),
            ..run(&[])
        };
        let cases = [
            (vec![[true, true, true]], Tolerance::Masking),
            (vec![[true, false, true]], Tolerance::Masking),
            (vec![[false, false, true]], Tolerance::Untested),
            (vec![[true, true, false]], Tolerance::Untested),
            (vec![[false, false, true], [false, true, false]], Tolerance::Masking),
        ];
        for (runs, expected) in cases {
            assert_eq!(tolerance(runs.iter().copied().map(judged).collect()), expected, "{runs:?}");
        }
    }

    #[test]
    fn each_no_has_its_first_witness() {
        let mut row = Row::empty(0, "eager-rb", (Class::Crash, Some(1)));
        let panic = ("panicked", true);
        row.add((0..).zip([run(&[]), run(&[LIVENESS]), run(&[panic, LIVENESS]), run(&[SAFETY])]));
        let witnesses: Vec<_> = row.witnesses().map(|w| (w.property.as_str(), w.world)).collect();
        assert_eq!(witnesses, [("panicked", 2), ("cons.termination", 1)]);
        assert_eq!((row.not_safe.count, row.not_live.count, row.runs()), (2, 2, 4));
    }

    #[test]
    fn an_exploration_counts_if_its_world_has_as_many_processes() {
        let mut row = Row::empty(0, "eager-rb", (Class::Crash, Some(1)));
        row.processes = 3;
        row.add((0..).zip([run(&[])]));
        let explored = |processes, violated: &[(&str, bool)]| {
            let found = violated.iter().map(|(property, is_safety)| Found {
                property: (*property).to_owned(),
                is_safety: *is_safety,
                message: "why".to_owned(),
                scenario: None,
            });
            let violated = found.collect();
            Some(Explored { processes, budget: String::new(), runs: 1, is_all: true, violated })
        };
        let cases = [
            (explored(3, &[]), Tolerance::Masking),
            (explored(3, &[LIVENESS]), Tolerance::FailSafe),
            (explored(3, &[SAFETY]), Tolerance::Intolerant),
            (explored(2, &[SAFETY]), Tolerance::Masking),
        ];
        for (explored, tolerance) in cases {
            row.add_exploration(explored);
            assert_eq!(row.tolerance, tolerance, "{row:?}");
        }
    }

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let mut row = Row::empty(3, "eager-rb", (Class::Loss, None));
        row.add((0..).zip([run(&[LIVENESS])]));
        let text = serde_json::to_string(&row).expect("plain data");
        assert_eq!(serde_json::from_str::<Row>(&text).expect("a row"), row);
    }
}
