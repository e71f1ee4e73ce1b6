//! A hierarchical group: a coordinator answers, or has a worker answer, and when it crashes the
//! others elect the next one.
//!
//! Source: Tanenbaum and van Steen (2007), section 8.2; the election is [`Bully`] (Garcia-Molina
//! 1982) or [`RingElection`] (Le Lann 1977). Spec: [`ProcessGroup`], with one leader. Model: that
//! of the election, crash-stop, with a perfect failure detector P; one member stays up.
//!
//! Steps: a client sends its question to the coordinator, at first the member with the greatest id,
//! which answers. With `delegate` it hands the question to one worker after another, and passes the
//! result on. A member that suspects the coordinator begins an election. Clients take part, as the
//! processes with the least ids: they never win while a member is up, and so learn who does. They
//! ask the new coordinator what was not answered. The questions of a worker that is suspected go to
//! another.
//!
//! Why it works: the service is deterministic and has no state, so nothing is lost with a
//! coordinator but time, and a question may be answered twice. Whoever is asked before it knows
//! that it has been elected keeps the question until then. The election gives all the same
//! coordinator in the end, one that stays up, and each client asks it.
//!
//! Words: the workers are the members that do not coordinate.
//!
//! [`Bully`]: crate::election::Bully
//! [`RingElection`]: crate::election::RingElection

use std::collections::BTreeMap;

use ftsim_core::Part;
use ftsim_core::prelude::*;

use crate::election::any_election::{self, AnyElection, Solution};
use crate::spec::election;
use crate::spec::election::ONE_LEADER;
use crate::spec::process_group::{
    CLIENT, Indication, MEMBER, ProcessGroup, QuestionNumber, Request, Value, answer,
};
use crate::spec::service::properties::LIVENESS;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A question of the sender.
    Question { number: QuestionNumber, question: Value },
    /// A question of a client, for a worker.
    Task { client: ProcessId, number: QuestionNumber, question: Value },
    /// The worker's answer.
    Result { client: ProcessId, number: QuestionNumber, value: Value },
    /// The answer of the group.
    Answer { number: QuestionNumber, value: Value },
    /// A message of the election.
    Election(any_election::Msg),
}

/// A question: its client, and its number there.
type Name = (ProcessId, QuestionNumber);

/// A process of a hierarchical group, or a client of it.
#[derive(Clone, Debug, Hash)]
pub struct HierarchicalGroup {
    delegate: bool,
    members: ProcessSet,
    election: AnyElection,
    /// The coordinator, as far as it knows.
    coordinator: ProcessId,
    suspected: ProcessSet,
    /// At a client: the question that waits for an answer.
    asked: Option<(QuestionNumber, Value)>,
    /// At a member: the questions that have come before it was the coordinator.
    early: BTreeMap<Name, Value>,
    /// At the coordinator: the questions that workers have, and who has them.
    tasks: BTreeMap<Name, (ProcessId, Value)>,
    /// At the coordinator: the worker that had a task last.
    last_worker: ProcessId,
}

/// The election.
const ELECTION: Part<HierarchicalGroup, AnyElection> =
    Part { msg: Msg::Election, timer: |timer| timer, record: |record| record };

impl Process for HierarchicalGroup {
    type Spec = ProcessGroup;
    type Msg = Msg;
    type Timer = <AnyElection as Process>::Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        self.elect(AnyElection::on_start, cx);
        if self.coordinator == cx.me() {
            cx.indicate(Indication::Election(election::Indication::Leads));
        }
    }

    fn on_request(&mut self, Request::Ask { number, question }: Request, cx: &mut Cx<Self>) {
        self.asked = Some((number, question));
        cx.send(self.coordinator, Msg::Question { number, question });
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Question { number, question } if self.coordinator == cx.me() => {
                self.serve((from, number), question, cx);
            }
            Msg::Question { number, question } => {
                cx.reach("asked before it was elected");
                self.early.insert((from, number), question);
            }
            Msg::Task { client, number, question } => {
                cx.send(from, Msg::Result { client, number, value: answer(question) });
            }
            Msg::Result { client, number, value } => {
                if self.tasks.remove(&(client, number)).is_some() {
                    cx.send(client, Msg::Answer { number, value });
                }
            }
            Msg::Answer { number, value } => self.on_answer(number, value, cx),
            Msg::Election(msg) => self.elect(|election, cx| election.on_message(from, msg, cx), cx),
        }
    }

    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Cx<Self>) {
        self.elect(|election, cx| election.on_timer(timer, cx), cx);
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.suspected.insert(p);
        self.elect(|election, cx| election.on_suspect(p, cx), cx);
        if p == self.coordinator {
            self.call(cx);
        }
        self.give_tasks_of(p, cx);
    }
}

impl HierarchicalGroup {
    /// Runs the election, and follows what it announces.
    fn elect(
        &mut self,
        run: impl FnOnce(&mut AnyElection, &mut Cx<AnyElection>),
        cx: &mut Cx<Self>,
    ) {
        for announcement in cx.layer(&ELECTION, |cx| run(&mut self.election, cx)) {
            let coordinator = match announcement {
                election::Indication::Leads => Some(cx.me()),
                election::Indication::Follows(id) => u32::try_from(id).ok().map(ProcessId),
                election::Indication::HasId(_) | election::Indication::JoinsWithin(_) => None,
            };
            cx.indicate(Indication::Election(announcement));
            if let Some(coordinator) = coordinator {
                self.follow(coordinator, cx);
            }
        }
    }

