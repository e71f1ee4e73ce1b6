//! A flat group: all members are equal, and all answer.
//!
//! Source: Tanenbaum and van Steen (2007), section 8.2; voting after Schneider (1990),
//! *Implementing fault-tolerant services using the state machine approach*. Spec:
//! [`ProcessGroup`]. Model: asynchronous, reliable links, a minority of Byzantine members.
//!
//! Steps: a client sends its question to all members. Each finds the answer, and sends it to all
//! others as its vote. When more than half of the members have voted for one answer, a member sends
//! this to the client, which takes the answer that more than half of the members give.
//!
//! Why it works: the service is deterministic, so all correct members vote for the same, and they
//! are more than half. Of more than half of the members at least one is correct. There is no single
//! point of failure: nobody waits for any one member.
//!
//! Words: a group is *k-fault tolerant* in the sense of the source: with k + 1 members if they may
//! crash and a client believes whoever answers, and with 2k + 1, as here, if they may lie.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::prelude::*;

use crate::parts::votes::Votes;
use crate::spec::process_group::{
    CLIENT, CORRECT_OUTPUT, Indication, MEMBER, ProcessGroup, QuestionNumber, Request, Value,
    answer,
};
use crate::spec::service::properties::LIVENESS;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A question of the sender.
    Question { number: QuestionNumber, question: Value },
    /// What the sender would answer to the question of a client.
    Vote { client: ProcessId, number: QuestionNumber, value: Value },
    /// The answer of the group.
    Answer { number: QuestionNumber, value: Value },
}

/// A process of a flat group, or a client of it.
#[derive(Clone, Debug, Hash)]
pub struct FlatGroup {
    members: ProcessSet,
    /// At a client: the question that waits, and the members' answers.
    asked: Option<(QuestionNumber, Votes<Value>)>,
    /// At a member: the votes on questions that it has not answered.
    votes: BTreeMap<(ProcessId, QuestionNumber), Votes<Value>>,
    /// At a member: the questions that it has answered.
    answered: BTreeSet<(ProcessId, QuestionNumber)>,
}

impl Process for FlatGroup {
    type Spec = ProcessGroup;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, Request::Ask { number, question }: Request, cx: &mut Cx<Self>) {
        self.asked = Some((number, Votes::default()));
        cx.send_to(self.members.iter(), Msg::Question { number, question });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Question { number, question } => self.on_question(from, number, question, cx),
            Msg::Vote { client, number, value } if self.members.contains(from) => {
                self.on_vote(from, (client, number), value, cx);
            }
            Msg::Answer { number, value } if self.members.contains(from) => {
                self.on_answer(from, number, value, cx);
            }
            Msg::Vote { .. } | Msg::Answer { .. } => {}
        }
    }
}

impl FlatGroup {
    fn on_question(
        &mut self,
        client: ProcessId,
        number: QuestionNumber,
        question: Value,
        cx: &mut Cx<Self>,
    ) {
        let (me, value) = (cx.me(), answer(question));
        let others = self.members.iter().filter(|p| *p != me);
        cx.send_to(others, Msg::Vote { client, number, value });
        self.on_vote(me, (client, number), value, cx);
    }

    fn on_vote(
        &mut self,
        from: ProcessId,
        name: (ProcessId, QuestionNumber),
        value: Value,
        cx: &mut Cx<Self>,
    ) {
        if self.answered.contains(&name) {
            return;
        }
        let votes = self.votes.entry(name).or_default();
        votes.cast(from, value);
        if let Some(value) = elected(votes, &self.members, cx) {
            self.votes.remove(&name);
            self.answered.insert(name);
            let (client, number) = name;
            cx.send(client, Msg::Answer { number, value });
        }
    }

    fn on_answer(
        &mut self,
        from: ProcessId,
        number: QuestionNumber,
        value: Value,
        cx: &mut Cx<Self>,
    ) {
        let Some((_, answers)) = self.asked.as_mut().filter(|(asked, _)| *asked == number) else {
            return;
        };
        answers.cast(from, value);
        let elected = match cx.runs(&FIRST_ANSWER) {
            true => Some(value),
            false => elected(answers, &self.members, cx),
        };
        if let Some(value) = elected {
            self.asked = None;
            cx.indicate(Indication::Answer { number, value });
        }
    }
}

/// The value for which more than half of the members have voted.
fn elected(votes: &Votes<Value>, members: &ProcessSet, cx: &Cx<FlatGroup>) -> Option<Value> {
    let (value, count) = votes.most_frequent()?;
    let needed = match cx.runs(&WAIT_FOR_ALL) {
        true => members.len(),
        false => members.len() / 2 + 1,
    };
    (count as usize >= needed).then_some(value)
}

const WAIT_FOR_ALL: Mutant =
    Mutant::code("wait-for-all", "waits until all members have voted for the same", LIVENESS);
const FIRST_ANSWER: Mutant =
    Mutant::code("first-answer", "has clients that take the first answer", CORRECT_OUTPUT);

impl Protocol for FlatGroup {
    const NAME: &'static str = "flat-group";
    const SUMMARY: &'static str =
        "a group of equals: all answer, and the client takes the majority";
    const SOURCE: &'static str = "Tanenbaum & van Steen 2007, section 8.2";
    const ROLES: &'static [&'static str] = &[CLIENT, MEMBER];
    const MUTANTS: &'static [Mutant] = &[WAIT_FOR_ALL, FIRST_ANSWER];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.byzantine(Bound::MINORITY.of(MEMBER))
    }

    fn new(_: &NoParams, setting: &Setting, _: ProcessId) -> Self {
        Self {
            members: setting.role(MEMBER).collect(),
            asked: None,
            votes: BTreeMap::new(),
            answered: BTreeSet::new(),
        }
    }
}
