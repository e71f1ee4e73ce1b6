//! A service provided by a group of processes: clients ask, and the group answers as one process
//! would that never fails.
//!
//! After Tanenbaum and van Steen (2007), section 8.2: a group of identical processes is flat, or it
//! has a coordinator. The service is deterministic and has no state, so that organisations can be
//! compared by what they cost, and by how long nobody is answered when a member fails.

mod properties;

use ftsim_core::{
    Ask, Duration, DurationRange, FaultClass, Invalid, OperationName, ProcessId, PropertyEntry,
    PropertyId, Setting, Spec, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::election::{self, Electing, Election, one_leader};
use crate::service::properties::LIVENESS;
use crate::{draw, refuse_too_many};
use properties::{CorrectOutput, Liveness};

/// The role of the processes that provide the service.
pub const MEMBER: &str = "member";
/// The role of the processes that ask.
pub const CLIENT: &str = "client";

/// The problem of answering although members of a group fail.
pub struct ProcessGroup;

/// What a client asks about, and what it is answered.
pub type Value = u64;
/// The number of a question of a client: 1, 2, …
pub type QuestionNumber = u64;

/// The service: the answer to a question.
pub const fn answer(question: Value) -> Value {
    question.wrapping_mul(question)
}

/// A request to a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// To a client: have this question answered.
    Ask {
        /// The number of the question.
        number: QuestionNumber,
        /// The question.
        question: Value,
    },
}

/// An announcement of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Indication {
    /// At a client: a question is answered.
    Answer {
        /// The number of the question.
        number: QuestionNumber,
        /// The answer.
        value: Value,
    },
    /// A probe: about the leader of the group.
    Election(election::Indication),
}

/// Answers are those of the service.
pub const CORRECT_OUTPUT: PropertyId = PropertyId("mask.correct-output");

impl Spec for ProcessGroup {
    const NAME: &'static str = "process group";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::liveness(
            LIVENESS,
            "a question is eventually answered, unless its client crashes",
            |_| Box::new(Liveness::default()),
        ),
        PropertyEntry::safety(
            CORRECT_OUTPUT,
            "a correct client is answered as a member that does not fail answers",
            |_| Box::new(CorrectOutput::default()),
        ),
        one_leader().if_claimed(),
    ];
    const FAULTS: &'static [FaultClass] =
        &[FaultClass::None, FaultClass::CrashStop, FaultClass::Byzantine];
    const HAS_LEADER: bool = true;

    type Request = Request;
    type Indication = Indication;
    type WorkloadSettings = GroupWorkload;
    type Workload = Askers;

    fn workload(settings: &GroupWorkload, setting: &Setting) -> Result<Askers, Invalid> {
        if setting.role_size(MEMBER) == 0 {
            return Err(Invalid::role(MEMBER, "a group has a member"));
        }
        let clients: Vec<_> = setting.role(CLIENT).collect();
        refuse_too_many("questions", settings.questions, clients.len())?;
        Ok(Askers { clients, questions: settings.questions.into(), think: settings.think })
    }

    fn is_probe(indication: &Indication) -> bool {
        matches!(indication, Indication::Election(_))
    }

    fn phrase(indication: &Indication) -> Option<String> {
        match indication {
            Indication::Answer { number, value } => {
                Some(format!("is answered question {number}: {value}"))
            }
            Indication::Election(indication) => Election::phrase(indication),
        }
    }

    fn leads(indication: &Indication) -> Option<bool> {
        Self::election(indication).and_then(Election::leads)
    }

    fn operation(
        client: ProcessId,
        Request::Ask { number, .. }: &Request,
    ) -> Option<OperationName> {
        Some(OperationName::at(client, *number))
    }

    fn answers(client: ProcessId, indication: &Indication) -> impl Iterator<Item = OperationName> {
        let answered = match indication {
            Indication::Answer { number, .. } => Some(OperationName::at(client, *number)),
            Indication::Election(_) => None,
        };
        answered.into_iter()
    }
}

impl Electing for ProcessGroup {
    fn election(indication: &Indication) -> Option<&election::Indication> {
        match indication {
            Indication::Election(indication) => Some(indication),
            Indication::Answer { .. } => None,
        }
    }
}

/// The questions of the clients.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupWorkload {
    /// The number of questions of each client, one after another.
    pub questions: u32,
    /// How long a client waits before each question.
    pub think: DurationRange,
}

impl Default for GroupWorkload {
    fn default() -> Self {
        let think = DurationRange { min: Duration::ZERO, max: Duration::from_millis(20) };
        Self { questions: 10, think }
    }
}

/// The clients of a group.
#[derive(Clone, Debug, Hash)]
pub struct Askers {
    clients: Vec<ProcessId>,
    questions: u64,
    think: DurationRange,
}

impl Askers {
    fn ask(&self, client: ProcessId, number: QuestionNumber, ask: &mut Ask<'_, ProcessGroup>) {
        if number <= self.questions {
            let think = draw(self.think, ask.rng());
            // Questions of at least 2 have answers that differ from them.
            let question = ask.rng().between(2, 99);
            ask.request(client, think, Request::Ask { number, question });
        }
    }
}

impl Workload<ProcessGroup> for Askers {
    fn on_start(&mut self, ask: &mut Ask<'_, ProcessGroup>) {
        for client in &self.clients {
            self.ask(*client, 1, ask);
        }
    }

    fn on_indication(
        &mut self,
        client: ProcessId,
        what: &Indication,
        ask: &mut Ask<'_, ProcessGroup>,
    ) {
        if let Indication::Answer { number, .. } = what {
            self.ask(client, number.saturating_add(1), ask);
        }
    }
}

#[cfg(test)]
mod tests;
