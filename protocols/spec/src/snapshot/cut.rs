//! Recorded global states, and the properties of each.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::{Indication, Money, OPENING_BALANCE, Snapshot, SnapshotNumber, Transfer};

/// A property of every global state that a run records or restores.
#[derive(Clone, Debug, Hash)]
pub(super) struct OfCuts {
    question: Question,
    n: u32,
    histories: Histories,
    exercised: u64,
}

/// A property of a global state.
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

/// An event of the bank at a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Act {
    Sent(Transfer),
    Received(Transfer),
}

impl Act {
    const fn sent(&self) -> Option<Transfer> {
        match self {
            Self::Sent(transfer) => Some(*transfer),
            Self::Received(_) => None,
        }
    }

    const fn received(&self) -> Option<Transfer> {
        match self {
            Self::Received(transfer) => Some(*transfer),
            Self::Sent(_) => None,
        }
    }
}

/// The recording of a process for one snapshot.
#[derive(Clone, Debug, Default, Hash)]
struct Recording {
    /// The number of its acts before the recording.
    act_count: usize,
    balance: Money,
    /// The channels to this process, by sender: the messages in each, in their order.
    channels: BTreeMap<ProcessId, Vec<Transfer>>,
    /// The messages that this process, their sender, has logged to send again.
    logged: BTreeSet<Transfer>,
}

/// A directed channel: sender and receiver.
type Channel = (ProcessId, ProcessId);

/// The channel that a transfer takes.
const fn channel_of(transfer: &Transfer) -> Channel {
    (transfer.from, transfer.to)
}

/// The order in which a channel delivers.
#[derive(Clone, Debug, Default, Hash)]
struct Order {
    /// The transfers sent on it, with their positions.
    places: BTreeMap<Transfer, usize>,
    /// The greatest position of a transfer that it has delivered.
    latest: Option<usize>,
    /// Whether a transfer has overtaken another.
    has_overtaken: bool,
}

impl Order {
    fn sent(&mut self, transfer: Transfer) {
        let place = self.places.len();
        self.places.entry(transfer).or_insert(place);
    }

    fn received(&mut self, transfer: &Transfer) {
        let Some(place) = self.places.get(transfer).copied() else { return };
        self.has_overtaken |= self.latest > Some(place);
        self.latest = self.latest.max(Some(place));
    }
}

/// The events at a process that have not been rolled back.
#[derive(Clone, Debug, Hash)]
struct History {
    /// Each with its position in the run.
    acts: Vec<(u64, Act)>,
    recordings: BTreeMap<SnapshotNumber, Recording>,
    /// The checkpoints of its own.
    own: BTreeMap<SnapshotNumber, Recording>,
    /// The states that it kept in recoveries, by the numbers of these.
    kept: BTreeMap<u64, Recording>,
}

impl Default for History {
    /// The opening state is the recording for snapshot 0, and the own checkpoint 0.
    fn default() -> Self {
        let opening = Recording { balance: OPENING_BALANCE, ..Recording::default() };
        let recordings = BTreeMap::from([(0, opening)]);
        Self { acts: Vec::new(), own: recordings.clone(), recordings, kept: BTreeMap::new() }
    }
}

impl History {
    fn record(&mut self, snapshot: SnapshotNumber, balance: Money) {
        let act_count = self.acts.len();
        self.recordings.insert(snapshot, Recording { act_count, balance, ..Recording::default() });
    }

    /// The current state, with messages that it will send again.
    fn now(&self, balance: Money, logged: &[Transfer]) -> Recording {
        let logged = logged.iter().copied().collect();
        Recording { act_count: self.acts.len(), balance, logged, ..Recording::default() }
    }

    fn at(&self, point: Point) -> Option<&Recording> {
        match point {
            Point::Snapshot(snapshot) => self.recordings.get(&snapshot),
            Point::Own(checkpoint) => self.own.get(&checkpoint),
            Point::Recovery(recovery) => self.kept.get(&recovery),
        }
    }

    /// Undoes the acts after a recorded state. One that was never recorded undoes nothing.
    fn roll_back(&mut self, point: Point) {
        if let Some(recording) = self.at(point) {
            let act_count = recording.act_count;
            self.acts.truncate(act_count);
            for recordings in [&mut self.recordings, &mut self.own, &mut self.kept] {
                recordings.retain(|_, later| later.act_count <= act_count);
            }
        }
    }
}

/// A recorded state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Point {
    /// The one recorded for this snapshot.
    Snapshot(SnapshotNumber),
    /// This checkpoint of its own.
    Own(SnapshotNumber),
    /// The one kept in this recovery.
    Recovery(u64),
}

/// The recordings that make up a global state.
pub(super) struct Line {
    name: String,
    points: BTreeMap<ProcessId, Point>,
}

