//! The resource that the lock protects, and that can also protect itself.

use ftsim_core::Stored;

use super::mutants::{FORGETFUL_RESOURCE, NO_FENCING_CHECK};
use super::{Context, Msg, Params, Record};
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

    pub(super) fn on_recover(&mut self, log: &[Stored<Record>]) {
        let highest = log.iter().filter_map(|stored| match stored.intact()? {
            Record::Highest(token) => Some(*token),
            Record::Lock(_) => None,
        });
        self.highest = highest.max().unwrap_or(0);
    }

    pub(super) fn on_message(&mut self, msg: &Msg, cx: &mut Context) {
        let Msg::Write { token } = *msg else { return };
        if self.fencing && token < self.highest && !cx.runs(&NO_FENCING_CHECK) {
            cx.reach("a write comes too late");
            return;
        }
        if token > self.highest {
            self.highest = token;
            self.save(cx);
        }
        cx.indicate(Indication::Applied(token));
    }

    /// Keeps the highest token, before it acts on it.
    fn save(&self, cx: &mut Context) {
        if self.fencing && !cx.runs(&FORGETFUL_RESOURCE) {
            cx.rewrite(vec![Record::Highest(self.highest)]);
            cx.sync();
        }
    }
}
