//! The properties of view-synchronous multicast.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::{Indication, ViewSynchrony};
use crate::broadcast::{broadcast, delivered};
use crate::membership::properties::{Views, announced, asked};
use crate::membership::{self, ViewNumber};
use crate::message_set::MessageName;

type Messages = BTreeSet<MessageName>;

/// What each process has delivered in the view that it is in.
#[derive(Clone, Debug, Hash)]
struct InView {
    views: Views,
    delivered: BTreeMap<ProcessId, Messages>,
}

impl InView {
    fn new(setting: &Setting) -> Self {
        Self { views: Views::new(setting), delivered: BTreeMap::new() }
    }

    /// Follows an event. If the process goes on to another view: the number of the view before, of
    /// this one, and what it delivered in the view before.
    fn follow(
        &mut self,
        event: &Observed<'_, ViewSynchrony>,
    ) -> Option<(ViewNumber, ViewNumber, Messages)> {
        let p = event.process;
        if let Some(message) = delivered(event) {
            self.delivered.entry(p).or_default().insert(message);
        }
        let before = self.views.of(p).map(|view| view.number);
        self.views.follow(event);
        let Some(membership::Indication::Installs(view)) = announced(event) else { return None };
        let delivered = self.delivered.remove(&p).unwrap_or_default();
        before.map(|before| (before, view.number, delivered))
    }

    fn delivered_by(&self, p: ProcessId) -> Option<&Messages> {
        self.delivered.get(&p)
    }
}

/// A message that only one of these has.
fn difference(these: &Messages, those: &Messages) -> Option<MessageName> {
    these.symmetric_difference(those).next().copied()
}

/// `vs.virtual-synchrony`: remembers what was delivered by the first process that went from one
/// view to another.
#[derive(Clone, Debug, Hash)]
pub(super) struct VirtualSynchrony {
    here: InView,
    between: BTreeMap<(ViewNumber, ViewNumber), (ProcessId, Messages)>,
    comparisons: u64,
}

impl VirtualSynchrony {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { here: InView::new(setting), between: BTreeMap::new(), comparisons: 0 }
    }
}

