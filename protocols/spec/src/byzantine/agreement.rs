//! Byzantine agreement: all processes propose a value, and the correct ones decide the same.
//!
//! This is consensus except for validity: where processes lie, the proposals of the liars are
//! unknown. If all correct processes propose the same value, no other may be decided (strong
//! unanimity; Pease, Shostak and Lamport, 1980). With two values this is ordinary validity.

use std::collections::BTreeMap;

use ftsim_core::{
    End, FaultClass, Invalid, Observation, Observed, OperationName, ProcessId, Property,
    PropertyEntry, PropertyId, Setting, Spec, Violation,
};

use crate::consensus::{
    Agreement, Consensus, ConsensusWorkload, INTEGRITY, Indication, Integrity, Proposers, Request,
    TERMINATION, Termination, Value,
};

/// The problem of deciding one value although some processes lie.
pub struct ByzantineAgreement;

/// If all correct processes propose one value, no correct process decides another.
pub const BYZ_VALIDITY: PropertyId = PropertyId("byz.validity");
/// No two correct processes decide differently.
pub const BYZ_AGREEMENT: PropertyId = PropertyId("byz.agreement");

impl Spec for ByzantineAgreement {
    const NAME: &'static str = "byzantine-agreement";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            BYZ_VALIDITY,
            "if all correct processes propose the same value, no correct process decides another",
            |_| Box::new(Unanimity::default()),
        ),
        PropertyEntry::safety(BYZ_AGREEMENT, "no two correct processes decide differently", |_| {
            Box::new(Agreement::default())
        }),
        PropertyEntry::safety(INTEGRITY, "no correct process decides twice", |_| {
            Box::new(Integrity::default())
        }),
        PropertyEntry::liveness(TERMINATION, "every correct process eventually decides", |_| {
            Box::new(Termination::default())
        }),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = ConsensusWorkload;
    type Workload = Proposers;

    fn workload(settings: &ConsensusWorkload, setting: &Setting) -> Result<Proposers, Invalid> {
        Consensus::workload(settings, setting)
    }

    fn operation(p: ProcessId, request: &Request) -> Option<OperationName> {
        Consensus::operation(p, request)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        Consensus::phrase(indication)
    }

    fn answers(p: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        Consensus::answers(p, indication)
    }
}

/// Strong unanimity: remembers proposals and decisions, and compares them at the end, when it is
/// known which processes are correct.
#[derive(Clone, Debug, Default, Hash)]
struct Unanimity {
    proposed: BTreeMap<ProcessId, Value>,
    decided: BTreeMap<ProcessId, Value>,
    /// Correct processes that decided after all correct ones had proposed the same value.
    bound: u64,
}

impl Unanimity {
    /// The value that every correct process proposed, if there is one.
    fn common_value(&self, end: &End<'_>) -> Option<Value> {
        let mut proposals = end.correct().map(|p| self.proposed.get(&p).copied());
        let first = proposals.next()??;
        proposals.all(|other| other == Some(first)).then_some(first)
    }
}

