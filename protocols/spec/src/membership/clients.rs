//! The wishes to join and to leave, and the requests for service.

use ftsim_core::{Ask, Duration, DurationRange, Invalid, ProcessId, Setting, Spec, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FOUNDER, Grouped, NEWCOMER, Request};
use crate::{draw, refuse_too_many};

/// Who joins and leaves, and what is asked of the group.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MembershipWorkload {
    /// When newcomers ask to join; if a range, each draws a time of its own.
    pub join_at: DurationRange,
    /// The processes that ask to leave.
    pub leavers: Vec<ProcessId>,
    /// When they ask; if a range, each draws a time of its own.
    pub leave_at: DurationRange,
    /// The number of requests for service to each process.
    pub requests: u32,
    /// The time between two requests to a process; the first is at the start.
    pub every: DurationRange,
}

impl Default for MembershipWorkload {
    fn default() -> Self {
        let range = |min, max| DurationRange {
            min: Duration::from_millis(min),
            max: Duration::from_millis(max),
        };
        Self {
            join_at: range(0, 50),
            leavers: Vec::new(),
            leave_at: range(50, 100),
            requests: 10,
            every: range(20, 20),
        }
    }
}

/// The clients of a group.
#[derive(Clone, Debug, Hash)]
pub struct Wishes {
    settings: MembershipWorkload,
    newcomers: Vec<ProcessId>,
    all: Vec<ProcessId>,
}

impl Wishes {
    /// These wishes.
    ///
    /// # Errors
    /// If a process that is to leave does not exist, if there are no founders, or if there are more
    /// requests than a run can hold.
    pub fn new(settings: &MembershipWorkload, setting: &Setting) -> Result<Self, Invalid> {
        if setting.role_size(FOUNDER) == 0 {
            return Err(Invalid::role(FOUNDER, "there must be a founder"));
        }
        if let Some(stranger) = settings.leavers.iter().find(|p| p.0 >= setting.n) {
            return Err(Invalid::new("leavers", format!("there is no process {stranger}")));
        }
        let all: Vec<_> = setting.processes().collect();
        refuse_too_many("requests", settings.requests, all.len())?;
        Ok(Self { settings: settings.clone(), newcomers: setting.role(NEWCOMER).collect(), all })
    }

    /// Asks for what is to happen from the start on; `wrap` makes it a request of the problem.
    pub fn start<S: Spec>(&self, ask: &mut Ask<'_, S>, wrap: fn(Request) -> S::Request) {
        for p in &self.newcomers {
            let at = draw(self.settings.join_at, ask.rng());
            ask.request(*p, at, wrap(Request::Join));
        }
        for p in &self.settings.leavers {
            let at = draw(self.settings.leave_at, ask.rng());
            ask.request(*p, at, wrap(Request::Leave));
        }
        if self.settings.requests > 0 {
            for p in &self.all {
                ask.request(*p, Duration::ZERO, wrap(Request::Serve(0)));
            }
        }
    }

    /// Asks for what is to happen after this request.
    pub fn go_on<S: Grouped>(
        &self,
        p: ProcessId,
        request: &S::Request,
        ask: &mut Ask<'_, S>,
        wrap: fn(Request) -> S::Request,
    ) {
        let Some(Request::Serve(number)) = S::group_request(request) else { return };
        let next = number.saturating_add(1);
        if next < u64::from(self.settings.requests) {
            let after = draw(self.settings.every, ask.rng());
            ask.request(p, after, wrap(Request::Serve(next)));
        }
    }
}

impl Workload<super::Membership> for Wishes {
    fn on_start(&mut self, ask: &mut Ask<'_, super::Membership>) {
        self.start(ask, |request| request);
    }

    fn on_request(
        &mut self,
        p: ProcessId,
        request: &Request,
        ask: &mut Ask<'_, super::Membership>,
    ) {
        self.go_on(p, request, ask, |request| request);
    }
}
