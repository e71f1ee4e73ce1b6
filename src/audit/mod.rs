//! An auditor of traces: it compares a run's trace with its scenario and reports where they
//! disagree. A finding is a defect of ftsim, never of a protocol.
//!
//! It shares no code with the engine. It imports the trace and plain data, and derives for itself
//! which processes are up, which conditions are in force, what a clock shows and what a crash
//! leaves of a log; `tests/found/audit.rs` enforces this. There, each rule rejects a forged trace.
//!
//! The auditor cannot check what a trace does not show:
//! - how long a timer was set for (only when it is due), and the remaining time of a timer that was
//!   set while its clock stood still;
//! - the content of the records of a recovered log (only how many there are);
//! - the packets of a transport: loss, acknowledgements and heartbeats;
//! - the sending of a message to oneself (only its delivery), and so which effect was the nth;
//! - whether a process that crashed in its own handler halted or was struck by a fault;
//! - whether random events occur with the right probability.

mod acting;
mod causes;
mod correct;
mod delay;
mod delivery;
mod detector;
mod fault;
mod fifo;
mod in_force;
mod known;
mod log;
mod loss;
mod order;
mod timer;
mod transport;

use std::fmt;

use ftsim_core::experiment::Experiment;
use ftsim_core::fault::Plan;
use ftsim_core::id::ProcessId;
use ftsim_core::model::property::EndCause;
use ftsim_core::model::system_model::FaultClass;
use ftsim_core::outcome::trace::{Entry, Trace};
use ftsim_core::time::Instant;

use known::Known;

/// The maximum number of findings reported for a run; one defect can show in every step.
const FINDING_COUNT_MAX: usize = 20;

/// The scenario and the results of a run, against which its trace is judged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The settings of the scenario.
    pub experiment: &'a Experiment,
    /// The protocol's fault model.
    pub faults: FaultClass,
    /// The seed.
    pub seed: u64,
    /// The faults of the run: those of the experiment, then those drawn from the seed.
    pub plan: &'a Plan,
    /// Whether the seed drew its part of the plan. If not, the plan was given explicitly.
    pub is_drawn: bool,
    /// The correctness of each process at the end, as the run reports it.
    pub correct: &'a [bool],
    /// When the run ended.
    pub ended_at: Instant,
    /// Why the run ended.
    pub cause: EndCause,
}

/// An impossibility in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The broken rule.
    pub rule: Rule,
    /// The step in which it shows.
    pub step: u64,
    /// The time.
    pub at: Instant,
    /// The process; `None` for the network, the plan or the run as a whole.
    pub process: Option<ProcessId>,
    /// A description.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, step, at, process, message } = self;
        write!(f, "{}: step {step}, {at}, ", rule.name())?;
        process.map_or(Ok(()), |process| write!(f, "{process}: "))?;
        f.write_str(message)
    }
}

macro_rules! rules {
    ($($(#[doc = $text:literal])+ $rule:ident = $name:literal,)+) => {
        /// The rules that every trace must follow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $text])+ $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// The name of the rule.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }
        }
    };
}

rules! {
    /// Time and step numbers never decrease, and nothing happens beyond the limits of the run.
    Order = "order",
    /// A process that is down does nothing.
    Down = "down",
    /// A paused process does nothing; a sync of its disk may end.
    Paused = "paused",
    /// A process that waits for a sync does nothing until the sync ends.
    Blocked = "blocked",
    /// A process starts once, and does nothing before it starts.
    Absent = "absent",
    /// Each message has its own number.
    Number = "number",
    /// A message that is delivered or lost on its way was sent, once for each time.
    Sent = "sent",
    /// A message has the same content on arrival as when it left.
    Content = "content",
    /// A message is delivered when it arrives, or when its receiver gets to it.
    Arrival = "arrival",
    /// A message that is due is delivered or lost.
    Vanished = "vanished",
    /// A message is duplicated or replayed only if something does so.
    Copies = "copies",
    /// Nothing crosses a cut, nor a link that loses everything.
    Cut = "cut",
    /// A message is lost only for a reason that is in force.
    Loss = "loss",
    /// A message takes no less and no more time than its link and the time of stabilisation allow.
    Delay = "delay",
    /// On a link that keeps order, messages arrive in the order of sending.
    Fifo = "fifo",
    /// A transport delivers each message once in each life of the receiver.
    TransportOnce = "transport-once",
    /// A transport that keeps order swaps and omits no messages.
    TransportOrder = "transport-order",
    /// A transport delivers a message once both ends stay up and no condition is in force.
    TransportStuck = "transport-stuck",
    /// A timer fires only when it is set and due by its process's clock.
    Timer = "timer",
    /// A timer that is due fires.
    TimerMissed = "timer-missed",
    /// A crash leaves of a log what its policy allows.
    Log = "log",
    /// A detector has the accuracy of its class.
    Accuracy = "accuracy",
    /// A detector has the completeness of its class.
    Completeness = "completeness",
    /// A fault strikes only as planned.
    Unplanned = "unplanned",
    /// A fault that is planned for a time strikes at that time.
    Missing = "missing",
    /// Drawn faults respect their budget.
    Budget = "budget",
    /// The processes that count as correct are those that the fault model calls correct.
    Correct = "correct",
}

/// Audits the trace of one run. An empty result means that no rule is broken.
pub fn audit(subject: &Subject<'_>, trace: &Trace) -> Vec<Finding> {
    let mut known = Known::new(subject);
    let mut report = Report::default();
    let mut checks: [Box<dyn Check<'_>>; 12] = [
        Box::new(order::Order),
        Box::new(acting::Acting),
        Box::<delivery::Delivery<'_>>::default(),
        Box::new(loss::Loss),
        Box::<delay::Delay>::default(),
        Box::<fifo::Fifo>::default(),
        Box::<transport::Transport<'_>>::default(),
        Box::<timer::Timers<'_>>::default(),
        Box::new(log::Logs::new(subject)),
        Box::new(detector::Detector::new(subject)),
        Box::new(fault::Faults::new(subject)),
        Box::new(correct::Correct),
    ];
    for entry in &trace.entries {
        known.before(entry);
        report.place = (entry.step, entry.at, entry.process);
        for check in &mut checks {
            check.see(entry, &known, &mut report);
        }
        known.after(entry);
        if report.findings.len() >= FINDING_COUNT_MAX {
            return report.findings;
        }
    }
    if !trace.truncated {
        for check in &mut checks {
            check.end(&known, &mut report);
        }
    }
    report.findings.truncate(FINDING_COUNT_MAX);
    report.findings
}

/// One or a few rules, applied to a trace.
trait Check<'a> {
    /// Checks an entry. `known` is the state before it, except that time, conditions and the
    /// network are as at the entry.
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report);

    /// Checks a complete trace after its last entry.
    fn end(&mut self, _known: &Known<'a>, _report: &mut Report) {}
}

/// The findings so far.
#[derive(Default)]
struct Report {
    /// Step, time and process of the current entry.
    place: (u64, Instant, Option<ProcessId>),
    findings: Vec<Finding>,
}

impl Report {
    /// Reports a finding at the current entry.
    fn add(&mut self, rule: Rule, message: impl Into<String>) {
        let (step, at, process) = self.place;
        self.findings.push(Finding { rule, step, at, process, message: message.into() });
    }

    /// Reports a finding at a process, regardless of the current entry.
    fn add_at(&mut self, rule: Rule, process: ProcessId, message: impl Into<String>) {
        self.add(rule, message);
        if let Some(last) = self.findings.last_mut() {
            last.process = Some(process);
        }
    }
}
