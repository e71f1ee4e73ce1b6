//! Links: delay, loss, duplication, order, cuts. A link is directed, and uses no memory until it is
//! used.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash as _;

use crate::digest::Digest;
pub use crate::environment::link::{Cut, DropReason, Link, Loss, Order};
use crate::id::ProcessId;
use crate::process_set::ProcessSet;
use crate::rng::{Probability, Rng};
use crate::time::{Duration, Instant};

/// All links of a run.
#[derive(Clone, Debug, Default)]
pub struct NetworkConfig {
    /// The behaviour of links without an override.
    pub default: Link,
    /// Links that behave differently; if two are for the same link, the later one counts.
    pub overrides: Vec<((ProcessId, ProcessId), Link)>,
    /// GST: from this time on no message is lost or cut, and none takes longer than `bound`.
    pub stabilise_at: Option<Instant>,
    /// δ: the maximum delay after `stabilise_at`.
    pub bound: Duration,
}

impl NetworkConfig {
    /// Whether some link can take longer than `bound`.
    pub(crate) fn can_exceed_bound(&self) -> bool {
        let links = self.overrides.iter().map(|(_, link)| link).chain([&self.default]);
        links.into_iter().any(|link| link.delay.longest() > self.bound)
    }
}

/// The fate of a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It never arrives.
    Dropped(DropReason),
    /// It arrives, possibly with a copy.
    Arrives(Instant, Option<Instant>),
}

/// The current state of the links of a run.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    links: Vec<Link>,
    /// Indices into `links`; all other links use link 0.
    overridden: BTreeMap<(ProcessId, ProcessId), u32>,
    stabilise_at: Instant,
    bound: Duration,
    /// The processes that are well even before stabilisation: links among them lose nothing.
    well: Option<Well>,
    /// Whether any link has a bandwidth, and whether any corrupts messages.
    narrow: bool,
    garbles: bool,
    /// The time until which each link with a bandwidth is busy with earlier messages.
    busy_until: BTreeMap<(ProcessId, ProcessId), Instant>,
    /// Links that are in a burst of loss.
    bursts: BTreeSet<(ProcessId, ProcessId)>,
    /// The latest arrival on each FIFO link so far.
    last_arrival: BTreeMap<(ProcessId, ProcessId), Instant>,
}

/// Processes with reliable links among them.
#[derive(Clone, Debug, Hash)]
struct Well {
    processes: ProcessSet,
    /// Whether the bound holds among them.
    is_synchronous: bool,
}

impl Network {
    pub fn new(config: &NetworkConfig) -> Self {
        let mut links = vec![config.default.clone()];
        let mut overridden = BTreeMap::new();
        for (pair, link) in &config.overrides {
            let known = links.iter().position(|l| l == link);
            let index = known.unwrap_or_else(|| {
                links.push(link.clone());
                links.len() - 1
            });
            overridden.insert(*pair, u32::try_from(index).expect("fewer links than 2^32"));
        }
        Self {
            narrow: links.iter().any(|link| link.bandwidth.is_some()),
            garbles: links.iter().any(|link| link.garble != Probability::NEVER),
            busy_until: BTreeMap::new(),
            well: None,
            links,
            overridden,
            stabilise_at: config.stabilise_at.unwrap_or(Instant::MAX),
            bound: config.bound,
            bursts: BTreeSet::new(),
            last_arrival: BTreeMap::new(),
        }
    }

    /// Restores the state before the first message.
    pub fn reset(&mut self) {
        self.bursts.clear();
        self.last_arrival.clear();
        self.busy_until.clear();
        self.well = None;
    }

    /// Whether messages on this link arrive in the order of sending.
    pub fn is_fifo(&self, (from, to): (ProcessId, ProcessId)) -> bool {
        self.link(from, to).order == Order::Fifo
    }

    /// The influence of earlier messages on later ones.
    pub fn fingerprint(&self, now: Instant, digest: &mut Digest) {
        for times in [&self.last_arrival, &self.busy_until] {
            let ahead = times.iter().filter(|(_, at)| **at > now);
            for (link, at) in ahead {
                (link, at.since(now)).hash(digest);
            }
            digest.mix(0);
        }
        (&self.bursts, &self.well, now >= self.stabilise_at).hash(digest);
    }

    /// From now on, the links among these processes neither lose nor change messages.
    pub fn end_faults(&mut self, processes: ProcessSet, is_synchronous: bool) {
        self.well = Some(Well { processes, is_synchronous });
    }

