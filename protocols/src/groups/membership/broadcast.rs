//! Views by broadcast: every change is put into one order, and each change makes a view.
//!
//! Steps: a newcomer broadcasts that it joins, a member that it leaves, and the lowest member that
//! is not suspected broadcasts whom it suspects. The broadcast is totally ordered, among all
//! processes that there are, members or not ([`TobSequencer`]). Whoever delivers a change that
//! changes the members has the next view.
//!
//! Why it works: all deliver the same changes in the same order, and so have the same views. What a
//! crashed process has delivered last may be lost for the others, and with it a view.

use std::collections::BTreeSet;

use ftsim_core::{Part, Process, ProcessId, ProcessSet, Protocol, Setting};

use super::mutants::{IGNORE_MIN_SIZE, UNORDERED};
use super::{Change, Context, Membership, Msg};
use crate::order::TobSequencer;
use crate::order::tob_sequencer::TobSequencerParams;
use crate::spec::broadcast::{self, MessageNumber};
use crate::spec::membership::{Indication, Request, RequestNumber, View};

/// The totally ordered broadcast.
const ORDER: Part<Membership, TobSequencer> =
    Part { msg: Msg::Order, timer: |never| never, record: |record| record };

/// A process whose views follow from a broadcast of changes.
#[derive(Clone, Debug, Hash)]
pub struct ByBroadcast {
    order: TobSequencer,
    min_size: u32,
    /// The last view, which need not contain it.
    view: View,
    /// All that have ever been members: nobody is admitted twice.
    admitted: ProcessSet,
    suspected: ProcessSet,
    /// Whether it has asked to leave.
    is_leaving: bool,
    /// The changes that it has broadcast.
    told: BTreeSet<Change>,
}

impl Change {
    /// As the number of a message.
    fn number(self) -> MessageNumber {
        let (kind, ProcessId(p)) = match self {
            Self::Join(p) => (0, p),
            Self::Leave(p) => (1, p),
            Self::Crash(p) => (2, p),
        };
        3 * u64::from(p) + kind
    }

    /// The change with this number, if it is about a process.
    fn of(number: MessageNumber) -> Option<Self> {
        let p = ProcessId(u32::try_from(number / 3).ok()?);
        Some(match number % 3 {
            0 => Self::Join(p),
            1 => Self::Leave(p),
            _ => Self::Crash(p),
        })
    }
}

impl ByBroadcast {
    pub(super) fn new(min_size: u32, setting: &Setting, me: ProcessId) -> Self {
        let view = View::initial(setting);
        Self {
            order: TobSequencer::new(&TobSequencerParams::default(), setting, me),
            min_size,
            admitted: view.members.clone(),
            view,
            suspected: ProcessSet::new(),
            is_leaving: false,
            told: BTreeSet::new(),
        }
    }

    pub(super) fn on_start(&self, cx: &mut Context) {
        cx.indicate(Indication::NeedsMembers(self.min_size));
    }

    pub(super) fn on_request(&mut self, request: &Request, cx: &mut Context) {
        match request {
            Request::Join => self.tell(Change::Join(cx.me()), cx),
            Request::Leave => {
                self.is_leaving = true;
                self.tell(Change::Leave(cx.me()), cx);
            }
            Request::Serve(number) => self.serve(*number, cx),
        }
        self.tell_of_crashes(cx);
    }

    pub(super) fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Context) {
        match msg {
            Msg::Order(msg) => self.order(|order, cx| order.on_message(from, msg, cx), cx),
            Msg::Change(change) => self.apply(change, cx),
            _ => {}
        }
        self.tell_of_crashes(cx);
    }

    pub(super) fn on_suspect(&mut self, p: ProcessId, cx: &mut Context) {
        self.suspected.insert(p);
        self.order(|order, cx| order.on_suspect(p, cx), cx);
        self.tell_of_crashes(cx);
    }

    fn tell(&mut self, change: Change, cx: &mut Context) {
        if !self.told.insert(change) {
            return;
        }
        if cx.runs(&UNORDERED) {
            cx.send_to_others(Msg::Change(change));
            self.apply(change, cx);
            return;
        }
        let request = broadcast::Request::Broadcast(change.number());
        self.order(|order, cx| order.on_request(request, cx), cx);
    }

    fn tell_of_crashes(&mut self, cx: &mut Context) {
        while let Some(p) = self.untold_crash(cx) {
            self.tell(Change::Crash(p), cx);
        }
    }

    /// A suspected member, if it is up to this process to tell of it.
    fn untold_crash(&self, cx: &Context) -> Option<ProcessId> {
        let (suspected, others): (Vec<_>, Vec<_>) =
            self.view.members.iter().partition(|p| self.suspected.contains(*p));
        let mut untold = suspected.into_iter().filter(|p| !self.told.contains(&Change::Crash(*p)));
        if others.first() == Some(&cx.me()) { untold.next() } else { None }
    }

    /// Runs the broadcast, and applies what it delivers.
    fn order(
        &mut self,
        run: impl FnOnce(&mut TobSequencer, &mut ftsim_core::Cx<'_, TobSequencer>),
        cx: &mut Context,
    ) {
        for indication in cx.layer(&ORDER, |cx| run(&mut self.order, cx)) {
            let broadcast::Indication::Deliver { number, .. } = indication;
            if let Some(change) = Change::of(number) {
                self.apply(change, cx);
            }
        }
    }

    fn apply(&mut self, change: Change, cx: &mut Context) {
        let mut members = self.view.members.clone();
        let is_change = match change {
            Change::Join(p) => self.admitted.insert(p) && members.insert(p),
            // Who leaves before it has joined is not admitted later.
            Change::Leave(p) => {
                self.admitted.insert(p);
                members.remove(p)
            }
            Change::Crash(p) => members.remove(p),
        };
        if is_change {
            let number = self.view.number + 1;
            self.install(View { number, members }, cx);
        }
    }

    fn install(&mut self, view: View, cx: &mut Context) {
        let was_member = self.view.contains(cx.me());
        self.view = view.clone();
        if view.contains(cx.me()) {
            cx.indicate(Indication::Installs(view));
        } else if was_member {
            cx.indicate(Indication::Leaves);
        }
    }

    fn serve(&self, number: RequestNumber, cx: &mut Context) {
        let is_viable = self.view.members.len() >= self.min_size as usize;
        let is_member = self.view.contains(cx.me()) && !self.is_leaving;
        let serves = is_member && (is_viable || cx.runs(&IGNORE_MIN_SIZE));
        cx.indicate(match serves {
            true => Indication::Serves(number),
            false => Indication::Refuses(number),
        });
    }
}
