//! The checkers.

use std::collections::BTreeSet;

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::histories::{Delivered, Histories, Stage, StateId, orphan};
use super::{Indication, Interval, Message, MessageLogging, Output, Request};

type Event<'a> = Observed<'a, MessageLogging>;

/// Whether a process has returned to an earlier state with this event.
const fn is_return(event: &Event<'_>) -> bool {
    use Indication::{Resumed, RolledBack};
    matches!(event.what, Observation::Indication(Resumed | RolledBack { .. }))
}

/// Remembers what was sent.
#[derive(Clone, Debug, Hash)]
pub(super) struct Integrity {
    histories: Histories,
    sent: BTreeSet<Message>,
    exercised: u64,
}

impl Integrity {
    pub fn new(setting: &Setting) -> Self {
        Self { histories: Histories::new(setting), sent: BTreeSet::new(), exercised: 0 }
    }

    fn check(&self, p: ProcessId, interval: Interval, message: &Message) -> Result<(), Violation> {
        let Some(history) = self.histories.of.get(p.index()) else { return Ok(()) };
        let next = history.delivered.len() as Interval + 1;
        let wrong = if message.to != p {
            format!("{p} delivers {message:?}, which is for {}", message.to)
        } else if !self.sent.contains(message) {
            format!("{p} delivers {message:?}, which nobody has sent")
        } else if history.has(&message.name()) {
            format!("{p} delivers {message:?} a second time")
        } else if interval != next {
            format!("{p} calls the interval {interval} that is its interval {next}")
        } else {
            return Ok(());
        };
        Err(Violation::by([p], wrong))
    }
}

impl Property<MessageLogging> for Integrity {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(Request::Input { number, route }) => {
                self.sent.insert(Message::input(p, *number, route.clone()));
            }
            Observation::Indication(Indication::Sent(message)) if message.from == p => {
                self.sent.insert(message.clone());
            }
            Observation::Indication(Indication::Delivered { interval, message, .. }) => {
                self.exercised += 1;
                self.check(p, *interval, message)?;
            }
            _ => {}
        }
        self.histories.observe(event);
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Looks for orphans all the time.
#[derive(Clone, Debug, Hash)]
pub(super) struct NoOrphans {
    histories: Histories,
    exercised: u64,
}

impl NoOrphans {
    pub fn new(setting: &Setting) -> Self {
        Self { histories: Histories::new(setting), exercised: 0 }
    }
}

impl Property<MessageLogging> for NoOrphans {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.histories.observe(event);
        let p = event.process;
        let everybody = (0u32..).map(ProcessId).take(self.histories.of.len());
        let concerned: Vec<ProcessId> = match event.what {
            _ if is_return(event) => everybody.collect(),
            Observation::Indication(Indication::Delivered { .. }) => vec![p],
            _ => return Ok(()),
        };
        self.exercised += u64::from(is_return(event));
        let found = |p: &ProcessId| self.histories.orphaned_by(*p).map(|lost| orphan(*p, lost));
        concerned.iter().find_map(found).map_or(Ok(()), Err)
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Looks for orphans at the end, and counts the processes that return to an earlier state.
#[derive(Clone, Debug, Hash)]
pub(super) struct NoOrphansInTheEnd {
    histories: Histories,
    returned: ProcessSet,
    exercised: u64,
}

impl NoOrphansInTheEnd {
    pub fn new(setting: &Setting) -> Self {
        let returned = ProcessSet::default();
        Self { histories: Histories::new(setting), returned, exercised: 0 }
    }
}

impl Property<MessageLogging> for NoOrphansInTheEnd {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.histories.observe(event);
        if is_return(event) {
            self.exercised += 1;
            self.returned.insert(event.process);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let found = |p: ProcessId| self.histories.orphaned_by(p).map(|lost| orphan(p, lost));
        end.correct().find_map(found).map_or(Ok(()), Err)
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }

    /// The number of processes that have returned to an earlier state.
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        Some(self.returned.iter().count() as f64)
    }
}

/// Remembers what each process had delivered before it crashed.
#[derive(Clone, Debug, Hash)]
pub(super) struct Replay {
    histories: Histories,
    before: Vec<Vec<Delivered>>,
    exercised: u64,
}

impl Replay {
    pub fn new(setting: &Setting) -> Self {
        let before = vec![Vec::new(); setting.n as usize];
        Self { histories: Histories::new(setting), before, exercised: 0 }
    }

    /// The last delivery of `p` is one of a replay.
    fn check(&self, p: ProcessId) -> Result<(), Violation> {
        let delivered = &self.histories.of[p.index()].delivered;
        let Some(last) = delivered.last() else { return Ok(()) };
        let interval = delivered.len();
        let wrong = match self.before[p.index()].get(interval - 1) {
            Some(first) if first.message != last.message => format!(
                "{p} begins interval {interval} with {:?}, and before its crash with {:?}",
                last.message, first.message
            ),
            Some(first) if first.value != last.value => format!(
                "{p} comes to {} in interval {interval}, and came to {} before its crash",
                last.value, first.value
            ),
            _ => return Ok(()),
        };
        Err(Violation::by([p], wrong))
    }
}