/// The histories of all processes, and the snapshots and recoveries that they have completed.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Histories {
    of: BTreeMap<ProcessId, History>,
    act_count: u64,
    orders: BTreeMap<Channel, Order>,
    complete: BTreeMap<SnapshotNumber, ProcessSet>,
    /// The processes that take no part in a checkpoint.
    left_out: BTreeMap<SnapshotNumber, ProcessSet>,
    /// The states from which processes go on after each recovery.
    resumed: BTreeMap<u64, BTreeMap<ProcessId, Point>>,
}

impl Histories {
    /// Of all that has not been rolled back, exactly what was sent has been received.
    pub fn settled(&self) -> Result<(), Violation> {
        let acts = || self.of.values().flat_map(|history| &history.acts);
        let sent: BTreeSet<_> = acts().filter_map(|(_, act)| act.sent()).collect();
        let received: BTreeSet<_> = acts().filter_map(|(_, act)| act.received()).collect();
        let lost = sent.difference(&received).map(|t| (t, "is sent, and not received"));
        let orphans =
            received.difference(&sent).map(|t| (t, "is received, and its sending undone"));
        match lost.chain(orphans).next() {
            Some((t, how)) => Err(Violation::by([t.from, t.to], format!("transfer {t:?} {how}"))),
            None => Ok(()),
        }
    }

    /// Notes an event. Returns the global state that it completes among `n` processes, if it does.
    pub fn observe(&mut self, event: &Observed<'_, Snapshot>, n: u32) -> Option<Line> {
        let Observation::Indication(what) = event.what else { return None };
        let p = event.process;
        let history = self.of.entry(p).or_default();
        match what {
            Indication::Sent(transfer) => {
                let transfer = Transfer { from: p, ..*transfer };
                history.acts.push((self.act_count, Act::Sent(transfer)));
                self.act_count += 1;
                self.orders.entry(channel_of(&transfer)).or_default().sent(transfer);
            }
            Indication::Received(transfer) => {
                let transfer = Transfer { to: p, ..*transfer };
                history.acts.push((self.act_count, Act::Received(transfer)));
                self.act_count += 1;
                self.orders.entry(channel_of(&transfer)).or_default().received(&transfer);
            }
            Indication::Recorded { snapshot, balance } => history.record(*snapshot, *balance),
            Indication::ChannelRecorded { snapshot, from, messages } => {
                if let Some(recording) = history.recordings.get_mut(snapshot) {
                    recording.channels.entry(*from).or_default().extend(messages);
                }
            }
            Indication::Logged { snapshot, messages } => {
                if let Some(recording) = history.recordings.get_mut(snapshot) {
                    recording.logged.extend(messages);
                }
            }
            Indication::Complete(snapshot) => {
                let is_new = self.complete.entry(*snapshot).or_default().insert(p);
                return is_new.then(|| self.completed(*snapshot, n)).flatten();
            }
            Indication::LeftOut { snapshot, processes } => {
                let left_out = self.left_out.entry(*snapshot).or_default();
                let known = left_out.len();
                left_out.extend(processes.iter().copied());
                let are_new = left_out.len() > known;
                return are_new.then(|| self.completed(*snapshot, n)).flatten();
            }
            Indication::Restored { recovery, snapshot } => {
                history.roll_back(Point::Snapshot(*snapshot));
                // It was permanent, even if the crash has kept all from announcing so.
                self.complete.entry(*snapshot).or_default();
                return self.resumed(p, *recovery, Point::Snapshot(*snapshot), n);
            }
            Indication::RecordedOwn { checkpoint, balance, messages } => {
                history.own.insert(*checkpoint, history.now(*balance, messages));
            }
            Indication::Returned { recovery, checkpoint } => {
                history.roll_back(Point::Own(*checkpoint));
                return self.resumed(p, *recovery, Point::Own(*checkpoint), n);
            }
            Indication::Kept { recovery, balance, messages } => {
                history.kept.insert(*recovery, history.now(*balance, messages));
                return self.resumed(p, *recovery, Point::Recovery(*recovery), n);
            }
            Indication::Dropped(snapshot) => {
                history.recordings.remove(snapshot);
            }
        }
        None
    }

    /// The global state of a snapshot, if all that take part have completed it. Who takes no part
    /// has its last permanent checkpoint there.
    fn completed(&self, snapshot: SnapshotNumber, n: u32) -> Option<Line> {
        let none = ProcessSet::new();
        let complete = self.complete.get(&snapshot)?;
        let left_out = self.left_out.get(&snapshot).unwrap_or(&none);
        let point = |p| match complete.contains(p) || !left_out.contains(p) {
            true => (p, Point::Snapshot(snapshot)),
            false => (p, Point::Snapshot(self.permanent(p, snapshot))),
        };
        let mut all = (0..n).map(ProcessId);
        all.clone().all(|p| complete.contains(p) || left_out.contains(p)).then(|| Line {
            name: format!("snapshot {snapshot}"),
            points: all.by_ref().map(point).collect(),
        })
    }

