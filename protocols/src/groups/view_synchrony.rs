//! View-synchronous multicast: members agree on the messages of each view.
//!
//! Source: Birman and Joseph (1987), *Exploiting virtual synchrony in distributed systems*; Birman,
//! Schiper and Stephenson (1991), section 5.2, as Tanenbaum and van Steen (2007), section 8.4, tell
//! it. Spec: [`view_synchrony`]. Model: asynchronous with a perfect failure detector P, reliable
//! FIFO links, f < n; newcomers join under identities of their own.
//!
//! Steps: a member sends its messages to all members of its view, and delivers what comes from
//! them. When [`Membership`] has the next view, it stops: it forwards the messages that some member
//! may not have to all members of the next view, and then sends them FLUSH. When FLUSH has come
//! from all of them, it delivers what was forwarded, and installs the view. If yet another view
//! comes before, it does all this again for that one. What it is asked to send meanwhile waits.
//!
//! Why it works: whoever installs a view has FLUSH from all its members, who sent to each the same
//! forwarded messages before, and delivered none in between. So all that install it deliver the
//! same. A member may have installed a view of which others have not heard all FLUSHes when the
//! next one comes. It says so in its next FLUSH, and forwards the messages of that view as well;
//! then the others install it too, on their way. A newcomer, which delivers nothing of earlier
//! views, forwards their messages as well: it may be the only one left that has installed its first
//! view.
//!
//! Words: in the papers a message that all members are known to have is not forwarded. Here
//! messages are kept until all members are known to have gone on to a later view. Their newcomers
//! also get the state of the group, as of the view that they install first; these processes have
//! none beside their messages (`lamport-tom-ft` and `state-transfer` hand over theirs).

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::Part;
use ftsim_core::prelude::*;

use super::Membership;
use super::membership::{self, MembershipParams};
use crate::spec::broadcast::MessageNumber;
use crate::spec::membership::{
    ACCURACY, FOUNDER, Indication as GroupIndication, NEWCOMER, UNIFORM_VIEW_AGREEMENT, View,
    ViewNumber,
};
use crate::spec::message_set::MessageName;
use crate::spec::view_synchrony::{self, Indication, Request, SENDING_VIEW, VIRTUAL_SYNCHRONY};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A message of the membership service.
    Group(membership::Msg),
    /// A message, and the view in which it is sent.
    Data { view: ViewNumber, number: MessageNumber },
    /// On the way to the view `to`: a message of `view`.
    Forward { to: ViewNumber, view: ViewNumber, message: MessageName },
    /// The sender has forwarded all its messages on the way to the view `to`. These views have been
    /// installed, by itself or by others.
    Flush { to: ViewNumber, installed: BTreeSet<ViewNumber> },
}

/// The messages of each view.
type Messages = BTreeMap<ViewNumber, BTreeSet<MessageName>>;

/// A process of view-synchronous multicast.
#[derive(Clone, Debug, Hash)]
pub struct ViewSynchrony {
    group: Membership,
    /// The views that the group has agreed on and of which it is a member.
    views: BTreeMap<ViewNumber, View>,
    /// The view that it has installed last; `None` for a newcomer.
    installed: Option<ViewNumber>,
    /// The messages of views that have been installed, by it or others, and which some member may
    /// not have left yet: what it has delivered in them, or if it was no member, what was forwarded
    /// to it when others left them.
    messages: Messages,
    /// Messages of views that it has not installed.
    early: Messages,
    /// What others have forwarded on the way to a view, and whose FLUSH has come.
    flushes: BTreeMap<ViewNumber, Flushes>,
    /// The view that each member is known to have installed last.
    reached: BTreeMap<ProcessId, ViewNumber>,
    /// Messages that it is asked to send and has not sent.
    waiting: Vec<MessageNumber>,
    is_out: bool,
}

/// What has come on the way to a view.
#[derive(Clone, Debug, Default, Hash)]
struct Flushes {
    forwarded: Messages,
    /// The views that somebody has installed.
    installed: BTreeSet<ViewNumber>,
    from: ProcessSet,
}

/// The membership service.
const GROUP: Part<ViewSynchrony, Membership> =
    Part { msg: Msg::Group, timer: |never| never, record: |record| record };

impl Process for ViewSynchrony {
    type Spec = view_synchrony::ViewSynchrony;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, request: Request, cx: &mut Cx<Self>) {
        match request {
            Request::Group(request) => self.group(|group, cx| group.on_request(request, cx), cx),
            Request::Multicast(number) => {
                self.waiting.push(number);
                self.send_waiting(cx);
            }
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Group(msg) => self.group(|group, cx| group.on_message(from, msg, cx), cx),
            // Who is out neither delivers nor installs anything any more.
            _ if self.is_out => {}
            Msg::Data { view, number } => self.on_data(view, (from, number), cx),
            Msg::Forward { to, view, message } => {
                let forwarded = &mut self.flushes.entry(to).or_default().forwarded;
                forwarded.entry(view).or_default().insert(message);
            }
            Msg::Flush { to, installed } => self.on_flush(from, to, installed, cx),
        }
    }

    fn on_suspect(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        self.group(|group, cx| group.on_suspect(p, cx), cx);
    }
}

