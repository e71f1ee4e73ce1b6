//! Signatures that cannot be forged.
//!
//! A signed value carries its signer and a tag: a keyed digest of the value's JSON form. Each
//! process has its own key, drawn from the run's seed. A protocol never sees a key: it signs
//! through [`Cx::sign`], as its own process, and reads a value only through [`Signed::verify`]. The
//! adversary holds only the keys of the processes that it controls, so it cannot forge a tag of a
//! correct process.
//!
//! As with real signatures, a signed value can be replayed to anyone, anywhere. It should therefore
//! contain its context: its round, its receiver, its path.

use std::fmt;
use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::id::ProcessId;
use crate::model::effect::Cx;
use crate::model::process::Process;
use crate::rng::{Rng, Stream};

/// A value that a process signed, or that an adversary claims it signed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    #[serde(rename = "signed")]
    value: T,
    signer: ProcessId,
    tag: u64,
}

impl<T> Signed<T> {
    /// The signer, if the signature is genuine.
    pub const fn signer(&self) -> ProcessId {
        self.signer
    }
}

impl<T: Serialize> Signed<T> {
    /// The value, if its signer signed it.
    pub fn verify<P: Process>(&self, cx: &Cx<'_, P>) -> Option<&T> {
        let form = serde_json::to_value(&self.value).ok()?;
        let key = Key::of(cx.env.coin.seed, self.signer);
        (key.tag(&form) == self.tag).then_some(&self.value)
    }

    /// # Panics
    /// If the value has no JSON form.
    pub(crate) fn by(signer: ProcessId, key: Key, value: T) -> Self {
        let form = serde_json::to_value(&value).expect("a signed value has a JSON form");
        Self { value, signer, tag: key.tag(&form) }
    }
}

impl<P: Process> Cx<'_, P> {
    /// The value with this process's signature.
    ///
    /// # Panics
    /// If the value has no JSON form, such as a map whose keys are neither text nor numbers.
    pub fn sign<T: Serialize>(&self, value: T) -> Signed<T> {
        Signed::by(self.me(), Key::of(self.env.coin.seed, self.me()), value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    /// `Order(3) signed p1`: traces show content by `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} signed {}", self.value, self.signer)
    }
}

/// A signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

impl Key {
    /// The key of this process in the run with this seed.
    pub fn of(seed: u64, process: ProcessId) -> Self {
        Self(Rng::new(seed, Stream::Key(process.0)).bits())
    }

    /// The tag of a value in this form. Equal values have equal forms.
    pub fn tag(self, form: &Value) -> u64 {
        let mut digest = Digest::EMPTY;
        digest.mix(self.0);
        digest.write(form.to_string().as_bytes());
        digest.mix(self.0);
        digest.value()
    }
}

/// The signer of this form of a message's part, if it is the form of a [`Signed`].
pub(crate) fn signer_in(form: &Value) -> Option<ProcessId> {
    let parts = form.as_object().filter(|parts| parts.len() == 3)?;
    parts.get("tag")?.as_u64()?;
    parts.get("signed")?;
    parts.get("signer")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed<Vec<u32>> {
        Signed::by(ProcessId(1), Key::of(7, ProcessId(1)), vec![3, 4])
    }

    #[test]
    fn it_shows_what_is_signed_and_by_whom() {
        assert_eq!(format!("{:?}", signed()), "[3, 4] signed p1");
    }

    #[test]
    fn its_form_can_be_told_and_read_back() {
        let form = serde_json::to_value(signed()).expect("a form");
        assert_eq!(signer_in(&form), Some(ProcessId(1)));
        assert_eq!(serde_json::from_value::<Signed<Vec<u32>>>(form).expect("the same"), signed());
        let unsigned = serde_json::json!({ "signed": 1, "signer": "p1" });
        assert_eq!(signer_in(&unsigned), None);
    }

    #[test]
    fn tags_differ_by_seed_signer_and_value() {
        let tag = |seed, p, value: u64| Key::of(seed, ProcessId(p)).tag(&value.into());
        assert_eq!(tag(1, 2, 3), tag(1, 2, 3));
        let others = [tag(1, 2, 4), tag(1, 3, 3), tag(2, 2, 3)];
        assert!(others.iter().all(|other| *other != tag(1, 2, 3)), "{others:?}");
    }
}
