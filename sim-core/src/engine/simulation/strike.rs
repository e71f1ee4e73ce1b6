//! Executes the fault plan: crashes and recoveries, pauses, wrong clocks, and the beginning and end
//! of conditions.

use std::sync::Arc;

use super::Simulation;
use super::host::Input;
use crate::engine::event::Place;
use crate::engine::world::{Control, Running};
use crate::fault::{Action, Crash, InFlight};
use crate::id::ProcessId;
use crate::model::property::Observation;
use crate::model::protocol::Protocol;
use crate::model::spec::Workload;
use crate::outcome::trace::TraceEvent;
use crate::time::Duration;

impl<P: Protocol> Simulation<P> {
    pub(super) fn control(&mut self, index: u32) {
        let control = self.world.controls.take(index);
        if self.world.faults_are_over && self.is_past(control) {
            return;
        }
        match control {
            Control::Fault(fault) => {
                let plan = Arc::clone(&self.world.plan);
                let action = match &plan.faults[fault].action {
                    Action::IfLeads(leader, _) if self.world.leader != Some(*leader) => return,
                    Action::IfLeads(_, action) => action,
                    action => action,
                };
                self.world.fired[fault] = true;
                self.act(action);
            }
            Control::Resend(p, incarnation) => {
                if self.hosts[p.index()].incarnation == incarnation {
                    self.resend(p);
                }
            }
            Control::Beat(p, incarnation) => {
                if self.hosts[p.index()].incarnation == incarnation {
                    self.beat(p);
                }
            }
            Control::CrashWith(p, crash) => self.crash(p, &crash),
            Control::Recover(p, incarnation) => {
                let host = &self.hosts[p.index()];
                if host.incarnation == incarnation && !host.up {
                    self.recover(p);
                }
            }
            Control::Resume(p, incarnation) => {
                if self.hosts[p.index()].incarnation == incarnation {
                    self.resume(p);
                }
            }
            Control::Speak(p, number) => self.speak(p, number),
            Control::Turn(number) => {
                self.world.turn(number);
                self.adjust_clocks();
            }
            Control::EndFaults(mode) => self.end_faults(mode),
            Control::Stabilise => {
                self.world.conditions.heal_all();
                self.adjust_clocks();
                self.world.record(None, || TraceEvent::Stabilise);
            }
        }
    }

    /// Whether this belongs to the time before faults ended, and comes too late. Outside a core
    /// everything remains as it is.
    fn is_past(&self, control: Control) -> bool {
        let outside = |p| self.world.core.as_ref().is_some_and(|core| !core.contains(p));
        match control {
            Control::Fault(_) | Control::CrashWith(..) => true,
            Control::Turn(_) => self.world.core.is_some(),
            Control::Recover(p, _) | Control::Resume(p, _) => outside(p),
            Control::Stabilise | Control::EndFaults(_) | Control::Speak(..) => false,
            Control::Resend(..) | Control::Beat(..) => false,
        }
    }

    pub(super) fn act(&mut self, action: &Action) {
        self.world.step += 1;
        self.world.digest.mix(self.world.now.as_nanos());
        match action {
            Action::Start(process) => self.start_late(*process),
            Action::Crash(process, crash) => self.crash(*process, crash),
            Action::Damage(process, fault) => {
                self.world.failure_free = false;
                self.hosts[process.index()].log.damage(*fault, &mut self.world.draws.storage);
                self.world
                    .record(Some(*process), || TraceEvent::Damage { fault: fault.to_string() });
            }
            Action::Pause { process, resume_after } => {
                for p in self.world.fate_of(*process) {
                    self.pause(p, *resume_after);
                }
            }
            Action::Resume { process } => self.resume(*process),
            Action::Corrupt(process, behaviour) => self.corrupt(*process, behaviour),
            Action::CorruptState(process) => self.corrupt_state(*process),
            Action::Jump(process, shift) => {
                self.world.failure_free = false;
                self.hosts[process.index()].clock.jump(*shift);
                let shift = shift.to_string();
                self.world.record(Some(*process), || TraceEvent::ClockJump { shift });
            }
            Action::IfLeads(..) => unreachable!("whether it leads was asked before"),
            Action::Begin(condition, persistence) => {
                self.world.begin(condition, *persistence);
                self.adjust_clocks();
                if let Some(p) = condition.faulty() {
                    self.hosts[p.index()].ever_faulty = true;
                }
            }
            Action::Heal => {
                self.world.conditions.heal_links();
                self.world.record(None, || TraceEvent::Heal);
            }
        }
    }

    pub(super) fn start_late(&mut self, p: ProcessId) {
        let host = &mut self.hosts[p.index()];
        if !host.absent {
            return;
        }
        host.absent = false;
        host.up = true;
        for observer in self.world.experiment.setting.processes() {
            self.world.consult_omega(observer);
        }
        self.note_service(p);
        self.observe(p, &Observation::Start);
        self.begin_to_beat(p);
        self.handle(p, Input::Start);
        self.consult_clients(|workload, ask| workload.on_recover(p, ask));
    }

    fn pause(&mut self, p: ProcessId, resume_after: Option<Duration>) {
        let host = &mut self.hosts[p.index()];
        if !host.up {
            return;
        }
        host.paused = true;
        let incarnation = host.incarnation;
        self.note_service(p);
        self.world.failure_free = false;
        self.world.record(Some(p), || TraceEvent::Pause);
        if let Some(after) = resume_after {
            self.world.control(self.world.now + after, Control::Resume(p, incarnation));
        }
    }

