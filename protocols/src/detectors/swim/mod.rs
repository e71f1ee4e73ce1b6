//! SWIM: each member probes another at random in each period, and news travels on the probes.
//!
//! Source: Das, Gupta and Motivala (2002), *SWIM: scalable weakly-consistent infection-style
//! process group membership protocol*, with suspicion (section 4.2) and round robin (4.3). Spec:
//! [`FailureDetector`]. Model: crash-stop, f < n. If members never confirm suspicions, which is the
//! default, partially synchronous with fair-loss links; if they do, synchronous with reliable
//! links.
//!
//! Steps: in each period a member pings another. If no ACK has come after the ping timeout, it asks
//! k others to ping that member for it (PING-REQ) and to pass the ACK on. If none has come when the
//! period ends, it suspects the member. A member that hears that it is suspected refutes it with a
//! greater incarnation number. A suspicion that is not refuted within the suspicion timeout is
//! confirmed, and the member is out for good. All messages carry news of members, each of which a
//! member sends λ⌈log2 n⌉ times. Later news wins: a greater incarnation number over a smaller one,
//! with equal ones a suspicion over trust; a confirmation over everything.
//!
//! Why it works: nobody can acknowledge a ping for a crashed member, so whoever pings it suspects
//! it. A correct one that is suspected is pinged again, and told: so it refutes in its ACK. With
//! round robin a member pings each of m others once in m periods, in random order, so again after
//! at most 2m − 1; then everybody detects a crash within 2m periods. The first member to probe the
//! crashed one does so after e/(e − 1) periods on the average, if there are many.
//!
//! Accuracy: a confirmation is never taken back, so one wrong one refutes eventual accuracy. While
//! messages can be lost, or take long before GST, any suspicion timeout can end before a refutation
//! comes; the paper makes that improbable, not impossible. So there are two models. Without
//! confirmations this is ◇P, if the ping timeout exceeds a round trip by a twentieth, for clocks
//! that drift: after GST no ping is in vain. With confirmations it is accurate only where no
//! message is lost or late. On lossy links a probe of a correct member fails with probability
//! (1 − q²)(1 − q⁴)^k, where q is the probability that a message arrives.
//!
//! Beyond the paper: a ping tells its target that it is suspected, and an ACK answers that,
//! whatever news has been sent before, as in the *buddy system* of Dadgar, Phillips and Currey
//! (2018), *Lifeguard*. The news of the paper can run out before it reaches the suspect. Members
//! are known from the start and none joins or leaves; their periods begin together, and one that is
//! confirmed in error goes on probing.
//!
//! Words: the paper's protocol period T' is our period; its *faulty* our confirmed.

mod news;

use ftsim_core::prelude::*;

use crate::parts::sample::sample;
use crate::spec::detector::{
    DETECTION_TIME, EVENTUAL_STRONG_ACCURACY, FailureDetector, Indication, STRONG_COMPLETENESS,
};
use news::{News, Standing, Update};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// A request for an ACK, for this probe.
    Ping { probe: Probe, news: Vec<Update> },
    /// A request to ping the target, for this probe.
    PingReq { target: ProcessId, probe: Probe, news: Vec<Update> },
    /// The target of this probe is up.
    Ack { probe: Probe, news: Vec<Update> },
}

/// The name of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Probe {
    /// The member that probes.
    origin: ProcessId,
    /// The number of its period.
    period: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Timer {
    /// A period ends, and the next begins.
    Period,
    /// The ACK should have come.
    PingTimeout,
    /// The suspicion of this member was not refuted.
    Confirm(ProcessId),
}

/// A member of the group.
#[derive(Clone, Debug, Hash)]
pub struct Swim {
    params: SwimParams,
    /// The number of this period, from 1.
    period: u64,
    /// The member that is probed in this period, until it has acknowledged.
    probed: Option<ProcessId>,
    /// The other members that are not confirmed, in the order of a round.
    others: Vec<ProcessId>,
    /// The place in `others` of the next target.
    next: usize,
    /// Its own incarnation number.
    incarnation: u64,
    news: News,
}

impl Process for Swim {
    type Spec = FailureDetector;
    type Msg = Msg;
    type Timer = Timer;
    type Record = Never;

    fn on_start(&mut self, cx: &mut Cx<Self>) {
        if let Some(within) = self.params.detects_within(cx.setting()) {
            cx.indicate(Indication::DetectsWithin(within));
        }
        self.others = cx.others().collect();
        self.next = self.others.len();
        self.begin_period(cx);
    }

