//! What a member knows of the others, and the news that it still passes on.

use std::collections::BTreeMap;

use ftsim_core::prelude::*;

/// The greatest number of news on one message.
const NEWS_COUNT_MAX: usize = 6;

/// What is known of a member, in the order in which it wins with equal incarnation numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// It is trusted.
    Alive,
    /// It has not acknowledged a probe.
    Suspected,
    /// It is out, for good.
    Confirmed,
}

/// News of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Update {
    pub member: ProcessId,
    pub incarnation: u64,
    pub standing: Standing,
}

impl Update {
    pub const fn suspects(member: ProcessId, incarnation: u64) -> Self {
        Self { member, incarnation, standing: Standing::Suspected }
    }

    pub const fn confirms(member: ProcessId) -> Self {
        Self { member, incarnation: 0, standing: Standing::Confirmed }
    }

    /// Whether it wins over `other`, about the same member.
    fn overrides(&self, other: &Self) -> bool {
        let rank = |update: &Self| match update.standing {
            Standing::Confirmed => (true, 0, Standing::Confirmed),
            standing => (false, update.incarnation, standing),
        };
        rank(self) > rank(other)
    }
}

/// The latest news of all members.
#[derive(Clone, Debug, Hash)]
pub struct News {
    n: u32,
    /// The latest news of each member of which there was any.
    latest: BTreeMap<ProcessId, Update>,
    /// How often the latest news of a member will still be sent; never zero.
    left: BTreeMap<ProcessId, u32>,
    /// How often each news is sent.
    times: u32,
}

impl News {
    /// No news, each of which is sent `lambda` times ⌈log2 n⌉.
    pub fn new(n: u32, lambda: u32) -> Self {
        let times = lambda.saturating_mul(n.next_power_of_two().ilog2());
        Self { n, latest: BTreeMap::new(), left: BTreeMap::new(), times }
    }

    pub fn about(&self, member: ProcessId) -> Update {
        let unheard = Update { member, incarnation: 0, standing: Standing::Alive };
        self.latest.get(&member).copied().unwrap_or(unheard)
    }

    /// Takes `update` for the latest news of its member and passes it on, if it wins; otherwise
    /// returns false.
    pub fn learn(&mut self, update: Update) -> bool {
        let is_later = update.member.0 < self.n && update.overrides(&self.about(update.member));
        if is_later {
            self.spread(update);
        }
        is_later
    }

    /// Passes `update` on.
    pub fn spread(&mut self, update: Update) {
        self.latest.insert(update.member, update);
        if self.times > 0 {
            self.left.insert(update.member, self.times);
        }
    }

    /// The news for one message: those that were sent least often.
    pub fn take(&mut self) -> Vec<Update> {
        let mut freshest: Vec<_> = self.left.iter().map(|(p, left)| (*left, *p)).collect();
        freshest.sort_by(|(a, p), (b, q)| b.cmp(a).then(p.cmp(q)));
        freshest.truncate(NEWS_COUNT_MAX);
        for (left, p) in &freshest {
            match left {
                1 => drop(self.left.remove(p)),
                _ => drop(self.left.insert(*p, left - 1)),
            }
        }
        freshest.into_iter().map(|(_, p)| self.about(p)).collect()
    }
}