    fn corrupt_state(&mut self, p: ProcessId) {
        let Some(corrupt) = P::STATE_CORRUPTION else { return };
        let experiment = Arc::clone(&self.world.experiment);
        self.world.failure_free = false;
        self.world.record(Some(p), || TraceEvent::StateCorrupted);
        self.world.running = Running::Handler(p);
        let rng = &mut self.world.draws.state;
        corrupt(&mut self.hosts[p.index()].process, &experiment.setting, rng);
        self.world.running = Running::Engine;
        self.hosts[p.index()].ever_faulty = true;
    }

    /// Sets the clocks' rates according to the conditions in force, and adjusts the timers.
    pub(super) fn adjust_clocks(&mut self) {
        if self.world.conditions.is_empty() {
            return;
        }
        let touched: Vec<ProcessId> = self.world.conditions.clocks().collect();
        for p in touched {
            let error = self.world.conditions.clock_error(p);
            let (now, host) = (self.world.now, &mut self.hosts[p.index()]);
            let before = host.clock;
            host.clock.suffer(error, now);
            if before.drift_ppm() == host.clock.drift_ppm() {
                continue;
            }
            let running = host.timers.take_running().into_iter();
            let left = |due: Place| before.local_span(due.at.since(now));
            host.stopped.extend(running.map(|(timer, due)| (timer, left(due))));
            if !host.clock.is_frozen() {
                let (clock, stopped) = (host.clock, std::mem::take(&mut host.stopped));
                for (timer, left) in stopped {
                    self.set_timer_at(p, now + clock.true_span(left), timer);
                }
            }
        }
    }

    /// Crashes a process; if its handler is running, the remaining effects are lost.
    pub(super) fn crash(&mut self, p: ProcessId, crash: &Crash) {
        let Crash { recover_after, in_flight, disk, announced } = *crash;
        let host = &mut self.hosts[p.index()];
        if !host.up {
            return;
        }
        host.up = false;
        host.ever_faulty = true;
        host.paused = false;
        host.blocked = false;
        host.incarnation += 1;
        host.timers.clear();
        host.stopped.clear();
        host.transport = None;
        let effects_lost = self.effects.len() + host.behind_sync.len();
        self.effects.clear();
        host.behind_sync.clear();
        let policy = disk.unwrap_or(self.world.experiment.on_crash);
        host.log.crash(policy, &mut self.world.draws.storage);
        let incarnation = host.incarnation;
        let inbox = std::mem::take(&mut host.inbox);
        self.note_service(p);
        self.world.failure_free = false;
        self.world.statistics.crashes += 1;
        self.world.digest.mix(0x2000 | u64::from(p.0) << 16);
        if announced {
            self.world.record(Some(p), || TraceEvent::Abort);
        }
        self.world.record(Some(p), || TraceEvent::Crash { effects_lost });
        for input in inbox {
            self.lose(p, input);
        }
        if in_flight == InFlight::Lose {
            for envelope in self.messages.iter_mut().filter(|e| e.from == p) {
                envelope.lost = true;
            }
            for packet in self.world.packets.iter_mut().filter(|packet| packet.from == p) {
                packet.lost = true;
            }
        }
        self.world.suspected.retain(|(observer, _)| *observer != p);
        self.world.trusted.remove(&p);
        for observer in self.world.experiment.setting.processes() {
            if announced && observer != p {
                self.world.announce(observer, p);
            }
            self.world.notify(observer, p, true);
            self.world.consult_omega(observer);
        }
        self.crash_second(p);
        for other in self.world.fate_of(p).into_iter().filter(|other| *other != p) {
            self.world.control(self.world.now, Control::CrashWith(other, *crash));
        }
        if let Some(after) = recover_after {
            self.world.control(self.world.now + after, Control::Recover(p, incarnation));
        }
        self.observe(p, &Observation::Crash);
    }

    pub(super) fn recover(&mut self, p: ProcessId) {
        let experiment = Arc::clone(&self.world.experiment);
        let host = &mut self.hosts[p.index()];
        host.up = true;
        self.note_service(p);
        let host = &mut self.hosts[p.index()];
        self.world.running = Running::Handler(p);
        host.process = P::new(&self.params, &experiment.setting, p);
        self.world.running = Running::Engine;
        let records = host.log.durable().len();
        self.world.statistics.recoveries += 1;
        self.world.record(Some(p), || TraceEvent::Recover { records });
        for other in experiment.setting.processes() {
            self.world.consult_omega(other);
            self.world.notify(other, p, false);
            if !self.hosts[other.index()].up {
                self.world.notify(p, other, true);
            }
        }
        self.observe(p, &Observation::Recover);
        self.begin_to_beat(p);
        self.handle(p, Input::Recover);
        self.consult_clients(|workload, ask| workload.on_recover(p, ask));
    }

    pub(super) fn resume(&mut self, p: ProcessId) {
        let host = &mut self.hosts[p.index()];
        if host.up && host.paused {
            host.paused = false;
            self.note_service(p);
            self.world.record(Some(p), || TraceEvent::Resume);
            self.go_on(p);
        }
    }

    /// Records whether the process gives service from now on.
    pub(super) fn note_service(&mut self, p: ProcessId) {
        let serves = self.hosts[p.index()].gives_service();
        self.world.history.serves(p, serves, self.world.now);
    }
}
