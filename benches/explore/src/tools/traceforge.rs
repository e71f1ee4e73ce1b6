//! TraceForge: a run of each class of runs in which every receive gets the same message.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Instant;

use traceforge::channel::{Builder, Receiver, Sender};
use traceforge::loc::CommunicationModel;
use traceforge::{Config, ConsType};

use super::Task;
use crate::judge::{Judge, Property};
use crate::machine::{Event, Machine, Out};
use crate::report::{RUNS, Report, STEPS, Verdict, watch};

thread_local! {
    /// Judges the run that this thread makes.
    static JUDGE: RefCell<Option<Judge>> = const { RefCell::new(None) };
}

static STARTED: OnceLock<Instant> = OnceLock::new();

/// A message with its sender.
#[derive(Clone, Debug, PartialEq)]
struct Letter<T>(u32, T);

/// The mailbox of a process, or of who watches.
fn mailbox<T: traceforge::msg::Message + Clone + 'static>(
    name: u32,
    order: CommunicationModel,
) -> (Sender<T>, Receiver<T>) {
    Builder::new().with_name(name).with_comm(order).build()
}

/// What a handler asks for, until it is done.
struct Effects<M> {
    me: u32,
    sends: Vec<(u32, M)>,
    told: Vec<Event>,
    asks: bool,
}

impl<M> Out<M> for Effects<M> {
    fn send(&mut self, to: u32, msg: M) {
        self.sends.push((to, msg));
    }

    fn tell(&mut self, event: Event) {
        self.told.push(event);
    }

    fn ask(&mut self) {
        self.asks = true;
    }
}

/// Who watches: the mailbox after those of the processes.
struct Watch {
    name: u32,
    minds_order: bool,
}

impl Watch {
    /// Passes on what a process has told in one handler.
    fn tell(&self, me: u32, told: &mut Vec<Event>) {
        if told.is_empty() {
            return;
        }
        if self.minds_order {
            let (sender, _) = mailbox(self.name, CommunicationModel::CausalOrder);
            sender.send_msg(Letter(me, std::mem::take(told)));
        } else {
            told.drain(..).for_each(|event| judge(me, event));
        }
    }
}

/// Ends the search at a violation.
fn judge(process: u32, event: Event) {
    let holds = JUDGE
        .with_borrow_mut(|judge| judge.as_mut().is_none_or(|judge| judge.note(process, event)));
    if !holds {
        let elapsed = STARTED.get().map(Instant::elapsed).unwrap_or_default();
        Report::new(Verdict::Violated, elapsed).tell();
    }
}

/// A process: it receives whatever comes, for ever.
fn live<M: Machine>(me: u32, mut machine: M, watch: &Watch) {
    let mut effects = Effects { me, sends: Vec::new(), told: Vec::new(), asks: false };
    machine.start(&mut effects);
    // All begin before anything else happens: that order is not looked at.
    effects.told.drain(..).for_each(|event| judge(me, event));
    let (_, inbox) = mailbox::<Letter<M::Msg>>(me, CommunicationModel::NoOrder);
    let mut outboxes: Vec<Option<Sender<Letter<M::Msg>>>> = Vec::new();
    loop {
        // What happens because of a message happens after what was told before it was sent.
        watch.tell(me, &mut effects.told);
        for (to, msg) in std::mem::take(&mut effects.sends) {
            let index = to as usize;
            if outboxes.len() <= index {
                outboxes.resize(index + 1, None);
            }
            let outbox =
                outboxes[index].get_or_insert_with(|| mailbox(to, CommunicationModel::NoOrder).0);
            outbox.send_msg(Letter(effects.me, msg));
        }
        let Letter(from, msg) = inbox.recv_msg_block();
        STEPS.fetch_add(1, Ordering::Relaxed);
        machine.receive(from, msg, &mut effects);
        if std::mem::take(&mut effects.asks) {
            machine.choose(traceforge::nondet(), &mut effects);
        }
    }
}

/// Searches all runs, messages of one sender in any order.
pub fn search<M: Machine>(task: &Task) -> Report {
    let started = *STARTED.get_or_init(Instant::now);
    let config = Config::builder()
        .with_cons_type(ConsType::Bag)
        .with_progress_report(usize::MAX)
        .with_stack_size(0x10000)
        .with_seed(1)
        .with_parallel(task.threads > 1)
        .with_parallel_workers(task.threads as usize)
        .build();
    watch(task.limit, started);
    let Task { setup, property, .. } = task.clone();
    let stats = traceforge::verify(config, move || {
        RUNS.fetch_add(1, Ordering::Relaxed);
        JUDGE.set(Some(Judge::new(property)));
        let name = M::count(&setup);
        let minds_order = property == Property::Linearizability;
        for me in 0..name {
            let machine = M::new(&setup, me);
            let _ = traceforge::thread::spawn_daemon(move || {
                live(me, machine, &Watch { name, minds_order });
            });
        }
        if minds_order {
            let _ = traceforge::thread::spawn_daemon(move || {
                let (_, inbox) = mailbox(name, CommunicationModel::CausalOrder);
                loop {
                    let Letter(process, told): Letter<Vec<Event>> = inbox.recv_msg_block();
                    told.into_iter().for_each(|event| judge(process, event));
                }
            });
        }
    });
    let runs = (stats.execs + stats.block) as u64;
    Report { runs, ..Report::new(Verdict::Held, started.elapsed()) }
}
