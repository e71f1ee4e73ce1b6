//! Adversaries that a protocol file brings along: they know the protocol that they attack.

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
    /// How it lies.
    pub summary: &'static str,
    /// What it says instead of a message that its process is about to send: nothing, one message
    /// or several. It is asked once for each receiver.
    pub says: fn(&M, &mut Liar<'_>) -> Vec<M>,
}

/// Who lies to whom, and what a liar can do.
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

    /// What every process knows from the start.
    pub const fn setting(&self) -> &Setting {
        self.setting
    }

    /// The adversary's own randomness.
    pub const fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// The value with the signature of the process that lies.
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
    found.expect("a plan names an adversary that its protocol brings along")
}