impl ViewSynchrony {
    /// Runs the membership service.
    fn group(&mut self, run: impl FnOnce(&mut Membership, &mut Cx<Membership>), cx: &mut Cx<Self>) {
        for indication in cx.layer(&GROUP, |cx| run(&mut self.group, cx)) {
            match indication {
                GroupIndication::Installs(view) => self.go_to(view, cx),
                GroupIndication::Leaves => {
                    self.is_out = true;
                    cx.indicate(Indication::Group(GroupIndication::Leaves));
                }
                // Nobody asks it to serve anything else.
                GroupIndication::Serves(_)
                | GroupIndication::Refuses(_)
                | GroupIndication::NeedsMembers(_)
                | GroupIndication::NeedsMajority => {}
            }
        }
    }

    /// The view that it is on the way to, or in.
    fn target(&self) -> Option<ViewNumber> {
        self.views.keys().next_back().copied()
    }

    fn is_flushing(&self) -> bool {
        self.installed != self.target()
    }

    fn members(&self, view: ViewNumber) -> ProcessSet {
        self.views.get(&view).map(|view| view.members.clone()).unwrap_or_default()
    }

    fn others_in(&self, view: ViewNumber, cx: &Cx<Self>) -> Vec<ProcessId> {
        self.members(view).iter().filter(|p| *p != cx.me()).collect()
    }

    fn send_waiting(&mut self, cx: &mut Cx<Self>) {
        let (Some(installed), Some(target)) = (self.installed, self.target()) else { return };
        let view = match self.is_flushing() {
            true if cx.runs(&SEND_DURING_FLUSH) => target,
            true => return,
            false => installed,
        };
        if self.is_out {
            return;
        }
        for number in std::mem::take(&mut self.waiting) {
            cx.indicate(Indication::Sends(number));
            cx.send_to(self.others_in(view, cx), Msg::Data { view, number });
            if view == installed {
                self.deliver((cx.me(), number), cx);
            } else {
                self.early.entry(view).or_default().insert((cx.me(), number));
            }
        }
    }

    fn on_data(&mut self, view: ViewNumber, message: MessageName, cx: &mut Cx<Self>) {
        let reached = self.reached.entry(message.0).or_default();
        *reached = view.max(*reached);
        if Some(view) > self.installed {
            self.early.entry(view).or_default().insert(message);
        } else if Some(view) == self.installed && !self.is_flushing() {
            self.deliver(message, cx);
        }
    }

    /// Delivers a message in the view that it has installed, unless it has already.
    fn deliver(&mut self, message: MessageName, cx: &mut Cx<Self>) {
        let Some(installed) = self.installed else { return };
        if self.messages.entry(installed).or_default().insert(message) {
            let (sender, number) = message;
            cx.indicate(Indication::Deliver { sender, number });
        }
    }

    /// The group has agreed on its next view.
    fn go_to(&mut self, view: View, cx: &mut Cx<Self>) {
        let to = view.number;
        self.views.insert(to, view);
        self.flushes.retain(|number, _| *number >= to);
        if cx.runs(&NO_FLUSH) {
            self.install(to, cx);
            self.send_waiting(cx);
            return;
        }
        self.forget_what_all_have();
        let others = self.others_in(to, cx);
        let installed = self.messages.keys().copied().collect();
        let flush = Msg::Flush { to, installed };
        if cx.runs(&FLUSH_BEFORE_FORWARD) {
            cx.send_to(others.iter().copied(), flush);
            self.forward(to, &others, cx);
        } else {
            self.forward(to, &others, cx);
            cx.send_to(others.iter().copied(), flush);
        }
        self.install_if_flushed(cx);
    }

    fn forward(&self, to: ViewNumber, others: &[ProcessId], cx: &mut Cx<Self>) {
        for (view, messages) in &self.messages {
            for message in messages {
                let msg = Msg::Forward { to, view: *view, message: *message };
                cx.send_to(others.iter().copied(), msg);
            }
        }
    }

    /// Forgets the views that all who were members of them, and still are, have left.
    fn forget_what_all_have(&mut self) {
        let Some(target) = self.target() else { return };
        let (views, reached, installed) = (&self.views, &self.reached, self.installed);
        let now = self.members(target);
        self.messages.retain(|number, _| {
            let may_miss = |p: &ProcessId| reached.get(p).is_none_or(|reached| reached <= number);
            let was_member = |p: &ProcessId| views.get(number).is_none_or(|view| view.contains(*p));
            Some(*number) == installed || now.iter().filter(was_member).any(|p| may_miss(&p))
        });
    }

