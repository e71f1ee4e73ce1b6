//! The Byzantine generals problem: all loyal lieutenants obey the same order of one commander.
//!
//! After Lamport, Shostak and Pease (1982), section 1. The commander is p0, the lieutenants are all
//! others. IC1 and IC2, the interactive consistency conditions, are theirs; termination, that all
//! correct lieutenants eventually obey an order, is implicit there.

use std::collections::BTreeMap;

use ftsim_core::{
    Ask, Duration, End, FaultClass, Invalid, Observation, Observed, OperationName, ProcessId,
    ProcessSet, Property, PropertyEntry, PropertyId, Setting, Spec, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consensus::{TERMINATION, Value};

/// The problem of obeying one order although some generals are traitors.
pub struct ByzantineGenerals;

/// The process that gives the order.
pub const COMMANDER: ProcessId = ProcessId(0);

/// A request to the commander.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// Give this order to all lieutenants.
    Order(Value),
}

/// An announcement of a lieutenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The lieutenant obeys this order.
    Obey(Value),
}

/// All correct lieutenants obey the same order.
pub const IC1: PropertyId = PropertyId("byz.ic1");
/// If the commander is correct, every correct lieutenant obeys the order that it gave.
pub const IC2: PropertyId = PropertyId("byz.ic2");

impl Spec for ByzantineGenerals {
    const NAME: &'static str = "byzantine-generals";
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(IC1, "no two correct lieutenants obey different orders", |_| {
            Box::new(SameOrder::default())
        }),
        PropertyEntry::safety(
            IC2,
            "if the commander is correct, no correct lieutenant obeys an order it did not give",
            |_| Box::new(OrderOfTheCommander::default()),
        ),
        PropertyEntry::liveness(
            TERMINATION,
            "every correct lieutenant eventually obeys an order",
            |_| Box::new(Termination::default()),
        ),
    ];

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = GeneralsWorkload;
    type Workload = Headquarters;

    fn workload(settings: &GeneralsWorkload, _: &Setting) -> Result<Headquarters, Invalid> {
        Ok(Headquarters { order: settings.order })
    }

    /// The order is answered when the first lieutenant obeys an order, even if another.
    fn operation(p: ProcessId, Request::Order(_): &Request) -> Option<OperationName> {
        Some(OperationName::at(p, 0))
    }

    fn phrase(Indication::Obey(order): &Indication) -> Option<String> {
        Some(format!("obeys order {order}"))
    }

    fn answers(
        p: ProcessId,
        Indication::Obey(_): &Indication,
    ) -> impl Iterator<Item = OperationName> {
        (p != COMMANDER).then(|| OperationName::at(COMMANDER, 0)).into_iter()
    }
}

/// The order that the commander is to give, at the start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GeneralsWorkload {
    /// The order.
    pub order: Value,
}

impl Default for GeneralsWorkload {
    fn default() -> Self {
        Self { order: 1 }
    }
}

/// The commander's only client.
#[derive(Clone, Debug, Hash)]
pub struct Headquarters {
    order: Value,
}

impl Workload<ByzantineGenerals> for Headquarters {
    fn on_start(&mut self, ask: &mut Ask<'_, ByzantineGenerals>) {
        ask.request(COMMANDER, Duration::ZERO, Request::Order(self.order));
    }
}

/// The order that a lieutenant announces to obey.
fn obeyed(event: &Observed<'_, ByzantineGenerals>) -> Option<Value> {
    match event.what {
        Observation::Indication(Indication::Obey(order)) if event.process != COMMANDER => {
            Some(*order)
        }
        _ => None,
    }
}

/// IC1: remembers the orders obeyed, and compares them at the end, when it is known which processes
/// are correct.
#[derive(Clone, Debug, Default, Hash)]
struct SameOrder {
    followers: BTreeMap<Value, ProcessSet>,
    /// Correct lieutenants other than the first.
    agreeing: u64,
}