    fn follow(&mut self, coordinator: ProcessId, cx: &mut Cx<Self>) {
        self.coordinator = coordinator;
        if coordinator == cx.me() {
            for (name, question) in std::mem::take(&mut self.early) {
                self.serve(name, question, cx);
            }
        }
        if let Some((number, question)) = self.asked
            && !cx.runs(&NO_RESEND)
        {
            cx.send(coordinator, Msg::Question { number, question });
        }
        if self.suspected.contains(coordinator) {
            cx.reach("the new coordinator has crashed");
            self.call(cx);
        }
    }

    /// Begins an election, if it is a member.
    fn call(&mut self, cx: &mut Cx<Self>) {
        if self.members.contains(cx.me()) && !cx.runs(&NO_ELECTION) {
            let request = election::Request::Elect;
            self.elect(|election, cx| election.on_request(request, cx), cx);
        }
    }

    /// Answers a question, or hands it to a worker, if there is one.
    fn serve(&mut self, name: Name, question: Value, cx: &mut Cx<Self>) {
        let (client, number) = name;
        match self.next_worker(cx).filter(|_| self.delegate) {
            Some(worker) => {
                self.last_worker = worker;
                self.tasks.insert(name, (worker, question));
                cx.send(worker, Msg::Task { client, number, question });
            }
            None => cx.send(client, Msg::Answer { number, value: answer(question) }),
        }
    }

    /// The next worker in a circle.
    fn next_worker(&self, cx: &Cx<Self>) -> Option<ProcessId> {
        let is_worker = |p: &ProcessId| *p != cx.me() && !self.suspected.contains(*p);
        let workers = || self.members.iter().filter(is_worker);
        workers().find(|p| *p > self.last_worker).or_else(|| workers().next())
    }

    /// Gives the tasks of a worker that has crashed to others.
    fn give_tasks_of(&mut self, worker: ProcessId, cx: &mut Cx<Self>) {
        if cx.runs(&NO_REASSIGN) {
            return;
        }
        let of_it = |(_, (p, _)): &(&Name, &(ProcessId, Value))| *p == worker;
        let tasks: Vec<_> = self.tasks.iter().filter(of_it).map(|(n, (_, q))| (*n, *q)).collect();
        for (name, question) in tasks {
            cx.reach("gave a task to another");
            self.tasks.remove(&name);
            self.serve(name, question, cx);
        }
    }

    fn on_answer(&mut self, number: QuestionNumber, value: Value, cx: &mut Cx<Self>) {
        if self.asked.take_if(|(asked, _)| *asked == number).is_some() {
            cx.indicate(Indication::Answer { number, value });
        }
    }
}

/// `[params]` of a hierarchical group.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HierarchicalGroupParams {
    /// Whether the coordinator hands questions to workers.
    pub delegate: bool,
    /// How the next coordinator is elected.
    pub election: Solution,
}

const NO_ELECTION: Mutant =
    Mutant::code("no-election", "holds no election when the coordinator has crashed", LIVENESS);
const NO_RESEND: Mutant = Mutant::code(
    "no-resend",
    "has clients that do not ask the next coordinator what the former one has not answered",
    LIVENESS,
);
const NO_REASSIGN: Mutant = Mutant::code(
    "no-reassign",
    "does not give the tasks of a worker that has crashed to another",
    LIVENESS,
);
const IMPERFECT_FD: Mutant = Mutant::assumption(
    "imperfect-fd",
    "elects another coordinator on the ring although the first one is up",
    ONE_LEADER,
    "detector.mistakes",
    None,
);

impl Protocol for HierarchicalGroup {
    const NAME: &'static str = "hierarchical-group";
    const SUMMARY: &'static str =
        "a group with a coordinator, which is elected anew when it crashes";
    const SOURCE: &'static str = "Tanenbaum & van Steen 2007, section 8.2; Garcia-Molina 1982";
    const ROLES: &'static [&'static str] = &[CLIENT, MEMBER];
    const MUTANTS: &'static [Mutant] = &[NO_ELECTION, NO_RESEND, NO_REASSIGN, IMPERFECT_FD];

    type Params = HierarchicalGroupParams;

    fn model(params: &HierarchicalGroupParams, setting: &Setting) -> Model {
        let model = params.election.model(setting).with(DetectorClass::Perfect);
        model.crash_stop(Bound::ALL_BUT_ONE.of(MEMBER))
    }

    fn new(params: &HierarchicalGroupParams, setting: &Setting, me: ProcessId) -> Self {
        let greatest = setting.role(MEMBER).next_back().unwrap_or(me);
        Self {
            delegate: params.delegate,
            members: setting.role(MEMBER).collect(),
            election: params.election.process(setting, me),
            coordinator: greatest,
            suspected: ProcessSet::new(),
            asked: None,
            early: BTreeMap::new(),
            tasks: BTreeMap::new(),
            last_worker: greatest,
        }
    }

    fn claims(_: &HierarchicalGroupParams, _: &Setting) -> Vec<PropertyId> {
        vec![ONE_LEADER]
    }
}