impl Property<ByzantineAgreement> for Unanimity {
    fn observe(&mut self, event: &Observed<'_, ByzantineAgreement>) -> Result<(), Violation> {
        match event.what {
            Observation::Request(Request::Propose(value)) => {
                self.proposed.entry(event.process).or_insert(*value);
            }
            Observation::Indication(Indication::Decide(value)) => {
                self.decided.entry(event.process).or_insert(*value);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let Some(common) = self.common_value(end) else { return Ok(()) };
        for (p, value) in self.decided.iter().filter(|(p, _)| end.is_correct(**p)) {
            self.bound += 1;
            if *value != common {
                let message = format!(
                    "{p} decided {value}, while {common} is what all correct processes proposed"
                );
                return Err(Violation::by([*p], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.bound
    }
}

#[cfg(test)]
mod tests {
    use ftsim_core::Verdict;

    use super::*;
    use ftsim_core::bench::history::{Act, check, judge};

    const NOTHING: [&str; 0] = [];

    /// Processes 0, 1, … propose the first values and decide the second; the faulty one is marked
    /// as such by a crash.
    fn history(
        proposals: &[Value],
        decisions: &[Value],
        faulty: Option<u32>,
    ) -> Vec<Act<ByzantineAgreement>> {
        let propose = |(p, v): (u32, &Value)| Act::Request(ProcessId(p), Request::Propose(*v));
        let decide = |(p, v): (u32, &Value)| Act::Indicate(ProcessId(p), Indication::Decide(*v));
        let mut acts: Vec<_> = (0..).zip(proposals).map(propose).collect();
        acts.extend((0..).zip(decisions).map(decide));
        acts.extend(faulty.map(|p| Act::Crash(ProcessId(p))));
        acts
    }

    fn violated(
        proposals: &[Value],
        decisions: &[Value],
        faulty: Option<u32>,
    ) -> Vec<&'static str> {
        let n = u32::try_from(proposals.len()).expect("a short history");
        check(n, &history(proposals, decisions, faulty))
    }

    #[test]
    fn what_all_propose_all_decide() {
        let good = history(&[1, 1, 1], &[1, 1, 1], None);
        assert_eq!(check(3, &good), NOTHING);
        let judged = judge(&Setting::of(3), &good, true);
        assert!(judged.into_iter().all(|(_, verdict)| verdict == Verdict::Held));
    }

    #[test]
    fn each_property_refuses_its_bad_history() {
        assert_eq!(violated(&[1, 1], &[0, 0], None), ["byz.validity"]);
        assert_eq!(violated(&[1, 0], &[1, 0], None), ["byz.agreement"]);
        assert_eq!(violated(&[1, 1], &[1], None), ["cons.termination"]);
        let mut twice = history(&[1, 1], &[1, 1], None);
        twice.push(Act::Indicate(ProcessId(0), Indication::Decide(1)));
        assert_eq!(check(2, &twice), ["cons.integrity"]);
    }

    #[test]
    fn proposals_and_decisions_of_the_faulty_do_not_count() {
        assert_eq!(violated(&[0, 1, 1], &[0, 1, 1], Some(0)), NOTHING);
        // Two correct processes with one proposal are unanimous, whatever the liar proposed.
        assert_eq!(violated(&[0, 1, 1], &[0, 0, 0], Some(0)), ["byz.validity"]);
    }

    #[test]
    fn with_different_proposals_any_common_decision_is_valid() {
        assert_eq!(violated(&[0, 1, 1], &[7, 7, 7], None), NOTHING);
        let judged = judge(&Setting::of(2), &history(&[0, 1], &[7, 7], None), true);
        assert_eq!(judged[0], ("byz.validity", Verdict::HeldVacuously));
    }

    #[test]
    fn absurd_content_is_judged_not_obeyed() {
        let absurd = [Act::Indicate(ProcessId(u32::MAX), Indication::Decide(u64::MAX))];
        assert_eq!(check::<ByzantineAgreement>(1, &absurd), NOTHING);
    }

    #[test]
    fn a_decision_is_told_as_in_consensus() {
        let told = ByzantineAgreement::phrase(&Indication::Decide(4));
        assert_eq!(told.as_deref(), Some("decides 4"));
    }

    #[test]
    fn a_proposal_is_answered_when_its_proposer_decides_whatever_the_value() {
        let (p0, p1) = (ProcessId(0), ProcessId(1));
        let asked = ByzantineAgreement::operation(p1, &Request::Propose(3)).expect("an operation");
        let answered =
            |p| ByzantineAgreement::answers(p, &Indication::Decide(4)).collect::<Vec<_>>();
        assert_eq!(answered(p1), [asked]);
        assert_ne!(answered(p0), [asked]);
    }
}