    fn on_request(&mut self, request: Never, _: &mut Cx<Self>) {
        match request {}
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Ping { probe, news } => {
                let is_suspected = news.iter().any(|update| update.member == cx.me());
                self.hear(news, cx);
                let mut news = self.news.take();
                if is_suspected {
                    news.push(self.refutation(cx.me()));
                }
                cx.send(from, Msg::Ack { probe, news });
            }
            Msg::PingReq { target, probe, news } => {
                self.hear(news, cx);
                if cx.runs(&RELAY_VOUCHES) {
                    let news = self.news.take();
                    cx.send(from, Msg::Ack { probe, news });
                } else if target.0 < cx.n() {
                    self.ping(target, probe, cx);
                }
            }
            Msg::Ack { probe, news } => {
                self.hear(news, cx);
                self.acknowledged(probe, cx);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Cx<Self>) {
        match timer {
            Timer::Period => {
                if let Some(target) = self.probed.take() {
                    let incarnation = self.news.about(target).incarnation;
                    self.learn(Update::suspects(target, incarnation), cx);
                }
                self.begin_period(cx);
            }
            Timer::PingTimeout => self.ask_others(cx),
            Timer::Confirm(p) => self.learn(Update::confirms(p), cx),
        }
    }
}

impl Swim {
    fn begin_period(&mut self, cx: &mut Cx<Self>) {
        let Some(target) = self.next_target(cx) else { return };
        self.period += 1;
        self.probed = Some(target);
        self.ping(target, Probe { origin: cx.me(), period: self.period }, cx);
        cx.set_timer(self.params.ping_timeout, Timer::PingTimeout);
        cx.set_timer(self.params.period, Timer::Period);
    }

    fn next_target(&mut self, cx: &mut Cx<Self>) -> Option<ProcessId> {
        if self.params.target == Target::Random || cx.runs(&DRAWS_ANEW) {
            return cx.rng().choose(&self.others).copied();
        }
        if self.next >= self.others.len() {
            cx.rng().shuffle(&mut self.others);
            self.next = 0;
        }
        let target = self.others.get(self.next).copied();
        self.next += 1;
        target
    }

    fn ping(&mut self, target: ProcessId, probe: Probe, cx: &mut Cx<Self>) {
        let mut news = self.news.take();
        // The suspect itself must hear of it.
        if self.news.about(target).standing != Standing::Alive {
            news.retain(|update| update.member != target);
            news.push(self.news.about(target));
        }
        cx.send(target, Msg::Ping { probe, news });
    }

    fn ask_others(&mut self, cx: &mut Cx<Self>) {
        let Some(target) = self.probed else { return };
        let probe = Probe { origin: cx.me(), period: self.period };
        let helpers: Vec<_> = self.others.iter().copied().filter(|p| *p != target).collect();
        let count = u32::try_from(helpers.len()).unwrap_or(u32::MAX);
        for place in sample(self.params.indirect, count, cx.rng()) {
            let news = self.news.take();
            cx.send(helpers[place as usize], Msg::PingReq { target, probe, news });
        }
    }

    fn acknowledged(&mut self, probe: Probe, cx: &mut Cx<Self>) {
        if probe.origin != cx.me() {
            if probe.origin.0 < cx.n() {
                let news = self.news.take();
                cx.send(probe.origin, Msg::Ack { probe, news });
            }
        } else if probe.period == self.period && self.probed.take().is_some() {
            cx.cancel_timer(Timer::PingTimeout);
        }
    }

    fn hear(&mut self, updates: Vec<Update>, cx: &mut Cx<Self>) {
        for update in updates {
            if update.member != cx.me() {
                self.learn(update, cx);
            } else if update.standing == Standing::Suspected {
                self.refute(update.incarnation, cx);
            } else if update.standing == Standing::Confirmed {
                cx.reach("a member that is up is confirmed");
            }
        }
    }

    /// This incarnation of it is suspected.
    fn refute(&mut self, incarnation: u64, cx: &mut Cx<Self>) {
        if incarnation < self.incarnation || cx.runs(&NO_INCARNATION) {
            return;
        }
        cx.reach("a suspicion is refuted");
        self.incarnation = incarnation.saturating_add(1);
        self.news.spread(self.refutation(cx.me()));
    }

    const fn refutation(&self, me: ProcessId) -> Update {
        Update { member: me, incarnation: self.incarnation, standing: Standing::Alive }
    }

    /// Learns news of another member, unless it knows later news.
    fn learn(&mut self, update: Update, cx: &mut Cx<Self>) {
        let before = self.news.about(update.member).standing;
        if !self.news.learn(update) {
            return;
        }
        let p = update.member;
        match (before, update.standing) {
            (Standing::Alive, Standing::Alive) => return,
            (_, Standing::Alive) => cx.indicate(Indication::Trust(p)),
            (Standing::Alive, _) => cx.indicate(Indication::Suspect(p)),
            _ => {}
        }
        match (update.standing, self.params.suspicion_timeout) {
            (Standing::Suspected, Some(timeout)) => cx.set_timer(timeout, Timer::Confirm(p)),
            (Standing::Confirmed, _) => self.exclude(p, cx),
            _ => cx.cancel_timer(Timer::Confirm(p)),
        }
    }

