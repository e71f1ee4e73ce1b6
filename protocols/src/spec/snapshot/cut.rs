//! Global states as they were recorded, and what can be asked of each.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{Observed, ProcessId, ProcessSet, Property, Setting, Violation, What};

use super::{Indication, Money, OPENING_BALANCE, Snapshot, SnapshotNumber, Transfer};

/// A property of every global state that a run records or restores.
#[derive(Clone, Debug, Hash)]
pub(super) struct OfCuts {
    question: Question,
    n: u32,
    histories: Histories,
    exercised: u64,
}

/// What is asked of a global state.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Question {
    Consistent,
    Complete,
    Transitless,
    Reachable,
    Conserving,
}

impl OfCuts {
    pub fn new(question: Question, setting: &Setting) -> Self {
        let n = setting.n;
        Self { question, n, histories: Histories::default(), exercised: 0 }
    }
}

impl Property<Snapshot> for OfCuts {
    fn observe(&mut self, event: &Observed<'_, Snapshot>) -> Result<(), Violation> {
        let Some(line) = self.histories.observe(event, self.n) else { return Ok(()) };
        let cut = self.histories.cut(line, self.n);
        self.exercised += match self.question {
            Question::Consistent => cut.consistent()?,
            Question::Complete => cut.complete()?,
            Question::Transitless => cut.transitless()?,
            Question::Reachable => cut.reachable()?,
            Question::Conserving => cut.conserving()?,
        };
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// What happened to the money at a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Act {
    Sent(Transfer),
    Received(Transfer),
}

/// What a process has recorded for one snapshot.
#[derive(Clone, Debug, Default, Hash)]
struct Recording {
    /// How many of its acts came before.
    act_count: usize,
    balance: Money,
    /// Recorded as under way by this process, their receiver.
    channels: Vec<Transfer>,
    /// Kept by this process, their sender, to be sent again.
    logged: Vec<Transfer>,
}

/// What has happened at a process and has not been rolled back.
#[derive(Clone, Debug, Hash)]
struct History {
    /// Each with its place in the run.
    acts: Vec<(u64, Act)>,
    recordings: BTreeMap<SnapshotNumber, Recording>,
}

impl Default for History {
    /// The opening state is the recording for snapshot 0.
    fn default() -> Self {
        let opening = Recording { balance: OPENING_BALANCE, ..Recording::default() };
        Self { acts: Vec::new(), recordings: BTreeMap::from([(0, opening)]) }
    }
}

impl History {
    fn record(&mut self, snapshot: SnapshotNumber, balance: Money) {
        let act_count = self.acts.len();
        self.recordings.insert(snapshot, Recording { act_count, balance, ..Recording::default() });
    }

    /// What came after the recording has not happened. One that was never made undoes nothing.
    fn roll_back(&mut self, snapshot: SnapshotNumber) {
        if let Some(recording) = self.recordings.get(&snapshot) {
            let act_count = recording.act_count;
            self.acts.truncate(act_count);
            self.recordings.retain(|_, later| later.act_count <= act_count);
        }
    }
}

/// Which recording of each process makes up a global state.
struct Line {
    name: String,
    snapshots: BTreeMap<ProcessId, SnapshotNumber>,
}

/// What has happened everywhere, and who has finished which snapshot and recovery.
#[derive(Clone, Debug, Default, Hash)]
struct Histories {
    of: BTreeMap<ProcessId, History>,
    act_count: u64,
    complete: BTreeMap<SnapshotNumber, ProcessSet>,
    restored: BTreeMap<u64, BTreeMap<ProcessId, SnapshotNumber>>,
}

impl Histories {
    /// Takes notice of one event. The global state that it makes whole among `n` processes, if it
    /// does.
    fn observe(&mut self, event: &Observed<'_, Snapshot>, n: u32) -> Option<Line> {
        let What::Indication(what) = event.what else { return None };
        let p = event.process;
        let history = self.of.entry(p).or_default();
        match what {
            Indication::Sent(transfer) => {
                history.acts.push((self.act_count, Act::Sent(Transfer { from: p, ..*transfer })));
                self.act_count += 1;
            }
            Indication::Received(transfer) => {
                history.acts.push((self.act_count, Act::Received(Transfer { to: p, ..*transfer })));
                self.act_count += 1;
            }
            Indication::Recorded { snapshot, balance } => history.record(*snapshot, *balance),
            Indication::ChannelRecorded { snapshot, messages, .. } => {
                if let Some(recording) = history.recordings.get_mut(snapshot) {
                    recording.channels.extend(messages);
                }
            }
            Indication::Logged { snapshot, messages } => {
                if let Some(recording) = history.recordings.get_mut(snapshot) {
                    recording.logged.extend(messages);
                }
            }
            Indication::Complete(snapshot) => return self.completed(p, *snapshot, n),
            Indication::Restored { recovery, snapshot } => {
                history.roll_back(*snapshot);
                return self.restored(p, *recovery, *snapshot, n);
            }
            Indication::Dropped(_) => {}
        }
        None
    }