impl Property<ByzantineGenerals> for SameOrder {
    fn observe(&mut self, event: &Observed<'_, ByzantineGenerals>) -> Result<(), Violation> {
        if let Some(order) = obeyed(event) {
            self.followers.entry(order).or_default().insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let correct = |p: &ProcessId| end.is_correct(*p);
        let count = |by: &ProcessSet| by.iter().filter(correct).count() as u64;
        self.agreeing = self.followers.values().map(count).sum::<u64>().saturating_sub(1);
        let first = |(order, by): (&Value, &ProcessSet)| Some((by.iter().find(correct)?, *order));
        let mut firsts = self.followers.iter().filter_map(first);
        match (firsts.next(), firsts.next()) {
            (Some((p, v)), Some((q, w))) => {
                Err(Violation::by([p, q], format!("{p} obeyed order {v}, {q} order {w}")))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.agreeing
    }
}

/// IC2: remembers the order given and the orders obeyed.
#[derive(Clone, Debug, Default, Hash)]
struct OrderOfTheCommander {
    given: Option<Value>,
    obeyed: Vec<(ProcessId, Value)>,
    /// Correct lieutenants of a correct commander.
    loyal: u64,
}

impl Property<ByzantineGenerals> for OrderOfTheCommander {
    fn observe(&mut self, event: &Observed<'_, ByzantineGenerals>) -> Result<(), Violation> {
        if let Observation::Request(Request::Order(order)) = event.what
            && event.process == COMMANDER
        {
            self.given.get_or_insert(*order);
        }
        self.obeyed.extend(obeyed(event).map(|order| (event.process, order)));
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let Some(given) = self.given.filter(|_| end.is_correct(COMMANDER)) else { return Ok(()) };
        for (p, order) in self.obeyed.iter().filter(|(p, _)| end.is_correct(*p)) {
            self.loyal += 1;
            if *order != given {
                let message = format!("{p} obeyed order {order}, {COMMANDER} had given {given}");
                return Err(Violation::by([*p, COMMANDER], message));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.loyal
    }
}

/// Termination: every correct lieutenant obeys an order, since the silence of a commander can be
/// noticed.
#[derive(Clone, Debug, Default, Hash)]
struct Termination {
    obedient: ProcessSet,
    owed: u64,
}

impl Property<ByzantineGenerals> for Termination {
    fn observe(&mut self, event: &Observed<'_, ByzantineGenerals>) -> Result<(), Violation> {
        if obeyed(event).is_some() {
            self.obedient.insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let lieutenants = || end.correct().filter(|p| *p != COMMANDER);
        self.owed = lieutenants().count() as u64;
        match lieutenants().find(|p| !self.obedient.contains(*p)) {
            None => Ok(()),
            Some(p) => Err(Violation::by([p], format!("{p} never obeyed any order"))),
        }
    }

    fn exercised(&self) -> u64 {
        self.owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::{Answers, Stub, requests};
    use ftsim_core::bench::history::{Act, check, judge};
    use ftsim_core::{Bench, Verdict};

    const NOTHING: [&str; 0] = [];

    /// The commander gives an order; lieutenants 1, 2, … obey these. The faulty one is marked as
    /// such by a crash at the end.
    fn history(order: Value, obeyed: &[Value], faulty: Option<u32>) -> Vec<Act<ByzantineGenerals>> {
        let obey = |(p, v): (u32, &Value)| Act::Indicate(ProcessId(p), Indication::Obey(*v));
        let mut acts = vec![Act::Request(COMMANDER, Request::Order(order))];
        acts.extend((1..).zip(obeyed).map(obey));
        acts.extend(faulty.map(|p| Act::Crash(ProcessId(p))));
        acts
    }

    #[test]
    fn an_order_that_all_obey_is_good() {
        let good = history(1, &[1, 1], None);
        assert_eq!(check(3, &good), NOTHING);
        let judged = judge(&Setting::of(3), &good, true);
        assert!(judged.into_iter().all(|(_, verdict)| verdict == Verdict::Held));
    }

    #[test]
    fn each_property_refuses_its_bad_history() {
        assert_eq!(check(3, &history(1, &[1, 0], Some(0))), ["byz.ic1"]);
        assert_eq!(check(3, &history(1, &[0, 0], None)), ["byz.ic2"]);
        assert_eq!(check(3, &history(1, &[1, 0], None)), ["byz.ic1", "byz.ic2"]);
        assert_eq!(check(3, &history(1, &[1], None)), ["cons.termination"]);
    }

    #[test]
    fn traitors_bind_nobody_and_owe_nothing() {
        assert_eq!(check(3, &history(1, &[0, 0], Some(0))), NOTHING);
        assert_eq!(check(3, &history(1, &[1, 0], Some(2))), NOTHING);
        assert_eq!(check(3, &history(1, &[1], Some(2))), NOTHING);
    }

    #[test]
    fn a_premise_that_never_came_true_exercises_nothing() {
        let verdicts = |history: &[Act<ByzantineGenerals>]| {
            let judged = judge(&Setting::of(3), history, true).into_iter();
            judged.map(|(_, verdict)| verdict).collect::<Vec<_>>()
        };
        use Verdict::{Held, HeldVacuously};
        assert_eq!(verdicts(&history(1, &[1, 1], Some(0))), [Held, HeldVacuously, Held]);
        assert_eq!(verdicts(&history(1, &[1], Some(2))), [HeldVacuously, Held, Held]);
        let no_lieutenant = [Act::Crash(ProcessId(1)), Act::Crash(ProcessId(2))];
        assert_eq!(verdicts(&no_lieutenant), [const { HeldVacuously }; 3]);
    }

    #[test]
    fn the_commander_gives_orders_and_obeys_none() {
        let mut history = history(1, &[1, 1], None);
        history.push(Act::Indicate(COMMANDER, Indication::Obey(0)));
        assert_eq!(check(3, &history), NOTHING);
    }

    #[test]
    fn an_order_that_is_obeyed_is_told() {
        let told = ByzantineGenerals::phrase(&Indication::Obey(4));
        assert_eq!(told.as_deref(), Some("obeys order 4"));
    }

    #[test]
    fn absurd_content_is_judged_not_obeyed() {
        let absurd = [Act::Indicate(ProcessId(u32::MAX), Indication::Obey(u64::MAX))];
        assert_eq!(check::<ByzantineGenerals>(1, &absurd), NOTHING);
    }

    /// Obeys nothing.
    #[derive(Clone, Debug, Hash)]
    struct Mute;

    impl Answers for Mute {
        type Spec = ByzantineGenerals;
    }

    #[test]
    fn the_commander_alone_is_given_one_order() {
        let bench = Bench::of::<Stub<Mute>>(3);
        assert_eq!(requests(&bench.run(1)), ["0s p0 Order(1)"]);
        assert_eq!(requests(&bench.workload(r#"{"order": 5}"#).run(1)), ["0s p0 Order(5)"]);
    }

    #[test]
    fn the_order_is_answered_when_a_lieutenant_obeys_any() {
        let asked = ByzantineGenerals::operation(COMMANDER, &Request::Order(3));
        let answered = |p| ByzantineGenerals::answers(p, &Indication::Obey(4)).next();
        assert!(asked.is_some());
        assert_eq!(answered(ProcessId(1)), asked);
        assert_eq!(answered(ProcessId(2)), asked);
        assert_eq!(answered(COMMANDER), None);
    }
}