    fn on_flush(
        &mut self,
        from: ProcessId,
        to: ViewNumber,
        installed: BTreeSet<ViewNumber>,
        cx: &mut Cx<Self>,
    ) {
        if let Some(last) = installed.last() {
            let reached = self.reached.entry(from).or_default();
            *reached = (*last).max(*reached);
        }
        let flushes = self.flushes.entry(to).or_default();
        flushes.installed.extend(installed);
        flushes.from.insert(from);
        self.install_if_flushed(cx);
    }

    /// Installs the view that it is on the way to, if all its members have sent FLUSH. On the way
    /// it installs the views that others have installed.
    fn install_if_flushed(&mut self, cx: &mut Cx<Self>) {
        let Some(to) = self.target().filter(|_| self.is_flushing()) else { return };
        let flushes = self.flushes.get(&to).cloned().unwrap_or_default();
        if self.others_in(to, cx).iter().any(|p| !flushes.from.contains(*p)) {
            return;
        }
        // Others may have installed views that it has only heard of: it goes through these as well.
        let on_the_way = |number: &ViewNumber| {
            Some(*number) > self.installed && *number < to && self.views.contains_key(number)
        };
        let mut way: Vec<_> = flushes.installed.iter().copied().filter(on_the_way).collect();
        if !way.is_empty() {
            cx.reach("installed a view late");
        }
        way.push(to);
        for number in way {
            let here = self.installed.and_then(|here| flushes.forwarded.get(&here));
            for message in here.into_iter().flatten() {
                self.deliver(*message, cx);
            }
            self.install(number, cx);
        }
        // Somebody may still be in these views when the next one comes.
        for view in flushes.installed.range(..to) {
            let forwarded = flushes.forwarded.get(view).into_iter().flatten().copied();
            self.messages.entry(*view).or_default().extend(forwarded);
        }
        for message in self.early.remove(&to).unwrap_or_default() {
            self.deliver(message, cx);
        }
        self.send_waiting(cx);
    }

    fn install(&mut self, number: ViewNumber, cx: &mut Cx<Self>) {
        let Some(view) = self.views.get(&number).cloned() else { return };
        self.installed = Some(number);
        self.reached.insert(cx.me(), number);
        self.messages.entry(number).or_default();
        self.early.retain(|early, _| *early >= number);
        cx.indicate(Indication::Group(GroupIndication::Installs(view)));
    }
}

const NO_FLUSH: Mutant = Mutant::code(
    "no-flush",
    "installs the next view at once, without forwarding or waiting for anything",
    VIRTUAL_SYNCHRONY,
);
const SEND_DURING_FLUSH: Mutant = Mutant::code(
    "send-during-flush",
    "sends messages while it is on the way to the next view, as messages of that view",
    SENDING_VIEW,
);
const FLUSH_BEFORE_FORWARD: Mutant = Mutant::code(
    "flush-before-forward",
    "sends FLUSH before the forwarded messages, although links keep order",
    VIRTUAL_SYNCHRONY,
);
const NO_FIFO: Mutant = Mutant::assumption(
    "no-fifo",
    "has links on which FLUSH overtakes forwarded messages",
    VIRTUAL_SYNCHRONY,
    "network.order",
    Some(r#""fifo""#),
);

impl Protocol for ViewSynchrony {
    const NAME: &'static str = "view-synchrony";
    const SUMMARY: &'static str =
        "multicast in a group: members agree on the messages of each view";
    const SOURCE: &'static str = "Birman & Joseph 1987; Birman, Schiper & Stephenson 1991";
    const ROLES: &'static [&'static str] = &[FOUNDER, NEWCOMER];
    const MUTANTS: &'static [Mutant] =
        &[NO_FLUSH, SEND_DURING_FLUSH, FLUSH_BEFORE_FORWARD, NO_FIFO];

    type Params = NoParams;

    fn model(_: &NoParams, _: &Setting) -> Model {
        let model = Model::ASYNCHRONOUS.crash_stop(Bound::ALL_BUT_ONE);
        model.over(Links::ReliableFifo).with(DetectorClass::Perfect)
    }

    fn new(_: &NoParams, setting: &Setting, me: ProcessId) -> Self {
        let first = View::initial(setting);
        let is_founder = first.contains(me);
        Self {
            group: Membership::new(&MembershipParams::default(), setting, me),
            installed: is_founder.then_some(first.number),
            messages: is_founder.then(|| (first.number, BTreeSet::new())).into_iter().collect(),
            views: is_founder.then_some((first.number, first)).into_iter().collect(),
            early: Messages::new(),
            flushes: BTreeMap::new(),
            reached: BTreeMap::new(),
            waiting: Vec::new(),
            is_out: false,
        }
    }

    fn claims(_: &NoParams, _: &Setting) -> Vec<PropertyId> {
        vec![UNIFORM_VIEW_AGREEMENT, ACCURACY]
    }
}
