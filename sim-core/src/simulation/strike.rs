//! What the plan of faults does: crashes and recoveries, pauses, cuts.

use std::sync::Arc;

use super::Simulation;
use super::slot::Input;
use crate::adversary::{Adversary, Behaviour};
use crate::fault::{Action, Crash, InFlight};
use crate::id::ProcessId;
use crate::network::DropReason;
use crate::property::What;
use crate::protocol::Protocol;
use crate::rng::{Rng, Stream};
use crate::spec::Workload;
use crate::trace::Happening;
use crate::world::{Control, Running};

impl<P: Protocol> Simulation<P> {
    pub(super) fn control(&mut self, index: u32) {
        match self.world.controlled(index) {
            Control::Fault(fault) => {
                self.world.fired[fault] = true;
                let plan = Arc::clone(&self.world.plan);
                self.act(&plan.faults[fault].action);
            }
            Control::Recover(p, incarnation) => {
                if self.slots[p.index()].incarnation == incarnation {
                    self.recover(p);
                }
            }
            Control::Resume(p, incarnation) => {
                if self.slots[p.index()].incarnation == incarnation {
                    self.resume(p);
                }
            }
            Control::Turn(number) => self.world.turn(number),
            Control::Stabilise => {
                self.world.conditions.heal_all();
                self.world.record(None, || Happening::Stabilise);
            }
        }
    }

    pub(super) fn act(&mut self, action: &Action) {
        self.world.step += 1;
        self.world.digest.mix(self.world.now.as_nanos());
        match action {
            Action::Crash(process, crash) => self.crash(*process, crash, 0),
            Action::Damage(process, fault) => {
                self.world.failure_free = false;
                self.slots[process.index()].log.damage(*fault, &mut self.world.storage_rng);
                self.world
                    .record(Some(*process), || Happening::Damage { fault: fault.to_string() });
            }
            Action::Pause { process, resume_after } => {
                let slot = &mut self.slots[process.index()];
                if slot.up {
                    slot.paused = true;
                    let incarnation = slot.incarnation;
                    self.world.failure_free = false;
                    self.world.record(Some(*process), || Happening::Pause);
                    if let Some(after) = resume_after {
                        let at = self.world.now + *after;
                        self.world.control(at, Control::Resume(*process, incarnation));
                    }
                }
            }
            Action::Resume { process } => self.resume(*process),
            Action::Corrupt(process, behaviour) => self.corrupt(*process, behaviour),
            Action::Begin(condition, persistence) => {
                self.world.begin(condition, *persistence);
                if let Some(p) = condition.faulty() {
                    self.slots[p.index()].ever_faulty = true;
                }
            }
            Action::Heal => {
                self.world.conditions.heal_links();
                self.world.record(None, || Happening::Heal);
            }
        }
    }

    /// From now on an adversary speaks for the process. The first to take it over keeps it.
    pub(super) fn corrupt(&mut self, p: ProcessId, behaviour: &Behaviour) {
        let rng = Rng::new(self.world.seed, Stream::Adversary(p.0));
        let slot = &mut self.slots[p.index()];
        if slot.adversary.is_none() {
            slot.adversary = Some(Box::new(Adversary::new(behaviour.clone(), rng)));
            self.world.failure_free = false;
            self.world.record(Some(p), || Happening::Corrupt { behaviour: behaviour.to_string() });
        }
    }

    pub(super) fn crash(&mut self, p: ProcessId, crash: &Crash, effects_lost: usize) {
        let Crash { recover_after, in_flight, disk } = *crash;
        let slot = &mut self.slots[p.index()];
        if !slot.up {
            return;
        }
        slot.up = false;
        slot.ever_faulty = true;
        slot.paused = false;
        slot.blocked = false;
        slot.incarnation += 1;
        slot.timers.clear();
        let effects_lost = effects_lost + slot.behind_sync.len();
        slot.behind_sync.clear();
        let policy = disk.unwrap_or(self.world.experiment.on_crash);
        slot.log.crash(policy, &mut self.world.storage_rng);
        let incarnation = slot.incarnation;
        let inbox = std::mem::take(&mut slot.inbox);
        self.world.failure_free = false;
        self.world.statistics.crashes += 1;
        self.world.digest.mix(0x2000 | u64::from(p.0) << 16);
        self.world.record(Some(p), || Happening::Crash { effects_lost });
        for input in inbox {
            if let Input::Message(from, id, msg) = input {
                self.drop_message(id, from, p, &msg, DropReason::ReceiverDown);
            }
        }
        if in_flight == InFlight::Lose {
            for envelope in self.messages.iter_mut().filter(|e| e.from == p) {
                envelope.lost = true;
            }
        }
        self.world.suspected.retain(|(observer, _)| *observer != p);
        for observer in self.world.experiment.setting.processes() {
            self.world.notify(observer, p, true);
        }
        if let Some(after) = recover_after {
            self.world.control(self.world.now + after, Control::Recover(p, incarnation));
        }
        self.observe(p, &What::Crash);
    }

    pub(super) fn recover(&mut self, p: ProcessId) {
        let experiment = Arc::clone(&self.world.experiment);
        let slot = &mut self.slots[p.index()];
        slot.up = true;
        self.world.running = Running::Handler(p);
        slot.process = P::new(&self.params, &experiment.setting, p);
        self.world.running = Running::Engine;
        let records = slot.log.durable().len();
        self.world.statistics.recoveries += 1;
        self.world.record(Some(p), || Happening::Recover { records });
        for other in experiment.setting.processes() {
            self.world.notify(other, p, false);
            if !self.slots[other.index()].up {
                self.world.notify(p, other, true);
            }
        }
        self.observe(p, &What::Recover);
        self.handle(p, Input::Recover);
        self.consult_clients(|workload, ask| workload.on_recover(p, ask));
    }

    pub(super) fn resume(&mut self, p: ProcessId) {
        let slot = &mut self.slots[p.index()];
        if slot.up && slot.paused {
            slot.paused = false;
            self.world.record(Some(p), || Happening::Resume);
            self.empty_inbox(p);
        }
    }
}
