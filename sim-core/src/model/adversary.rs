//! Adversaries provided by a protocol file: they know the protocol that they attack.

use serde::Serialize;

use crate::id::ProcessId;
use crate::model::setting::Setting;
use crate::model::signature::{Key, Signed};
use crate::rng::Rng;

/// An adversary that knows the messages of its protocol.
#[derive(Debug)]
pub struct CustomAdversary<M: 'static> {
    /// Its name in scenarios, kebab-case.
    pub name: &'static str,
    /// Its way of lying, in a few words.
    pub summary: &'static str,
    /// The messages that it sends instead of a message that its process is about to send: none, one
    /// or several. It is called once for each receiver.
    pub says: fn(&M, &mut Liar<'_>) -> Vec<M>,
}

/// The liar, the receiver and the means of a lie.
pub struct Liar<'a> {
    pub(crate) me: ProcessId,
    pub(crate) to: ProcessId,
    pub(crate) setting: &'a Setting,
    pub(crate) key: Key,
    pub(crate) rng: &'a mut Rng,
}

impl Liar<'_> {
    /// The process that lies.
    pub const fn me(&self) -> ProcessId {
        self.me
    }

    /// The receiver of this message.
    pub const fn to(&self) -> ProcessId {
        self.to
    }

    /// The setting that every process knows from the start.
    pub const fn setting(&self) -> &Setting {
        self.setting
    }

    /// The adversary's own randomness.
    pub const fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// The value with the liar's signature.
    ///
    /// # Panics
    /// If the value has no JSON form.
    pub fn sign<T: Serialize>(&self, value: T) -> Signed<T> {
        Signed::by(self.me, self.key, value)
    }
}

/// # Panics
/// If there is none: scenarios refuse such names.
pub(crate) fn find<M>(
    adversaries: &'static [CustomAdversary<M>],
    name: &str,
) -> &'static CustomAdversary<M> {
    let found = adversaries.iter().find(|adversary| adversary.name == name);
    found.expect("a plan names one of its protocol's adversaries")
}