    /// The last checkpoint of a process before `snapshot` that some process has completed.
    fn permanent(&self, p: ProcessId, snapshot: SnapshotNumber) -> SnapshotNumber {
        let Some(history) = self.of.get(&p) else { return 0 };
        let mut earlier = history.recordings.range(..snapshot).rev().map(|(number, _)| *number);
        earlier.find(|number| self.complete.contains_key(number)).unwrap_or_default()
    }

    /// The transfers that a process has sent since its last permanent checkpoint before `snapshot`.
    pub fn sent_since(&self, p: ProcessId, snapshot: SnapshotNumber) -> BTreeSet<Transfer> {
        let Some(history) = self.of.get(&p) else { return BTreeSet::new() };
        let permanent = history.recordings.get(&self.permanent(p, snapshot));
        let acts = history.acts.iter().skip(permanent.map_or(0, |recording| recording.act_count));
        acts.filter_map(|(_, act)| act.sent()).collect()
    }

    /// The transfers that a process has received.
    pub fn received(&self, p: ProcessId) -> impl Iterator<Item = Transfer> {
        let acts = self.of.get(&p).into_iter().flat_map(|history| &history.acts);
        acts.filter_map(|(_, act)| act.received())
    }

    fn resumed(&mut self, p: ProcessId, recovery: u64, point: Point, n: u32) -> Option<Line> {
        let by = self.resumed.entry(recovery).or_default();
        (by.insert(p, point).is_none() && by.len() == n as usize)
            .then(|| Line { name: format!("recovery {recovery}"), points: by.clone() })
    }

    /// The global state along `line`.
    fn cut(&self, line: Line, n: u32) -> Cut {
        let mut cut = Cut { name: line.name, n, ..Cut::default() };
        let opening = History::default();
        for (p, point) in line.points {
            let history = self.of.get(&p).unwrap_or(&opening);
            let Some(recording) = history.at(point) else {
                cut.unrecorded = Some((p, point));
                continue;
            };
            cut.acts.extend(&history.acts[..recording.act_count]);
            cut.balances.insert(p, recording.balance);
            for (from, messages) in &recording.channels {
                cut.channels.insert((*from, p), messages.clone());
            }
            cut.logged.extend(recording.logged.iter().filter(|transfer| transfer.from == p));
        }
        cut.acts.sort_unstable();
        let bags = self.orders.iter().filter(|(_, order)| order.has_overtaken);
        cut.bags = bags.map(|(channel, _)| *channel).collect();
        cut
    }
}

/// A recorded global state, and the events before it.
#[derive(Default)]
struct Cut {
    name: String,
    n: u32,
    /// A process that has recorded nothing for its snapshot.
    unrecorded: Option<(ProcessId, Point)>,
    /// The acts before the recording at each process, in the order of the run.
    acts: Vec<(u64, Act)>,
    balances: BTreeMap<ProcessId, Money>,
    /// The channels as recorded by their receivers, each in its order.
    channels: BTreeMap<Channel, Vec<Transfer>>,
    /// The messages logged by their senders.
    logged: BTreeSet<Transfer>,
    /// The channels that are not FIFO in this run: their states have no order.
    bags: BTreeSet<Channel>,
}

impl Cut {
    fn sent(&self) -> BTreeSet<Transfer> {
        self.acts.iter().filter_map(|(_, act)| act.sent()).collect()
    }

    fn received(&self) -> BTreeSet<Transfer> {
        self.acts.iter().filter_map(|(_, act)| act.received()).collect()
    }

    /// The logged messages that their receivers have neither received nor recorded.
    fn to_send_again(&self) -> impl Iterator<Item = &Transfer> {
        let received = self.received();
        self.logged.iter().filter(move |t| !received.contains(t) && !self.is_recorded(t))
    }

    /// Whether its receiver has recorded it in the channel that it takes.
    fn is_recorded(&self, transfer: &Transfer) -> bool {
        self.channels.get(&channel_of(transfer)).is_some_and(|state| state.contains(transfer))
    }

    /// Exercised by messages received.
    fn consistent(&self) -> Result<u64, Violation> {
        if let Some((p, point)) = self.unrecorded {
            let what = match point {
                Point::Snapshot(snapshot) => format!("snapshot {snapshot}"),
                Point::Own(checkpoint) => format!("its own checkpoint {checkpoint}"),
                Point::Recovery(recovery) => format!("recovery {recovery}"),
            };
            let message = format!("{}: {p} has recorded nothing for {what}", self.name);
            return Err(Violation::by([p], message));
        }
        let (sent, received) = (self.sent(), self.received());
        match received.difference(&sent).next() {
            None => Ok(received.len() as u64),
            Some(orphan) => Err(self.violated_by(orphan, "is received and was never sent")),
        }
    }