    fn completed(&mut self, p: ProcessId, snapshot: SnapshotNumber, n: u32) -> Option<Line> {
        let by = self.complete.entry(snapshot).or_default();
        (by.insert(p) && by.len() == n as usize).then(|| Line {
            name: format!("snapshot {snapshot}"),
            snapshots: by.iter().map(|p| (p, snapshot)).collect(),
        })
    }

    fn restored(
        &mut self,
        p: ProcessId,
        recovery: u64,
        snapshot: SnapshotNumber,
        n: u32,
    ) -> Option<Line> {
        let by = self.restored.entry(recovery).or_default();
        (by.insert(p, snapshot).is_none() && by.len() == n as usize)
            .then(|| Line { name: format!("recovery {recovery}"), snapshots: by.clone() })
    }

    /// The global state along `line`.
    fn cut(&self, line: Line, n: u32) -> Cut {
        let mut cut = Cut { name: line.name, n, ..Cut::default() };
        for (p, snapshot) in line.snapshots {
            let history = self.of.get(&p);
            let recording = history.and_then(|h| h.recordings.get(&snapshot));
            let (Some(history), Some(recording)) = (history, recording) else {
                cut.unrecorded = Some((p, snapshot));
                continue;
            };
            cut.acts.extend(&history.acts[..recording.act_count]);
            cut.balances.insert(p, recording.balance);
            cut.channels.extend(&recording.channels);
            cut.logged.extend(&recording.logged);
        }
        cut.acts.sort_unstable();
        cut
    }
}

/// A recorded global state, and what had happened before it.
#[derive(Default)]
struct Cut {
    name: String,
    n: u32,
    /// A process that has nothing recorded for its snapshot.
    unrecorded: Option<(ProcessId, SnapshotNumber)>,
    /// What came before the recording at its own process, in the order of the run.
    acts: Vec<(u64, Act)>,
    balances: BTreeMap<ProcessId, Money>,
    channels: Vec<Transfer>,
    logged: BTreeSet<Transfer>,
}

impl Cut {
    fn sent(&self) -> BTreeSet<Transfer> {
        let sent = |(_, act): &(u64, Act)| match act {
            Act::Sent(transfer) => Some(*transfer),
            Act::Received(_) => None,
        };
        self.acts.iter().filter_map(sent).collect()
    }

    fn received(&self) -> BTreeSet<Transfer> {
        let received = |(_, act): &(u64, Act)| match act {
            Act::Received(transfer) => Some(*transfer),
            Act::Sent(_) => None,
        };
        self.acts.iter().filter_map(received).collect()
    }

    /// What the recorded state says is under way: recorded by receivers, or logged and not yet
    /// received.
    fn under_way(&self) -> Vec<Transfer> {
        let received = self.received();
        let logged = self.logged.iter().filter(|transfer| !received.contains(transfer));
        let mut under_way: Vec<Transfer> = self.channels.iter().chain(logged).copied().collect();
        under_way.sort_unstable();
        under_way
    }

