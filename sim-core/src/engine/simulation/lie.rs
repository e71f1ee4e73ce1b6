//! Byzantine processes: passes the messages they receive and send to their adversary.

use std::sync::Arc;

use super::Simulation;
use crate::adversary::{Adversary, Behaviour, Said, Turn};
use crate::engine::world::Control;
use crate::id::ProcessId;
use crate::model::adversary::{Liar, find};
use crate::model::any_message::AnyMessage;
use crate::model::effect::Effect;
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
            let rng = Rng::new(self.world.drawn_from, Stream::Adversary(p.0));
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
        let experiment = Arc::clone(&self.world.experiment);
        let adversary = &mut self.adversaries[index];
        let (setting, salt) = (&experiment.setting, adversary.salt());
        let turn = Turn { me, setting, custom: custom::<P>, salt };
        for effect in std::mem::take(&mut self.effects) {
            let (to, msg) = match effect {
                Effect::Send(to, msg) if to != me => (to, msg),
                own => {
                    self.effects.push(own);
                    continue;
                }
            };
            for said in adversary.replace(&turn, to, AnyMessage::new(msg)) {
                match said {
                    Said::Now(msg) => {
                        self.effects.push(Effect::Send(to, msg.get::<P::Msg>().clone()));
                    }
                    Said::After(after, number) => {
                        self.world.control(self.world.now + after, Control::Speak(p, number));
                    }
                }
            }
        }
    }

    /// Sends a message that the adversary has held back, unless its process has crashed meanwhile.
    pub(super) fn speak(&mut self, p: ProcessId, number: u32) {
        let host = &self.hosts[p.index()];
        let index = host.adversary.expect("an adversary is never removed");
        let released = self.adversaries[index].release(number);
        if let Some((to, msg)) = released.filter(|_| host.up) {
            let sent = self.send(p, to, msg.get::<P::Msg>().clone());
            self.effect_done(p, sent);
        }
    }
}

/// The messages that the protocol's own adversary of this name sends instead of one.
fn custom<P: Protocol>(name: &str, msg: &AnyMessage, liar: &mut Liar<'_>) -> Vec<AnyMessage> {
    let said = (find(P::ADVERSARIES, name).says)(msg.get(), liar);
    said.into_iter().map(AnyMessage::new).collect()
}

/// Lets an adversary learn from a message that one of its processes receives.
#[cold]
pub(super) fn overhear<P: Protocol>(adversary: &mut Adversary, msg: &P::Msg) {
    adversary.overhear(&AnyMessage::new(msg.clone()));
}