impl Property<ViewSynchrony> for VirtualSynchrony {
    fn observe(&mut self, event: &Observed<'_, ViewSynchrony>) -> Result<(), Violation> {
        let Some((from, to, messages)) = self.here.follow(event) else { return Ok(()) };
        let p = event.process;
        let Some((q, others)) = self.between.get(&(from, to)) else {
            self.between.insert((from, to), (p, messages));
            return Ok(());
        };
        self.comparisons += u64::from(!(messages.is_empty() && others.is_empty()));
        match difference(&messages, others) {
            None => Ok(()),
            Some((sender, number)) => {
                let (with, without) =
                    if messages.contains(&(sender, number)) { (p, *q) } else { (*q, p) };
                let how = format!(
                    "from view {from} to {to}, {with} delivered message {number} of {sender} and \
                     {without} did not"
                );
                Err(Violation::by([with, without], how))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

/// `vs.sending-view`: remembers the view in which each message was sent.
#[derive(Clone, Debug, Hash)]
pub(super) struct SendingView {
    views: Views,
    sent: BTreeMap<MessageName, Option<ViewNumber>>,
    deliveries: u64,
}

impl SendingView {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { views: Views::new(setting), sent: BTreeMap::new(), deliveries: 0 }
    }

    fn number(&self, p: ProcessId) -> Option<ViewNumber> {
        self.views.of(p).map(|view| view.number)
    }
}

impl Property<ViewSynchrony> for SendingView {
    fn observe(&mut self, event: &Observed<'_, ViewSynchrony>) -> Result<(), Violation> {
        let p = event.process;
        self.views.follow(event);
        if let Observation::Indication(Indication::Sends(number)) = event.what {
            self.sent.insert((p, *number), self.number(p));
        }
        let Some((sender, number)) = delivered(event) else { return Ok(()) };
        // Whether it was sent at all is a matter of creation.
        let Some(sent) = self.sent.get(&(sender, number)) else { return Ok(()) };
        self.deliveries += 1;
        let here = self.number(p);
        if *sent == here {
            return Ok(());
        }
        let name = |view: Option<ViewNumber>| match view {
            Some(number) => format!("in view {number}"),
            None => "outside of the group".to_owned(),
        };
        let how = format!(
            "{p} delivered message {number} of {sender} {}, and it was sent {}",
            name(here),
            name(*sent)
        );
        Err(Violation::by([p, sender], how))
    }

    fn exercised(&self) -> u64 {
        self.deliveries
    }
}

/// The members that have not asked to leave.
#[derive(Clone, Debug, Hash)]
struct Staying {
    here: InView,
    leaving: ProcessSet,
}

impl Staying {
    fn new(setting: &Setting) -> Self {
        Self { here: InView::new(setting), leaving: ProcessSet::new() }
    }

    fn follow(&mut self, event: &Observed<'_, ViewSynchrony>) {
        self.here.follow(event);
        if let Some(membership::Request::Leave) = asked(event) {
            self.leaving.insert(event.process);
        }
    }

    /// The correct ones, with the number of their view.
    fn at_end<'a>(
        &'a self,
        end: &'a End<'_>,
    ) -> impl Iterator<Item = (ProcessId, ViewNumber)> + 'a {
        let staying = end.correct().filter(|p| !self.leaving.contains(*p));
        staying.filter_map(|p| Some((p, self.here.views.of(p)?.number)))
    }
}

/// `vs.validity`: remembers what processes were asked to multicast and have not delivered.
#[derive(Clone, Debug, Hash)]
pub(super) struct Validity {
    staying: Staying,
    owed: Messages,
    asked: BTreeMap<ProcessId, u64>,
    /// Known at the end.
    obligations: u64,
}

impl Validity {
    pub(super) fn new(setting: &Setting) -> Self {
        let staying = Staying::new(setting);
        Self { staying, owed: Messages::new(), asked: BTreeMap::new(), obligations: 0 }
    }
}

impl Property<ViewSynchrony> for Validity {
    fn observe(&mut self, event: &Observed<'_, ViewSynchrony>) -> Result<(), Violation> {
        self.staying.follow(event);
        if let Some(message) = broadcast(event) {
            self.owed.insert(message);
            *self.asked.entry(event.process).or_default() += 1;
        }
        if let Some((sender, number)) = delivered(event).filter(|(p, _)| *p == event.process) {
            self.owed.remove(&(sender, number));
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let staying: BTreeMap<_, _> = self.staying.at_end(end).collect();
        let asked = self.asked.iter().filter(|(p, _)| staying.contains_key(p));
        self.obligations = asked.map(|(_, count)| count).sum();
        match self.owed.iter().find(|(p, _)| staying.contains_key(p)) {
            None => Ok(()),
            Some((p, number)) => {
                let how = format!("{p} was asked to multicast {number} and never delivered it");
                Err(Violation::by([*p], how))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// `vs.agreement`: remembers what each process has delivered in its view.
#[derive(Clone, Debug, Hash)]
pub(super) struct Agreement {
    staying: Staying,
    /// Known at the end: messages of the last view.
    obligations: u64,
}

impl Agreement {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { staying: Staying::new(setting), obligations: 0 }
    }
}

impl Property<ViewSynchrony> for Agreement {
    fn observe(&mut self, event: &Observed<'_, ViewSynchrony>) -> Result<(), Violation> {
        self.staying.follow(event);
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let none = Messages::new();
        let of = |p| self.staying.here.delivered_by(p).unwrap_or(&none);
        let last = self.staying.at_end(end).map(|(_, number)| number).max();
        let mut members = self.staying.at_end(end).filter(|(_, number)| Some(*number) == last);
        let Some((p, _)) = members.next() else { return Ok(()) };
        let missing = members.find_map(|(q, _)| Some((q, difference(of(p), of(q))?)));
        self.obligations = of(p).len() as u64;
        let Some((q, (sender, number))) = missing else { return Ok(()) };
        let (with, without) = if of(p).contains(&(sender, number)) { (p, q) } else { (q, p) };
        let how = format!(
            "{with} delivered message {number} of {sender} in the last view, {without} never did"
        );
        Err(Violation::by([with, without], how))
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}
