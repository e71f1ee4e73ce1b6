//! Byzantine processes: passes the messages they receive and send to their adversary.

use super::Simulation;
use crate::adversary::{Adversary, Behaviour};
use crate::engine::world::Control;
use crate::id::ProcessId;
use crate::model::protocol::Protocol;
use crate::model::signature::Key;
use crate::outcome::trace::TraceEvent;
use crate::rng::{Rng, Stream};

impl<P: Protocol> Simulation<P> {
    /// Puts the process under the control of an adversary. The first adversary keeps it.
    pub(super) fn corrupt(&mut self, p: ProcessId, behaviour: &Behaviour) {
        let seed = self.world.seed;
        if self.hosts[p.index()].adversary.is_some() {
            return;
        }
        let known = self.adversaries.iter().position(|known| known.takes_in(p, behaviour));
        let index = known.unwrap_or(self.adversaries.len());
        if known.is_none() {
            let rng = Rng::new(seed, Stream::Adversary(p.0));
            self.adversaries.push(Adversary::new(behaviour.clone(), rng));
        }
        self.adversaries[index].speak_for(p, Key::of(seed, p));
        self.hosts[p.index()].adversary = Some(index);
        if *behaviour == Behaviour::Twins {
            self.double(p);
        }
        self.note_service(p);
        self.world.failure_free = false;
        self.world.record(Some(p), || TraceEvent::Corrupt { behaviour: behaviour.to_string() });
    }

    /// Lets the adversary with this index, which controls `p`, rewrite the effects of its handler.
    pub(super) fn rewrite(&mut self, index: usize, p: ProcessId) {
        let me = self.world.identity(p);
        let setting = &self.world.experiment.setting;
        for held in self.adversaries[index].rewrite(me, setting, &mut self.effects) {
            self.world.control(self.world.now + held.after, Control::Speak(p, held.number));
        }
    }

    /// Sends a message that the adversary has held back, unless its process has crashed meanwhile.
    pub(super) fn speak(&mut self, p: ProcessId, number: u32) {
        let host = &self.hosts[p.index()];
        let index = host.adversary.expect("an adversary is never removed");
        let released = self.adversaries[index].release(number);
        if let Some((to, msg)) = released.filter(|_| host.up) {
            let sent = self.send(p, to, msg);
            self.effect_done(p, sent);
        }
    }
}
