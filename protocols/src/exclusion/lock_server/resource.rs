//! The resource that the lock protects, and that can also protect itself.

use super::mutants::NO_FENCING_CHECK;
use super::{Context, Msg, Params};
use crate::spec::mutual_exclusion::{Indication, Token};

/// The resource.
#[derive(Clone, Debug, Hash)]
pub struct Resource {
    fencing: bool,
    /// The highest token that it has seen.
    highest: Token,
}

impl Resource {
    pub(super) const fn new(params: &Params) -> Self {
        Self { fencing: params.fencing, highest: 0 }
    }

    pub(super) fn on_message(&mut self, msg: &Msg, cx: &mut Context) {
        let Msg::Write { token } = *msg else { return };
        if self.fencing && token < self.highest && !cx.runs(&NO_FENCING_CHECK) {
            cx.reach("a write comes too late");
            return;
        }
        self.highest = self.highest.max(token);
        cx.indicate(Indication::Applied(token));
    }
}
