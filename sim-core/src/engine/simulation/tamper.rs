//! Duplicates, replays and changes of messages by the network.

use std::sync::Arc;

use serde::Deserialize as _;

use super::Simulation;
use super::host::Envelope;
use crate::adversary::garble;
use crate::environment::message_rule::Content;
use crate::environment::network::Route;
use crate::id::{MessageId, ProcessId};
use crate::model::any_message::encoded_size;
use crate::model::protocol::Protocol;
use crate::outcome::shown::Shown;
use crate::outcome::trace::TraceEvent;
use crate::rng::{Rng, Stream};

/// The maximum number of recent messages that are kept for replays.
const SENT_COUNT_MAX: usize = 64;

impl<P: Protocol> Simulation<P> {
    /// Tampers with a message that is sent now; may replay an old one.
    #[cold]
    pub(super) fn tamper(
        &mut self,
        id: MessageId,
        from: ProcessId,
        to: ProcessId,
        msg: P::Msg,
    ) -> P::Msg {
        let tampering = self.world.tampering(from, to);
        if tampering.replayed {
            self.replay_one(from, to);
        }
        if self.world.keeps_sent {
            if self.sent.len() == SENT_COUNT_MAX {
                self.sent.remove(0);
            }
            self.sent.push(Envelope { id, from, to, lost: false, msg: msg.clone() });
        }
        if !tampering.garbled {
            return msg;
        }
        let mut rng = Rng::from_bits(self.world.draws.conditions.bits());
        self.garble(id, (from, to), &msg, &mut rng)
    }

    /// Applies the override with this index to the content of a message.
    #[cold]
    pub(super) fn obey(
        &mut self,
        index: usize,
        id: MessageId,
        link: (ProcessId, ProcessId),
        msg: P::Msg,
    ) -> P::Msg {
        let experiment = Arc::clone(&self.world.experiment);
        match experiment.overrides[index].fate.changed() {
            None => msg,
            Some(Content::Garbled) => {
                let number = u32::try_from(index).expect("fewer overrides than 2^32");
                let mut rng = Rng::new(self.world.drawn_from, Stream::Message(number));
                self.garble(id, link, &msg, &mut rng)
            }
            Some(Content::Replaced(form)) => {
                let other = P::Msg::deserialize(form).expect("a message, as `new` has made sure");
                self.changed(id, link, &msg, other)
            }
        }
    }

    fn replay_one(&mut self, from: ProcessId, to: ProcessId) {
        let of_link = |old: &&Envelope<P::Msg>| (old.from, old.to) == (from, to);
        let old: Vec<&Envelope<P::Msg>> = self.sent.iter().filter(of_link).collect();
        let Some(old) = self.world.draws.conditions.choose(&old) else { return };
        let (id, msg) = (old.id, old.msg.clone());
        let route = self.world.route(from, to, || encoded_size(&msg));
        let Route::Arrives(at, _) = route else { return };
        self.world.statistics.replayed += 1;
        self.world.failure_free = false;
        self.world.record(Some(from), || TraceEvent::Replay { id, to, message: Shown::of(&msg) });
        self.schedule_delivery(id, from, to, msg, at);
    }

    fn garble(
        &mut self,
        id: MessageId,
        link: (ProcessId, ProcessId),
        msg: &P::Msg,
        rng: &mut Rng,
    ) -> P::Msg {
        let garbled = garble(msg, rng);
        self.changed(id, link, msg, garbled)
    }

    /// Records a change of a message in transit, if there is one.
    fn changed(
        &mut self,
        id: MessageId,
        (from, to): (ProcessId, ProcessId),
        sent: &P::Msg,
        changed: P::Msg,
    ) -> P::Msg {
        if changed != *sent {
            self.world.statistics.garbled += 1;
            if let Some(decisions) = &mut self.world.recording.decisions {
                decisions.change(serde_json::to_value(&changed).unwrap_or_default());
            }
            self.world.failure_free = false;
            self.world.record(Some(from), || TraceEvent::Garble {
                id,
                to,
                message: Shown::of(&changed),
            });
        }
        changed
    }
}