impl Property<MessageLogging> for Replay {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let (p, place) = (event.process, event.process.index());
        let Some(history) = self.histories.of.get(place) else { return Ok(()) };
        // A crash in the midst of a replay has not changed what happened before it.
        if matches!(event.what, Observation::Crash) && history.stage == Stage::Up {
            self.before[place] = history.delivered.clone();
        }
        let is_recovering = history.stage == Stage::Recovering;
        self.histories.observe(event);
        let delivers = matches!(event.what, Observation::Indication(Indication::Delivered { .. }));
        if delivers && is_recovering {
            self.exercised += 1;
            self.check(p)?;
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Remembers on what the outside world depends.
#[derive(Clone, Debug, Hash)]
pub(super) struct OutputCommit {
    histories: Histories,
    committed: BTreeSet<StateId>,
    exercised: u64,
}

impl OutputCommit {
    pub fn new(setting: &Setting) -> Self {
        Self { histories: Histories::new(setting), committed: BTreeSet::new(), exercised: 0 }
    }

    fn check(&self, p: ProcessId) -> Result<(), Violation> {
        let Some((of, interval)) = self.histories.first_lost(&self.committed) else {
            return Ok(());
        };
        let message = format!("an output depends on interval {interval} of {of}, which is lost");
        Err(Violation::by([p, of], message))
    }
}

impl Property<MessageLogging> for OutputCommit {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        self.histories.observe(event);
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Output(output)) => {
                self.exercised += 1;
                let Some(past) = self.histories.past_of_output(p, output) else {
                    let message = format!("{p} outputs {output:?}, which nothing has led to");
                    return Err(Violation::by([p], message));
                };
                self.committed.extend(past);
                self.check(p)
            }
            _ if is_return(event) => self.check(p),
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Remembers what was output, and the inputs that no crash of their process can have lost.
#[derive(Clone, Debug, Hash)]
pub(super) struct Delivery {
    histories: Histories,
    inputs: BTreeSet<Message>,
    output: BTreeSet<Output>,
    exercised: u64,
}

impl Delivery {
    pub fn new(setting: &Setting) -> Self {
        let (inputs, output) = (BTreeSet::new(), BTreeSet::new());
        Self { histories: Histories::new(setting), inputs, output, exercised: 0 }
    }

    fn check(&self, p: ProcessId, end: &End<'_>) -> Result<(), Violation> {
        let Some(history) = self.histories.of.get(p.index()) else { return Ok(()) };
        if history.stage != Stage::Up {
            return Err(Violation::by([p], format!("{p} never resumes")));
        }
        let mut inputs = self.inputs.iter().filter(|input| input.to == p);
        if let Some(input) = inputs.find(|input| !history.has(&input.name())) {
            return Err(Violation::by([p], format!("{p} never delivers its input {input:?}")));
        }
        for (_, message) in &history.sent {
            let to = message.to;
            let receiver = self.histories.of.get(to.index());
            let waits = receiver.is_some_and(|receiver| !receiver.has(&message.name()));
            if waits && end.is_correct(to) {
                return Err(Violation::by([p, to], format!("{to} never delivers {message:?}")));
            }
        }
        let done = history.delivered.iter().filter(|delivered| delivered.message.route.is_empty());
        let mut results = done.map(Delivered::result);
        match results.find(|output| !self.output.contains(output)) {
            Some(output) => Err(Violation::by([p], format!("{p} never outputs {output:?}"))),
            None => Ok(()),
        }
    }
}

impl Property<MessageLogging> for Delivery {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Indication::Output(output)) => {
                self.output.insert(*output);
            }
            Observation::Indication(Indication::Delivered { .. }) => self.exercised += 1,
            Observation::Request(Request::Input { number, route }) => {
                self.inputs.insert(Message::input(event.process, *number, route.clone()));
            }
            Observation::Crash => self.inputs.retain(|input| input.to != event.process),
            _ => {}
        }
        self.histories.observe(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        end.correct().try_for_each(|p| self.check(p, end))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Counts the processes that return to an earlier state.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct LocalRecovery {
    returned: ProcessSet,
    exercised: u64,
}

impl LocalRecovery {
    pub fn new(_: &Setting) -> Self {
        Self::default()
    }
}

impl Property<MessageLogging> for LocalRecovery {
    fn observe(&mut self, event: &Event<'_>) -> Result<(), Violation> {
        let p = event.process;
        if is_return(event) {
            self.exercised += 1;
            self.returned.insert(p);
        }
        match event.what {
            Observation::Indication(Indication::RolledBack { to }) => {
                let message = format!("{p} has not crashed, and rolls back to its interval {to}");
                Err(Violation::by([p], message))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }

    /// The number of processes that have returned to an earlier state.
    fn measured(&self, _: &End<'_>) -> Option<f64> {
        Some(self.returned.iter().count() as f64)
    }
}
