//! The coordinated attack: two generals attack together, or not at all.
//!
//! Source: Akkoyunlu, Ekanadham and Huber (1975), *Some constraints and tradeoffs in the design of
//! network communications*, who show that no protocol solves it if messages can be lost; Gray
//! (1978), section 5.8.3.3.1, for the generals.

use ftsim_core::prelude::*;
use ftsim_core::{EndCause, FaultClass};

use crate::eventual_leader::NoWorkload;

#[cfg(test)]
mod tests;

/// The problem of attacking together.
pub struct CoordinatedAttack;

/// The first general, who proposes to attack, and the second.
pub const GENERALS: [ProcessId; 2] = [ProcessId(0), ProcessId(1)];

/// An announcement of a general, at dawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// The general attacks.
    Attack,
    /// The general stays in the camp.
    Stay,
}

/// Both attack, or neither.
pub const COORDINATED: PropertyId = PropertyId("gen.coordinated");
/// They do attack if nothing goes wrong.
pub const ATTACK: PropertyId = PropertyId("gen.attack");

impl Spec for CoordinatedAttack {
    const NAME: &'static str = "coordinated attack";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(COORDINATED, "the generals attack both, or neither does", |_| {
            Box::new(Coordinated::default())
        })
        .in_any_order(),
        PropertyEntry::liveness(
            ATTACK,
            "both generals attack if no message is lost and nothing else goes wrong",
            |_| Box::new(Attack::default()),
        )
        .in_any_order(),
    ];
    const FAULTS: &'static [FaultClass] = &[FaultClass::None];

    type Request = Never;
    type Indication = Indication;
    type WorkloadSettings = NoWorkload;
    type Workload = Nobody;

    fn workload(_: &NoWorkload, _: &Setting) -> Result<Nobody, Invalid> {
        Ok(Nobody)
    }

    fn phrase(indication: &Indication) -> Option<String> {
        let phrase = match indication {
            Indication::Attack => "attacks",
            Indication::Stay => "stays in the camp",
        };
        Some(phrase.to_owned())
    }
}

/// The clients of generals, who need none.
#[derive(Clone, Debug, Hash)]
pub struct Nobody;

impl Workload<CoordinatedAttack> for Nobody {
    const IS_PER_PROCESS: bool = true;

    fn on_start(&mut self, _: &mut Ask<'_, CoordinatedAttack>) {}
}

/// What each general has decided.
#[derive(Clone, Debug, Default, Hash)]
struct Decisions {
    attacks: [Option<bool>; 2],
}

impl Decisions {
    fn apply(&mut self, event: &Observed<'_, CoordinatedAttack>) {
        let Observation::Indication(what) = event.what else { return };
        if let Some(decision) = self.attacks.get_mut(event.process.index()) {
            *decision = Some(*what == Indication::Attack);
        }
    }
}

#[derive(Clone, Debug, Default, Hash)]
struct Coordinated {
    decisions: Decisions,
    both: u64,
}

impl Property<CoordinatedAttack> for Coordinated {
    fn observe(&mut self, event: &Observed<'_, CoordinatedAttack>) -> Result<(), Violation> {
        self.decisions.apply(event);
        let [Some(first), Some(second)] = self.decisions.attacks else { return Ok(()) };
        self.both += 1;
        if first == second {
            return Ok(());
        }
        let (alone, other) = if first { (0, 1) } else { (1, 0) };
        let how = format!("{} attacks alone: {} stays", GENERALS[alone], GENERALS[other]);
        Err(Violation::by(GENERALS, how))
    }

    /// A general who is correct and never does anything does not attack.
    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let (alone, other) = match self.decisions.attacks {
            [Some(true), None] => (0, 1),
            [None, Some(true)] => (1, 0),
            _ => return Ok(()),
        };
        if end.cause != EndCause::Quiescent || !end.is_correct(GENERALS[other]) {
            return Ok(());
        }
        let how = format!("{} attacks alone: {} does nothing", GENERALS[alone], GENERALS[other]);
        Err(Violation::by(GENERALS, how))
    }

    fn exercised(&self) -> u64 {
        self.both
    }
}

#[derive(Clone, Debug, Default, Hash)]
struct Attack {
    decisions: Decisions,
    due: u64,
}

impl Property<CoordinatedAttack> for Attack {
    fn observe(&mut self, event: &Observed<'_, CoordinatedAttack>) -> Result<(), Violation> {
        self.decisions.apply(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if !end.failure_free {
            return Ok(());
        }
        self.due += 1;
        let attacks = self.decisions.attacks;
        let idle = (0..2).find(|general| attacks[*general] != Some(true));
        match idle.map(|general| GENERALS[general]) {
            Some(general) => {
                let how = format!("nothing went wrong, and {general} does not attack");
                Err(Violation::by([general], how))
            }
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.due
    }
}
