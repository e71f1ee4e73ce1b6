//! No tool, but a count of the classes of runs that is independent of all of them: two runs are of
//! one class if each process receives the same messages in the same order, and, where the order of
//! calls and returns matters, that is the same too. Level by level, each class of runs of one
//! length once.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Task;
use crate::judge::{Judge, Property};
use crate::machine::{Event, Machine, Out};
use crate::report::{Report, Verdict};

/// A message under way: its sender, its number among those of the sender, and where it goes.
#[derive(Clone)]
struct Letter<M> {
    from: u32,
    nth: u32,
    to: u32,
    msg: M,
}

/// All runs of a class so far.
#[derive(Clone)]
struct Class<M: Machine> {
    machines: Vec<M>,
    under_way: Vec<Letter<M::Msg>>,
    /// How many messages each process has sent.
    sent: Vec<u32>,
    judge: Judge,
    holds: bool,
    /// What tells it from the others: what each process has received, and the order of what was
    /// told, last.
    received: Vec<Vec<u8>>,
    minds_order: bool,
}

/// What a handler does to its class.
struct Effects<'a, M: Machine> {
    me: u32,
    class: &'a mut Class<M>,
    told: bool,
}

impl<M: Machine> Out<M::Msg> for Effects<'_, M> {
    fn send(&mut self, to: u32, msg: M::Msg) {
        let nth = &mut self.class.sent[self.me as usize];
        *nth += 1;
        self.class.under_way.push(Letter { from: self.me, nth: *nth, to, msg });
    }

    fn tell(&mut self, event: Event) {
        self.told = true;
        self.class.holds &= self.class.judge.note(self.me, event);
    }

    fn ask(&mut self) {
        unreachable!("votes are settled before");
    }
}

impl<M: Machine> Class<M> {
    fn handle(
        &mut self,
        me: u32,
        is_start: bool,
        handler: impl FnOnce(&mut M, &mut Effects<'_, M>),
    ) {
        let mut machine = self.machines[me as usize].clone();
        let mut effects = Effects { me, class: self, told: false };
        handler(&mut machine, &mut effects);
        let told = effects.told;
        self.machines[me as usize] = machine;
        if told && self.minds_order && !is_start {
            self.received.last_mut().expect("the order").push(u8::try_from(me).expect("few"));
        }
    }

    fn after(&self, index: usize) -> Self {
        let mut next = self.clone();
        let Letter { from, nth, to, msg } = next.under_way.swap_remove(index);
        let name = [from, nth].map(|number| u8::try_from(number).expect("few"));
        next.received[to as usize].extend(name);
        next.handle(to, false, |machine, effects| machine.receive(from, msg, effects));
        next
    }
}

/// Counts the classes of all runs, and judges one of each.
pub fn search<M: Machine>(task: &Task) -> Report {
    let started = Instant::now();
    let n = M::count(&task.setup);
    let mut first = Class {
        machines: (0..n).map(|me| M::new(&task.setup, me)).collect(),
        under_way: Vec::new(),
        sent: vec![0; n as usize],
        judge: Judge::new(task.property),
        holds: true,
        received: vec![Vec::new(); n as usize + 1],
        minds_order: task.property == Property::Linearizability,
    };
    (0..n).for_each(|me| first.handle(me, true, |machine, effects| machine.start(effects)));
    let mut level = BTreeMap::from([(first.received.clone(), first)]);
    let (mut runs, mut steps, mut holds) = (0, 0, true);
    while !level.is_empty() {
        let mut next = BTreeMap::new();
        for class in level.into_values() {
            steps += 1;
            holds &= class.holds;
            runs += u64::from(class.under_way.is_empty());
            for index in 0..class.under_way.len() {
                let after = class.after(index);
                next.insert(after.received.clone(), after);
            }
        }
        level = next;
    }
    let verdict = if holds { Verdict::Held } else { Verdict::Violated };
    Report { runs, steps, ..Report::new(verdict, started.elapsed()) }
}