    /// Whether a link now neither loses nor changes messages.
    #[inline]
    pub fn is_whole(&self, from: ProcessId, to: ProcessId, now: Instant) -> bool {
        let among = |well: &Well| well.processes.contains(from) && well.processes.contains(to);
        now >= self.stabilise_at || self.well.as_ref().is_some_and(among)
    }

    /// Whether any link corrupts messages.
    #[inline]
    pub const fn is_garbling(&self) -> bool {
        self.garbles
    }

    /// Whether any link has a bandwidth.
    #[inline]
    pub const fn is_narrow(&self) -> bool {
        self.narrow
    }

    /// The bandwidth of the link, in bytes per second.
    pub fn bandwidth(&self, from: ProcessId, to: ProcessId) -> Option<u64> {
        self.link(from, to).bandwidth
    }

    /// The time until a message of `size` bytes has been transmitted on a link that carries `rate`
    /// bytes per second, one message after the other.
    pub fn queue(
        &mut self,
        link: (ProcessId, ProcessId),
        rate: u64,
        size: u64,
        now: Instant,
    ) -> Duration {
        let nanos = u128::from(size) * 1_000_000_000 / u128::from(rate.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let busy_until = self.busy_until.entry(link).or_default();
        *busy_until = (*busy_until).max(now) + takes;
        busy_until.since(now)
    }

    /// Whether the link corrupts this message.
    #[inline]
    pub fn garbles(&self, from: ProcessId, to: ProcessId, now: Instant, rng: &mut Rng) -> bool {
        self.garbles && !self.is_whole(from, to, now) && rng.chance(self.link(from, to).garble)
    }

    /// Whether any link loses everything.
    pub fn has_dead_links(&self) -> bool {
        self.links.iter().any(|link| link.loss == Loss::Independent(Probability::ALWAYS))
    }

    /// The reason why messages between correct processes need not arrive, if there is one.
    pub fn excuse(&self, from: ProcessId, to: ProcessId, at: Instant) -> Option<&'static str> {
        let never = self.link(from, to).loss == Loss::Independent(Probability::ALWAYS);
        (never && !self.is_whole(from, to, at))
            .then_some("a link that loses every message was still in force at the end")
    }

    #[inline]
    fn link(&self, from: ProcessId, to: ProcessId) -> &Link {
        link(&self.links, &self.overridden, (from, to))
    }

    /// Decides the fate of a message from `from` to another process `to` that is sent now and takes
    /// `waits` until it is transmitted.
    #[inline]
    pub fn route(
        &mut self,
        from: ProcessId,
        to: ProcessId,
        now: Instant,
        waits: Duration,
        rng: &mut Rng,
    ) -> Route {
        let route = self.travel(from, to, now, waits, rng);
        self.keep_order((from, to), route)
    }

    /// Like [`route`](Self::route), before the order of the link is enforced.
    #[inline]
    pub fn travel(
        &mut self,
        from: ProcessId,
        to: ProcessId,
        now: Instant,
        waits: Duration,
        rng: &mut Rng,
    ) -> Route {
        let stable = self.is_whole(from, to, now);
        let latest = self.latest(stable, now);
        let bursts = &mut self.bursts;
        let link = link(&self.links, &self.overridden, (from, to));
        if !stable && loses(link.loss, (from, to), bursts, rng) {
            return Route::Dropped(DropReason::Loss);
        }
        let first = (now + waits + link.delay.draw(rng)).min(latest);
        let second = (!stable && rng.chance(link.duplicate))
            .then(|| (now + waits + link.delay.draw(rng)).min(latest));
        Route::Arrives(first, second)
    }

    /// Moves the arrivals of a message after all earlier ones on its link, if the link keeps order.
    #[inline]
    pub fn keep_order(&mut self, between: (ProcessId, ProcessId), route: Route) -> Route {
        let Route::Arrives(first, second) = route else { return route };
        if link(&self.links, &self.overridden, between).order == Order::Any {
            return route;
        }
        let first = self.in_order(between, first);
        Route::Arrives(first, second.map(|second| self.in_order(between, second)))
    }

