//! Takeover with `takeover = "perfect"` or `"operator"`: a server is given up when its crash is
//! reported, by a perfect failure detector or by a human.
//!
//! Why it works: as with `timeout`, a server takes over once it has given up all servers before it
//! in rank. A report is never wrong, so those have crashed, and there is never a second primary.

use ftsim_core::ProcessId;

use crate::replication::primary_backup::Context;
use crate::replication::primary_backup::params::Takeover;
use crate::replication::primary_backup::server::Server;

impl Server {
    pub(crate) fn on_suspect(&mut self, p: ProcessId, cx: &mut Context) {
        if self.params.takeover == Takeover::Perfect {
            self.suspect(p, cx);
        }
    }

    pub(crate) fn on_declared_down(&mut self, p: ProcessId, cx: &mut Context) {
        if self.params.takeover == Takeover::Operator {
            self.suspect(p, cx);
        }
    }
}