    fn exclude(&mut self, p: ProcessId, cx: &mut Cx<Self>) {
        cx.cancel_timer(Timer::Confirm(p));
        if let Some(place) = self.others.iter().position(|other| *other == p) {
            self.others.remove(place);
            self.next -= usize::from(place < self.next);
        }
    }
}

/// How a member chooses whom to probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Any other, in each period.
    Random,
    /// All others in random order, then again in another order.
    #[default]
    RoundRobin,
}

/// `[params]` of `swim`.
#[derive(Clone, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwimParams {
    /// T': the time between two probes of a member.
    pub period: Duration,
    /// The time within which an ACK should come, at least a round trip; less than `period`.
    pub ping_timeout: Duration,
    /// k: the number of members that are asked to ping when no ACK came.
    pub indirect: u32,
    /// The time after which a suspicion is confirmed, for good. By default it never is.
    pub suspicion_timeout: Option<Duration>,
    /// How a member chooses whom to probe.
    pub target: Target,
    /// λ: a member sends each news λ⌈log2 n⌉ times.
    pub lambda: u32,
}

impl Default for SwimParams {
    fn default() -> Self {
        Self {
            period: Duration::from_millis(75),
            ping_timeout: Duration::from_millis(25),
            indirect: 3,
            suspicion_timeout: None,
            target: Target::RoundRobin,
            lambda: 3,
        }
    }
}

impl SwimParams {
    /// Whether an ACK always comes in time, once no message takes longer than the bound.
    fn waits_long_enough(&self, setting: &Setting) -> bool {
        let round_trip_ns = setting.delay_bound.times(2).as_nanos();
        let margin_ns = if self.confirms() { 0 } else { round_trip_ns / 20 };
        self.ping_timeout.as_nanos() >= round_trip_ns.saturating_add(margin_ns)
    }

    const fn confirms(&self) -> bool {
        self.suspicion_timeout.is_some()
    }

    /// 2m periods for m other members, if no suspicion of a member is taken back after its crash.
    fn detects_within(&self, setting: &Setting) -> Option<Duration> {
        let is_bounded =
            self.target == Target::RoundRobin && self.confirms() && self.waits_long_enough(setting);
        let others = u64::from(setting.n.saturating_sub(1));
        is_bounded.then(|| self.period.times(2 * others))
    }
}

const NO_INCARNATION: Mutant = Mutant::code(
    "no-incarnation",
    "never takes a new incarnation number, so that a suspicion beats its refutation",
    EVENTUAL_STRONG_ACCURACY,
);
const RELAY_VOUCHES: Mutant = Mutant::code(
    "relay-vouches",
    "acknowledges a probe for its target without pinging it",
    STRONG_COMPLETENESS,
);
const DRAWS_ANEW: Mutant = Mutant::code(
    "draws-anew",
    "draws its target anew in each period instead of going round",
    DETECTION_TIME,
);

impl Protocol for Swim {
    const NAME: &'static str = "swim";
    const SUMMARY: &'static str =
        "failure detector: probe a random member, directly and through others";
    const SOURCE: &'static str = "Das, Gupta & Motivala 2002";
    const MUTANTS: &'static [Mutant] = &[NO_INCARNATION, RELAY_VOUCHES, DRAWS_ANEW];

    type Params = SwimParams;

    fn model(params: &SwimParams, _: &Setting) -> Model {
        let model = match params.confirms() {
            true => Model::SYNCHRONOUS,
            false => Model::PARTIALLY_SYNCHRONOUS.over(Links::FairLoss),
        };
        model.crash_stop(Bound::ALL_BUT_ONE)
    }

    fn validate(params: &SwimParams, _: &Setting) -> Result<(), Invalid> {
        if params.ping_timeout == Duration::ZERO {
            return Err(Invalid::new("ping_timeout", "must be longer than zero"));
        }
        if params.ping_timeout >= params.period {
            return Err(Invalid::new("ping_timeout", "must be shorter than `period`"));
        }
        Ok(())
    }

    fn new(params: &SwimParams, setting: &Setting, _: ProcessId) -> Self {
        Self {
            params: params.clone(),
            period: 0,
            probed: None,
            others: Vec::new(),
            next: 0,
            incarnation: 0,
            news: News::new(setting.n, params.lambda),
        }
    }

    /// ◇P without confirmations, if the ping timeout is long enough; with confirmations as accurate
    /// in its stricter model, and within a bounded time.
    fn claims(params: &SwimParams, setting: &Setting) -> Vec<PropertyId> {
        let mut claims = vec![STRONG_COMPLETENESS];
        claims.extend(params.waits_long_enough(setting).then_some(EVENTUAL_STRONG_ACCURACY));
        claims.extend(params.detects_within(setting).map(|_| DETECTION_TIME));
        claims
    }
}