    /// The latest possible arrival of a message that is sent now.
    #[inline]
    fn latest(&self, stable: bool, now: Instant) -> Instant {
        if stable && self.well.as_ref().is_some_and(|well| well.is_synchronous) {
            return now + self.bound;
        }
        // Dwork, Lynch and Stockmeyer 1988: a message sent before GST arrives by GST + bound.
        // Without a GST this is Instant::MAX, because the sum saturates.
        self.stabilise_at.max(now) + self.bound
    }

    /// The arrival of the last message so far on a link that keeps order.
    pub fn last_arrival(&self, from: ProcessId, to: ProcessId) -> Option<Instant> {
        self.last_arrival.get(&(from, to)).copied()
    }

    /// Puts arrivals on a link that keeps order in sequence, as if `last` were the last arrival.
    pub fn order_anew(
        &mut self,
        between: (ProcessId, ProcessId),
        last: Option<Instant>,
    ) -> impl FnMut(Instant) -> Instant {
        let order = link(&self.links, &self.overridden, between).order;
        match last {
            Some(last) => self.last_arrival.insert(between, last),
            None => self.last_arrival.remove(&between),
        };
        move |arrival| match order {
            Order::Any => arrival,
            Order::Fifo => self.in_order(between, arrival),
        }
    }

    fn in_order(&mut self, link: (ProcessId, ProcessId), arrival: Instant) -> Instant {
        let last = self.last_arrival.entry(link).or_default();
        *last = arrival.max(*last);
        *last
    }
}

#[inline]
fn link<'l>(
    links: &'l [Link],
    overridden: &BTreeMap<(ProcessId, ProcessId), u32>,
    between: (ProcessId, ProcessId),
) -> &'l Link {
    if overridden.is_empty() {
        return &links[0];
    }
    &links[overridden.get(&between).copied().unwrap_or(0) as usize]
}