    /// Exercised by messages in channels.
    fn complete(&self) -> Result<u64, Violation> {
        let (sent, received) = (self.sent(), self.received());
        let mut count = 0;
        for transfer in sent.difference(&received) {
            if !self.is_recorded(transfer) && !self.logged.contains(transfer) {
                let how = "is sent, not received, and neither in its recorded channel nor in a log";
                return Err(self.violated_by(transfer, how));
            }
            count += 1;
        }
        Ok(count)
    }

    /// Exercised by messages sent.
    fn transitless(&self) -> Result<u64, Violation> {
        let (sent, received) = (self.sent(), self.received());
        match sent.difference(&received).next() {
            None => Ok(sent.len() as u64),
            Some(transfer) => Err(self.violated_by(transfer, "is sent and not received")),
        }
    }

    /// Replays the run with the acts before the recordings moved to the front.
    ///
    /// The replayed part must be a computation, and end in the recorded state. The acts after the
    /// recordings then follow in their own order: each message that they receive is in a channel by
    /// then, or sent by them.
    fn reachable(&self) -> Result<u64, Violation> {
        let opening = (0..self.n).map(|p| (ProcessId(p), i128::from(OPENING_BALANCE)));
        let mut balances: BTreeMap<ProcessId, i128> = opening.collect();
        let mut under_way: BTreeMap<Channel, Vec<Transfer>> = BTreeMap::new();
        for (_, act) in &self.acts {
            match act {
                Act::Sent(transfer) => {
                    *balances.entry(transfer.from).or_default() -= i128::from(transfer.amount);
                    under_way.entry(channel_of(transfer)).or_default().push(*transfer);
                }
                Act::Received(transfer) => {
                    let channel = under_way.entry(channel_of(transfer)).or_default();
                    let Some(place) = channel.iter().position(|t| t == transfer) else {
                        return Err(
                            self.violated_by(transfer, "is received when it is not under way")
                        );
                    };
                    channel.remove(place);
                    *balances.entry(transfer.to).or_default() += i128::from(transfer.amount);
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
        self.compare_channels(under_way)?;
        Ok(1)
    }

    /// Compares the recorded channels with those that the replay leaves.
    ///
    /// The state of a FIFO channel is a sequence, in the order of sending (Chandy and Lamport). A
    /// channel on which messages overtake each other has a multiset as its state (Lai and Yang,
    /// Mattern), and so has one that its sender logs: a message sent again has no position among
    /// the others.
    fn compare_channels(
        &self,
        mut under_way: BTreeMap<Channel, Vec<Transfer>>,
    ) -> Result<(), Violation> {
        let mut recorded = self.channels.clone();
        let mut bags = self.bags.clone();
        for transfer in self.to_send_again() {
            recorded.entry(channel_of(transfer)).or_default().push(*transfer);
            bags.insert(channel_of(transfer));
        }
        let channels: BTreeSet<_> = recorded.keys().chain(under_way.keys()).copied().collect();
        for channel in channels {
            let mut state = recorded.remove(&channel).unwrap_or_default();
            let mut left = under_way.remove(&channel).unwrap_or_default();
            if bags.contains(&channel) {
                state.sort_unstable();
                left.sort_unstable();
            }
            if state != left {
                let (from, to) = channel;
                let message = format!(
                    "{}: the channel from {from} to {to} is recorded with {}, and the replay \
                     leaves {} in it",
                    self.name,
                    in_words(&state, channel),
                    in_words(&left, channel)
                );
                return Err(Violation::by([from, to], message));
            }
        }
        Ok(())
    }

    /// Adds up the money. A transfer in the state of a channel that it does not take does not
    /// count.
    fn conserving(&self) -> Result<u64, Violation> {
        let sum = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(u128::from).sum::<u128>();
        let held = sum(&mut self.balances.values().copied());
        let own = |(channel, state): (&Channel, &Vec<Transfer>)| {
            sum(&mut state.iter().filter(|t| channel_of(t) == *channel).map(|t| t.amount))
        };
        let recorded: u128 = self.channels.iter().map(own).sum();
        let under_way = recorded + sum(&mut self.to_send_again().map(|transfer| transfer.amount));
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

/// The state of a channel in words: numbers and amounts, and for a misplaced transfer also its
/// sender and receiver.
fn in_words(state: &[Transfer], channel: Channel) -> String {
    let name = |t: &Transfer| match t {
        t if channel_of(t) == channel => format!("#{} of {}", t.number, t.amount),
        Transfer { from, to, number, amount } => {
            format!("#{number} of {amount} from {from} to {to}")
        }
    };
    let names: Vec<String> = state.iter().map(name).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}