    /// The premise is a message that was received.
    fn consistent(&self) -> Result<u64, Violation> {
        if let Some((p, snapshot)) = self.unrecorded {
            let message =
                format!("{}: {p} has recorded nothing for snapshot {snapshot}", self.name);
            return Err(Violation::by([p], message));
        }
        let (sent, received) = (self.sent(), self.received());
        match received.difference(&sent).next() {
            None => Ok(received.len() as u64),
            Some(orphan) => Err(self.violated_by(orphan, "is received and was never sent")),
        }
    }

    /// The premise is a message under way.
    fn complete(&self) -> Result<u64, Violation> {
        let (sent, received) = (self.sent(), self.received());
        let recorded: BTreeSet<Transfer> = self.under_way().into_iter().collect();
        let mut count = 0;
        for transfer in sent.difference(&received) {
            if !recorded.contains(transfer) {
                let how = "is sent, not received, and in no recorded channel or log";
                return Err(self.violated_by(transfer, how));
            }
            count += 1;
        }
        Ok(count)
    }

    /// The premise is a message that was sent.
    fn transitless(&self) -> Result<u64, Violation> {
        let (sent, received) = (self.sent(), self.received());
        match sent.difference(&received).next() {
            None => Ok(sent.len() as u64),
            Some(transfer) => Err(self.violated_by(transfer, "is sent and not received")),
        }
    }

    /// Replays the run with all that came before the recordings moved to the front.
    ///
    /// The replayed part must be a computation, and end in the recorded state. What came after the
    /// recordings then follows in its own order: each message that it receives is under way by now,
    /// or sent in it.
    fn reachable(&self) -> Result<u64, Violation> {
        let opening = (0..self.n).map(|p| (ProcessId(p), i128::from(OPENING_BALANCE)));
        let mut balances: BTreeMap<ProcessId, i128> = opening.collect();
        let mut under_way = BTreeSet::new();
        for (_, act) in &self.acts {
            match act {
                Act::Sent(transfer) => {
                    *balances.entry(transfer.from).or_default() -= i128::from(transfer.amount);
                    under_way.insert(*transfer);
                }
                Act::Received(transfer) if under_way.remove(transfer) => {
                    *balances.entry(transfer.to).or_default() += i128::from(transfer.amount);
                }
                Act::Received(transfer) => {
                    return Err(self.violated_by(transfer, "is received when it is not under way"));
                }
            }
        }
        for (p, recorded) in &self.balances {
            let replayed = balances.get(p).copied().unwrap_or_default();
            if replayed != i128::from(*recorded) {
                let message = format!(
                    "{}: {p} recorded a balance of {recorded}, and the replay leaves it {replayed}",
                    self.name
                );
                return Err(Violation::by([*p], message));
            }
        }
        let recorded = self.under_way();
        if recorded.iter().ne(&under_way) {
            let message = format!(
                "{}: {} recorded as under way, and the replay leaves {}",
                self.name,
                amounts(&recorded),
                amounts(&under_way)
            );
            return Err(Violation::by([], message));
        }
        Ok(1)
    }

    fn conserving(&self) -> Result<u64, Violation> {
        let sum = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(u128::from).sum::<u128>();
        let held = sum(&mut self.balances.values().copied());
        let under_way = sum(&mut self.under_way().iter().map(|transfer| transfer.amount));
        let all = u128::from(OPENING_BALANCE) * u128::from(self.n);
        if held + under_way == all {
            return Ok(1);
        }
        let message = format!(
            "{}: balances of {held} and {under_way} under way are recorded, of {all} there are",
            self.name
        );
        Err(Violation::by(self.balances.keys().copied(), message))
    }

    fn violated_by(&self, transfer: &Transfer, how: &str) -> Violation {
        let Transfer { from, to, number, amount } = transfer;
        let message =
            format!("{}: transfer {number} of {amount} from {from} to {to} {how}", self.name);
        Violation::by([*from, *to], message)
    }
}

/// Transfers in a sentence.
fn amounts<'a>(transfers: impl IntoIterator<Item = &'a Transfer>) -> String {
    let name = |t: &Transfer| format!("{} from {} to {}", t.amount, t.from, t.to);
    let names: Vec<String> = transfers.into_iter().map(name).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}
