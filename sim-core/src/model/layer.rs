//! Protocols within protocols: an inner one runs as a layer of an outer one, which wraps its data
//! and handles its indications.

use crate::model::effect::{Cx, Effect, Env};
use crate::model::process::{Indication, Process};
use crate::model::setting::Setting;

/// How messages, timers and records of an inner protocol `Q` become those of the outer protocol
/// `P`: a [`Part`], or a type of one's own if something goes with them, such as the number of an
/// instance.
pub trait Embedding<P: Process, Q: Process> {
    /// Wraps a message.
    fn msg(&self, msg: Q::Msg) -> P::Msg;
    /// Wraps a timer.
    fn timer(&self, timer: Q::Timer) -> P::Timer;
    /// Wraps a record.
    fn record(&self, record: Q::Record) -> P::Record;
}

/// The embedding of an inner protocol `Q` of which `P` has one.
pub struct Part<P: Process, Q: Process> {
    /// Wraps its messages.
    pub msg: fn(Q::Msg) -> P::Msg,
    /// Wraps its timers.
    pub timer: fn(Q::Timer) -> P::Timer,
    /// Wraps its records.
    pub record: fn(Q::Record) -> P::Record,
}

impl<P: Process, Q: Process> Embedding<P, Q> for Part<P, Q> {
    fn msg(&self, msg: Q::Msg) -> P::Msg {
        (self.msg)(msg)
    }

    fn timer(&self, timer: Q::Timer) -> P::Timer {
        (self.timer)(timer)
    }

    fn record(&self, record: Q::Record) -> P::Record {
        (self.record)(record)
    }
}

impl<P: Process> Cx<'_, P> {
    /// Runs a handler of the inner protocol `Q`: its effects become effects of `P`, in place and in
    /// order; its indications are returned, for `P` to handle.
    ///
    /// # Panics
    /// If `Q` rewrites the log: the log belongs to `P`.
    #[track_caller]
    pub fn layer<Q: Process>(
        &mut self,
        part: &impl Embedding<P, Q>,
        f: impl FnOnce(&mut Cx<'_, Q>),
    ) -> Vec<Indication<Q>> {
        self.layer_among(self.env.setting, part, f)
    }

    /// The same for an inner protocol that only some of the processes run: `setting` is theirs.
    ///
    /// # Panics
    /// If `Q` rewrites the log: the log belongs to `P`.
    #[track_caller]
    pub fn layer_among<Q: Process>(
        &mut self,
        setting: &Setting,
        part: &impl Embedding<P, Q>,
        f: impl FnOnce(&mut Cx<'_, Q>),
    ) -> Vec<Indication<Q>> {
        let mut inner = Vec::new();
        let mut indications = Vec::new();
        let Env { me, now, ref mut coin, teller, .. } = *self.env;
        f(&mut Cx { env: &mut Env { me, setting, now, coin, teller }, effects: &mut inner });
        for effect in inner {
            match effect {
                Effect::Send(to, msg) => self.send(to, part.msg(msg)),
                Effect::SetTimer(after, timer) => self.set_timer(after, part.timer(timer)),
                Effect::CancelTimer(timer) => self.cancel_timer(part.timer(timer)),
                Effect::Indicate(what) => indications.push(what),
                Effect::Append(record) => self.append(part.record(record)),
                Effect::Sync => self.sync(),
                Effect::Rewrite(_) => panic!("a layer does not rewrite the log: its owner does"),
                Effect::Halt => self.halt(),
                Effect::Reach(label) => self.reach(label),
                Effect::Note(remark) => self.note(remark),
            }
        }
        indications
    }
}
