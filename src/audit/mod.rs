//! An auditor of traces: it reads what happened in a run and what the scenario says, and tells
//! where the two do not agree. A finding is a defect of ftsim, never of a protocol.
//!
//! It shares no code with the engine. It imports the trace and plain data, and works out for itself
//! who is up, which conditions are in force, what a clock shows and what a crash leaves of a log;
//! `tests/found/audit.rs` holds it to that. Each rule has a forged trace there that it refuses.
//!
//! What a trace does not tell cannot be judged:
//! - how long a timer was asked for (only when it is due), and what was left of one that was set
//!   while its clock stood still;
//! - what the records of a recovered log say (only how many there are);
//! - the packets of a transport: loss, acknowledgements and heartbeats;
//! - the sending of a message to oneself (only its delivery), and so which effect was the nth;
//! - whether a process that crashed in its own handler halted or was struck;
//! - whether chances come out as often as they should.

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

/// So many findings of one run are told; one defect can show in every step.
const FINDING_COUNT_MAX: usize = 20;

/// What a trace is judged by, and what else is claimed of its run.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The world of the scenario.
    pub experiment: &'a Experiment,
    /// How processes may fail, says the model of the protocol.
    pub faults: FaultClass,
    /// The seed.
    pub seed: u64,
    /// The faults of the run: those of the experiment, then those drawn from the seed.
    pub plan: &'a Plan,
    /// Whether the seed drew its part of the plan. If not, somebody gave the plan as it is.
    pub is_drawn: bool,
    /// Who is correct at the end, says the run; in the order of ids.
    pub correct: &'a [bool],
    /// When the run ended.
    pub ended_at: Instant,
    /// Why the run ended.
    pub cause: EndCause,
}

/// Something in a trace that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// The step in which this shows.
    pub step: u64,
    /// When.
    pub at: Instant,
    /// At which process; `None` for the network, the plan or the run as a whole.
    pub process: Option<ProcessId>,
    /// What is wrong.
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
        /// What must be true of every trace.
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
    /// Time and steps never go back, and nothing happens beyond the limits of the run.
    Order = "order",
    /// A process that is down does nothing.
    Down = "down",
    /// A process that is paused does nothing; a sync of its disk may end.
    Paused = "paused",
    /// A process that waits for a sync does nothing until the sync ends.
    Blocked = "blocked",
    /// A process starts once, and does nothing before.
    Absent = "absent",
    /// Each message has a number of its own.
    Number = "number",
    /// Whatever is delivered or lost on its way was sent, and once for each time.
    Sent = "sent",
    /// A message says on arrival what it said when it left.
    Content = "content",
    /// A message is delivered when it arrives, or when its receiver comes to it.
    Arrival = "arrival",
    /// A message that is on its way is delivered or lost in the end.
    Vanished = "vanished",
    /// A message is doubled or replayed only where something does that.
    Copies = "copies",
    /// Nothing crosses a cut, nor a link that loses everything.
    Cut = "cut",
    /// A message is lost only for a reason that is in force.
    Loss = "loss",
    /// A message takes no less and no more time than its link and the time of stabilisation allow.
    Delay = "delay",
    /// On a link that keeps order, messages arrive in the order of sending.
    Fifo = "fifo",
    /// A transport delivers what it was given, once in each life of the receiver.
    TransportOnce = "transport-once",
    /// A transport that keeps order leaves no gap and swaps nothing.
    TransportOrder = "transport-order",
    /// A transport gets a message through, once both ends stay up and nothing stands in the way.
    TransportStuck = "transport-stuck",
    /// A timer runs out only if it is set, when it is due by its process's clock.
    Timer = "timer",
    /// A timer that is due runs out.
    TimerMissed = "timer-missed",
    /// A crash leaves of a log what its policy says.
    Log = "log",
    /// A detector keeps the accuracy of its class.
    Accuracy = "accuracy",
    /// A detector keeps the completeness of its class.
    Completeness = "completeness",
    /// A fault strikes only where the plan says so.
    Unplanned = "unplanned",
    /// A fault that is planned for a time strikes at that time.
    Missing = "missing",
    /// The drawn plan keeps to its budget.
    Budget = "budget",
    /// Those are correct of whom the fault model says so.
    Correct = "correct",
}

/// Judges the trace of one run. An empty result means that no rule is broken.
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

/// One or a few rules at work on a trace.
trait Check<'a> {
    /// Looks at an entry. `known` is what held before it; of conditions and the network, what holds
    /// with it.
    fn see(&mut self, entry: &'a Entry, known: &Known<'a>, report: &mut Report);

    /// Looks back when the trace is over and whole.
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
    /// Reports what the current entry shows.
    fn add(&mut self, rule: Rule, message: impl Into<String>) {
        let (step, at, process) = self.place;
        self.findings.push(Finding { rule, step, at, process, message: message.into() });
    }

    /// Reports what is wrong at a process, whatever the current entry.
    fn add_at(&mut self, rule: Rule, process: ProcessId, message: impl Into<String>) {
        self.add(rule, message);
        if let Some(last) = self.findings.last_mut() {
            last.process = Some(process);
        }
    }
}