/// Whether a link loses this message; `bursts` are the links in a burst of loss.
#[inline]
fn loses(
    loss: Loss,
    link: (ProcessId, ProcessId),
    bursts: &mut BTreeSet<(ProcessId, ProcessId)>,
    rng: &mut Rng,
) -> bool {
    match loss {
        Loss::Independent(p) => rng.chance(p),
        Loss::Burst { enter, leave, loss } => {
            let bad = bursts.contains(&link);
            let bad = if bad { !rng.chance(leave) } else { rng.chance(enter) };
            if bad {
                bursts.insert(link);
            } else {
                bursts.remove(&link);
            }
            bad && rng.chance(loss)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::delay::Delay;
    use crate::rng::Stream;
    use crate::time::DurationRange;

    const P0: ProcessId = ProcessId(0);
    const P1: ProcessId = ProcessId(1);

    fn network(link: Link) -> (Network, Rng) {
        let config = NetworkConfig { default: link, ..NetworkConfig::default() };
        (Network::new(&config), Rng::new(1, Stream::Network))
    }

    /// Sends from `from` to the other of p0 and p1.
    fn route(network: &mut Network, from: ProcessId, at: Instant, rng: &mut Rng) -> Route {
        network.route(from, ProcessId(1 - from.0), at, Duration::ZERO, rng)
    }

    fn percent(p: u32) -> Probability {
        Probability::new(f64::from(p) / 100.0).unwrap()
    }

    #[test]
    fn a_dead_link_is_an_excuse_until_it_is_whole() {
        let dead = Link { loss: Loss::Independent(Probability::ALWAYS), ..Link::default() };
        let (mut network, _) = network(dead);
        assert!(network.has_dead_links() && !network.is_garbling());
        assert!(network.excuse(P0, P1, Instant::ZERO).is_some());
        network.end_faults([P0, P1].into_iter().collect(), true);
        assert_eq!(network.excuse(P0, P1, Instant::ZERO), None);
        let (lossy, _) =
            self::network(Link { loss: Loss::Independent(percent(99)), ..Link::default() });
        assert!(!lossy.has_dead_links());
        assert_eq!(lossy.excuse(P0, P1, Instant::ZERO), None);
        let (garbling, _) = self::network(Link { garble: percent(1), ..Link::default() });
        assert!(garbling.is_garbling());
    }

    #[test]
    fn delays_can_exceed_the_bound_if_one_link_can() {
        let uniform = |ms| {
            let delay = Delay::Uniform(DurationRange::constant(Duration::from_millis(ms)));
            Link { delay, ..Link::default() }
        };
        let config = |default: u64, special: u64| NetworkConfig {
            default: uniform(default),
            overrides: vec![((P0, P1), uniform(special))],
            bound: Duration::from_millis(10),
            ..NetworkConfig::default()
        };
        assert!(!config(10, 10).can_exceed_bound());
        assert!(config(11, 10).can_exceed_bound() && config(10, 11).can_exceed_bound());
    }

    /// The fates of `count` messages from p0 to p1, one per millisecond.
    fn routes(link: Link, count: u64) -> Vec<Route> {
        let (mut network, mut rng) = network(link);
        let at = |i| Instant::ZERO + Duration::from_millis(i);
        (0..count).map(|i| network.route(P0, P1, at(i), Duration::ZERO, &mut rng)).collect()
    }

    #[test]
    fn loss_and_duplication_come_as_often_as_asked() {
        let loss = Loss::Independent(percent(10));
        let routes = routes(Link { loss, duplicate: percent(20), ..Link::default() }, 50_000);
        let lost = routes.iter().filter(|r| matches!(r, Route::Dropped(DropReason::Loss))).count();
        let twice = routes.iter().filter(|r| matches!(r, Route::Arrives(_, Some(_)))).count();
        assert!((4_700..5_300).contains(&lost), "{lost}");
        assert!((8_700..9_300).contains(&twice), "{twice}");
    }

    #[test]
    fn bursts_lose_in_runs() {
        let loss = Loss::Burst { enter: percent(1), leave: percent(20), loss: Probability::ALWAYS };
        let routes = routes(Link { loss, ..Link::default() }, 100_000);
        let lost: Vec<bool> = routes.iter().map(|r| matches!(r, Route::Dropped(_))).collect();
        let count = lost.iter().filter(|l| **l).count();
        let runs = lost.windows(2).filter(|w| !w[0] && w[1]).count();
        // The bad state lasts five messages on average, and contains 1/21 of all.
        assert!((4_200..5_400).contains(&count), "{count}");
        assert!((4.3..5.7).contains(&(count as f64 / runs as f64)), "{runs} runs");
    }

    #[test]
    fn fifo_links_never_reorder_and_others_do() {
        for (order, reorders) in [(Order::Fifo, false), (Order::Any, true)] {
            let (mut network, mut rng) = network(Link { order, ..Link::default() });
            let arrivals = (0..1_000).map(|i| {
                match route(&mut network, P0, Instant::from_nanos(i), &mut rng) {
                    Route::Arrives(at, None) => at,
                    other => panic!("{other:?}"),
                }
            });
            assert_eq!(!arrivals.is_sorted(), reorders, "{order:?}");
        }
    }

    #[test]
    fn order_and_bandwidth_are_those_of_the_link() {
        let config = NetworkConfig {
            overrides: vec![((P0, P1), Link { order: Order::Fifo, ..Link::default() })],
            ..NetworkConfig::default()
        };
        let mixed = Network::new(&config);
        assert!(mixed.is_fifo((P0, P1)) && !mixed.is_fifo((P1, P0)) && !mixed.is_narrow());
        let (narrow, _) = network(Link { bandwidth: Some(1_000), ..Link::default() });
        assert!(narrow.is_narrow());
    }

    #[test]
    fn only_arrivals_to_come_influence_what_follows() {
        let fifo = || Link { order: Order::Fifo, ..Link::default() };
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        let fingerprint = |network: &Network, now| {
            let mut digest = Digest::default();
            network.fingerprint(now, &mut digest);
            digest
        };
        let (fresh, _) = network(fifo());
        let (mut used, _) = network(fifo());
        used.keep_order((P0, P1), Route::Arrives(at(7), None));
        assert_ne!(fingerprint(&used, at(6)), fingerprint(&fresh, at(6)));
        assert_eq!(fingerprint(&used, at(7)), fingerprint(&fresh, at(7)));
        // It counts how long it is until then, not when it is.
        let (mut later, _) = network(fifo());
        later.keep_order((P0, P1), Route::Arrives(at(8), None));
        assert_eq!(fingerprint(&used, at(6)), fingerprint(&later, at(7)));
        assert_ne!(fingerprint(&used, at(6)), fingerprint(&later, at(6)));
    }

    #[test]
    fn among_the_well_only_a_synchronous_network_keeps_the_bound() {
        let slow = Duration::from_millis(90);
        let delay = Delay::Uniform(DurationRange::constant(slow));
        let config = NetworkConfig {
            default: Link { delay, ..Link::default() },
            bound: Duration::from_millis(10),
            ..NetworkConfig::default()
        };
        let arrives = |is_synchronous, to: u32| {
            let mut network = Network::new(&config);
            network.end_faults([P0, P1].into_iter().collect(), is_synchronous);
            let mut rng = Rng::new(1, Stream::Network);
            network.route(P0, ProcessId(to), Instant::ZERO, Duration::ZERO, &mut rng)
        };
        let at = |after| Route::Arrives(Instant::ZERO + after, None);
        assert_eq!(arrives(true, 1), at(Duration::from_millis(10)));
        assert_eq!(arrives(true, 2), at(slow));
        assert_eq!(arrives(false, 1), at(slow));
    }

    #[test]
    fn after_stabilisation_all_arrives_within_the_bound() {
        let config = NetworkConfig {
            default: Link {
                delay: Delay::Uniform(DurationRange {
                    min: Duration::from_millis(1),
                    max: Duration::from_secs(10),
                }),
                loss: Loss::Independent(percent(50)),
                ..Link::default()
            },
            overrides: Vec::new(),
            stabilise_at: Some(Instant::ZERO + Duration::from_secs(1)),
            bound: Duration::from_millis(5),
        };
        let mut network = Network::new(&config);
        let mut rng = Rng::new(1, Stream::Network);
        for ms in 0..2_000 {
            let now = Instant::ZERO + Duration::from_millis(ms);
            let latest = now.max(config.stabilise_at.unwrap()) + config.bound;
            match route(&mut network, P0, now, &mut rng) {
                Route::Arrives(at, None) => assert!(at <= latest),
                other => assert!(ms < 1_000, "{other:?} at {now}"),
            }
        }
    }

    #[test]
    fn cuts_have_their_shape() {
        let p = |i| ProcessId(i);
        let groups = Cut::Groups(vec![vec![p(0)], vec![p(1), p(2)]]);
        assert!(groups.cuts(p(0), p(1)) && groups.cuts(p(1), p(0)) && groups.cuts(p(1), p(3)));
        assert!(!groups.cuts(p(1), p(2)) && !groups.cuts(p(3), p(4)));
        let one_way = Cut::OneWay { from: vec![p(0)], to: vec![p(1)] };
        assert!(one_way.cuts(p(0), p(1)) && !one_way.cuts(p(1), p(0)));
        let links = Cut::Links(vec![(p(2), p(1))]);
        assert!(links.cuts(p(2), p(1)) && !links.cuts(p(1), p(2)));
    }

    #[test]
    fn an_override_touches_its_link_alone() {
        let slow = Link {
            delay: Delay::Uniform(DurationRange::constant(Duration::from_secs(1))),
            ..Link::default()
        };
        let config =
            NetworkConfig { overrides: vec![((P0, P1), slow)], ..NetworkConfig::default() };
        let mut network = Network::new(&config);
        let mut rng = Rng::new(1, Stream::Network);
        let second = Instant::ZERO + Duration::from_secs(1);
        let arrives = Route::Arrives(second, None);
        assert_eq!(route(&mut network, P0, Instant::ZERO, &mut rng), arrives);
        assert_ne!(route(&mut network, P1, Instant::ZERO, &mut rng), arrives);
    }

    #[test]
    fn a_narrow_link_carries_one_message_after_the_other() {
        let mut network = network(Link::default()).0;
        let ms = Duration::from_millis;
        // 1,000 bytes at 100,000 bytes per second take 10 ms.
        let mut waits = |at| network.queue((P0, P1), 100_000, 1_000, Instant::ZERO + ms(at));
        assert_eq!(
            [waits(0), waits(0), waits(5), waits(100)].map(|w| w),
            [ms(10), ms(20), ms(25), ms(10)]
        );
    }

    #[test]
    fn in_a_ring_of_majorities_each_sees_one_and_no_two_the_same() {
        for n in 4..12u32 {
            let all: Vec<ProcessId> = (0..n).map(ProcessId).collect();
            let ring = Cut::RingOfMajorities(all.clone());
            let seen = |p| all.iter().filter(|q| !ring.cuts(**q, p)).copied().collect::<Vec<_>>();
            let sights: BTreeSet<_> = all.iter().map(|p| seen(*p)).collect();
            assert!(sights.iter().all(|sight| sight.len() > n as usize / 2), "n = {n}");
            assert_eq!(sights.len(), n as usize, "n = {n}");
        }
    }
}
