//! The repair of the chain (2004, section 3.2): a server has crashed, and its neighbours close the
//! gap.

use ftsim_core::ProcessId;

use super::mutants::NO_RESEND;
use super::server::Server;
use super::{Context, Msg, Sequence};
use crate::spec::chain::Fact;
use crate::spec::service::Indication;

impl Server {
    pub(super) fn on_crash_of(&mut self, p: ProcessId, cx: &mut Context) {
        let (predecessor, successor) = (self.predecessor(), self.successor());
        self.chain.retain(|server| *server != p);
        if self.predecessor() != predecessor {
            self.on_new_predecessor(cx);
        }
        if self.successor() != successor {
            self.on_new_successor(cx);
        }
    }

    /// The predecessor has crashed: what it has sent early is void, since the next one sends it
    /// again. If there is none, this server is the head.
    fn on_new_predecessor(&mut self, cx: &mut Context) {
        self.early.clear();
        let Some(predecessor) = self.predecessor() else { return self.begin_as_head(cx) };
        cx.indicate(Indication::Fact(Fact::Follows(predecessor)));
        let (last, acked) = (self.store.last(), self.acked);
        cx.send(predecessor, Msg::HistoryEnd { last, acked });
    }

    pub(super) fn begin_as_head(&self, cx: &mut Context) {
        cx.indicate(Indication::Fact(Fact::Heads));
        cx.indicate(Indication::Serves);
        if self.store.last() > 0 {
            cx.reach("a new head");
        }
    }

    /// The successor has crashed. If there is none, this server is the tail; otherwise the next one
    /// says, or has said, where its history ends.
    fn on_new_successor(&mut self, cx: &mut Context) {
        self.is_linked = false;
        if self.is_tail() {
            cx.indicate(Indication::Fact(Fact::Tails));
            if !self.pending.is_empty() {
                cx.reach("a new tail commits");
            }
            return self.commit(cx);
        }
        self.link(cx);
    }

    pub(super) fn on_history_end(
        &mut self,
        from: ProcessId,
        last: Sequence,
        acked: Sequence,
        cx: &mut Context,
    ) {
        if self.is_behind(from) {
            self.ends.insert(from, last);
            self.acknowledge(acked, cx);
            self.link(cx);
        }
    }

    /// Sends what comes after the end of its successor's history, once it is known.
    fn link(&mut self, cx: &mut Context) {
        let Some(successor) = self.successor().filter(|_| !self.is_linked) else { return };
        let Some(last) = self.ends.get(&successor) else { return };
        self.is_linked = true;
        if cx.runs(&NO_RESEND) {
            return;
        }
        for (sequence, update) in self.pending.range(last.saturating_add(1)..) {
            cx.reach("sent again");
            cx.send(successor, Msg::Update { sequence: *sequence, update: update.clone() });
        }
    }
}
