//! Runs the transport: carries the messages of processes, and monitors heartbeats.

use super::Simulation;
use super::host::Input;
use crate::engine::world::{Control, World};
use crate::environment::network::Route;
use crate::environment::transport::{Body, Data, Guarantee, Packet, Receipt, Transport};
use crate::id::{MessageId, ProcessId};
use crate::model::any_message::AnyMessage;
use crate::model::protocol::Protocol;
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;
use crate::time::Duration;

/// The detail that marks the delivery of a packet rather than a message.
pub(super) const PACKET: u32 = 1;

impl<P: Protocol> Simulation<P> {
    pub(super) fn has_transport(&self) -> bool {
        self.world.experiment.transport.guarantee != Guarantee::Raw
    }

    fn transport(&mut self, p: ProcessId) -> &mut Transport {
        let host = &mut self.hosts[p.index()];
        host.transport.get_or_insert_with(|| Box::new(Transport::new()))
    }

    /// Passes a message to the transport.
    pub(super) fn carry(&mut self, from: ProcessId, to: ProcessId, id: MessageId, msg: P::Msg) {
        self.world.record(Some(from), || TraceEvent::Carry { id, to, message: Shown::of(&msg) });
        let transport = self.transport(from);
        let body = transport.send(to, id, AnyMessage::new(msg));
        let waits = std::mem::replace(&mut transport.resends, true);
        if !waits {
            self.resend_later(from);
        }
        let incarnation = self.hosts[from.index()].incarnation;
        self.world.transmit(from, to, incarnation, &body);
    }

    fn resend_later(&mut self, p: ProcessId) {
        let after = self.world.experiment.transport.resend_after.times(self.world.slowness(p));
        let host = &self.hosts[p.index()];
        let at = self.world.now + host.clock.true_span(after);
        self.world.control(at, Control::Resend(p, host.incarnation));
    }

    /// Retransmits all unacknowledged messages.
    pub(super) fn resend(&mut self, p: ProcessId) {
        self.world.transport_event_count += 1;
        let transport = self.transport(p);
        let again = transport.unacknowledged();
        transport.resends = !again.is_empty();
        if again.is_empty() {
            return;
        }
        self.resend_later(p);
        let incarnation = self.hosts[p.index()].incarnation;
        self.world.statistics.packets.sent_again += again.len() as u64;
        for (to, body) in again {
            self.world.transmit(p, to, incarnation, &body);
        }
    }

    pub(super) fn packet_arrives(&mut self, index: u32) {
        self.world.transport_event_count += 1;
        let Packet { from, to, incarnation, lost, body } = self.world.packets.take(index);
        if lost || !self.hosts[to.index()].up || self.world.lost_on_arrival(from, to).is_some() {
            self.world.statistics.packets.lost += 1;
            return;
        }
        match body {
            Body::Data(data) => {
                let guarantee = self.world.experiment.transport.guarantee;
                let transport = self.transport(to);
                let number = data.number;
                match transport.receive(from, incarnation, data, guarantee) {
                    Receipt::Early => {}
                    Receipt::Again => {
                        self.world.transmit(to, from, incarnation, &Body::Ack(number));
                    }
                    Receipt::Deliverable(messages) => {
                        for Data { number, id, msg, .. } in messages {
                            // It can crash in the handler of one of them; then it receives no
                            // further ones.
                            if self.hosts[to.index()].up {
                                self.world.transmit(to, from, incarnation, &Body::Ack(number));
                            }
                            let msg = msg.get::<P::Msg>().clone();
                            self.reach_process(to, Input::Message(from, id, msg));
                        }
                    }
                }
            }
            Body::Ack(number) => {
                if self.hosts[to.index()].incarnation == incarnation {
                    self.transport(to).acknowledged(from, number);
                }
            }
            Body::Beat => self.hear(to, from),
        }
    }

    /// Starts to send heartbeats and to monitor those of others.
    pub(super) fn begin_to_beat(&mut self, p: ProcessId) {
        let Some(heartbeat) = self.world.experiment.transport.heartbeat else { return };
        let (now, processes) = (self.world.now, self.world.experiment.setting.processes());
        for other in processes.filter(|other| *other != p) {
            self.transport(p).listen(other, now, heartbeat.timeout);
        }
        let incarnation = self.hosts[p.index()].incarnation;
        self.world.control(now, Control::Beat(p, incarnation));
    }

    /// Sends a heartbeat to all others, and checks which are silent. A process that is stuck does
    /// neither.
    pub(super) fn beat(&mut self, p: ProcessId) {
        let Some(heartbeat) = self.world.experiment.transport.heartbeat else { return };
        self.world.transport_event_count += 1;
        let after = heartbeat.period.times(self.world.slowness(p)).max(Duration::from_nanos(1));
        let host = &self.hosts[p.index()];
        let (clock, incarnation, paused) = (host.clock, host.incarnation, host.paused);
        let now = self.world.now;
        self.world.control(now + clock.true_span(after), Control::Beat(p, incarnation));
        if paused {
            return;
        }
        for other in self.world.experiment.setting.processes().filter(|other| *other != p) {
            self.world.transmit(p, other, incarnation, &Body::Beat);
        }
        for silent in self.transport(p).silent(now, |span| clock.local_span(span)) {
            if !self.hosts[p.index()].up {
                break; // It crashed in the handler of the previous suspicion.
            }
            self.world.suspected.insert((p, silent));
            self.world.failure_free &= !self.hosts[silent.index()].up;
            self.reach_process(p, Input::Suspect(silent));
        }
    }

    fn hear(&mut self, p: ProcessId, from: ProcessId) {
        let Some(heartbeat) = self.world.experiment.transport.heartbeat else { return };
        let now = self.world.now;
        if !self.hosts[p.index()].paused && self.transport(p).hear(from, now, heartbeat.increment) {
            self.world.suspected.remove(&(p, from));
            self.reach_process(p, Input::Trust(from));
        }
    }
}

impl World {
    /// Sends a packet.
    fn transmit(&mut self, from: ProcessId, to: ProcessId, incarnation: u32, body: &Body) {
        let size = || match body {
            Body::Data(Data { msg, .. }) => msg.encoded_size(),
            Body::Ack(_) | Body::Beat => 1,
        };
        let packets = &mut self.statistics.packets;
        packets.sent += 1;
        let route = self.route(from, to, size);
        let Route::Arrives(at, copy) = route else {
            self.statistics.packets.lost += 1;
            self.failure_free = false;
            return;
        };
        for at in [Some(at), copy].into_iter().flatten() {
            let packet = Packet { from, to, incarnation, lost: false, body: body.clone() };
            let index = self.packets.insert(packet);
            self.schedule_arrival(at, (from, to), index, PACKET);
        }
    }
}
