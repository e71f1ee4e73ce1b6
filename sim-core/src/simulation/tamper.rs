//! What the network does to messages beyond losing and delaying them.

use std::io;

use serde::Serialize;

use super::Simulation;
use super::slot::Envelope;
use crate::adversary::garble;
use crate::id::{MessageId, ProcessId};
use crate::kind::Kind;
use crate::network::Route;
use crate::protocol::Protocol;
use crate::rng::Rng;
use crate::trace::Happening;

/// So many of the latest messages are kept, where old ones may come again.
const SENT_COUNT_MAX: usize = 64;

impl<P: Protocol> Simulation<P> {
    /// What becomes of the content of a message that is sent now; an old one may come along.
    #[inline]
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
        if tampering.garbled { self.garble(id, from, to, &msg) } else { msg }
    }

    fn replay_one(&mut self, from: ProcessId, to: ProcessId) {
        let of_link = |old: &&Envelope<P::Msg>| (old.from, old.to) == (from, to);
        let old: Vec<&Envelope<P::Msg>> = self.sent.iter().filter(of_link).collect();
        let Some(old) = self.world.conditions_rng.choose(&old) else { return };
        let (id, msg) = (old.id, old.msg.clone());
        let kind = Kind::of(&msg);
        let route = self.world.route(from, to, kind, || encoded_size(&msg));
        let Route::Arrives(at, _) = route else { return };
        self.world.statistics.replayed += 1;
        self.world.failure_free = false;
        self.world.record(Some(from), || Happening::Replay { id, to, message: format!("{msg:?}") });
        self.put_under_way(id, from, to, msg, at, kind);
    }

    fn garble(&mut self, id: MessageId, from: ProcessId, to: ProcessId, msg: &P::Msg) -> P::Msg {
        let mut rng = Rng::from_bits(self.world.conditions_rng.bits());
        let garbled = garble(msg, &mut rng);
        if garbled != *msg {
            self.world.statistics.garbled += 1;
            self.world.failure_free = false;
            self.world.record(Some(from), || Happening::Garble {
                id,
                to,
                message: format!("{garbled:?}"),
            });
        }
        garbled
    }
}

/// The length of a message's JSON, in bytes.
pub(super) fn encoded_size(msg: &impl Serialize) -> u64 {
    struct Counter(u64);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // What cannot be written weighs what was written of it.
    let _written = serde_json::to_writer(&mut counter, msg);
    counter.0
}
