//! What the benches run: the workloads W1 to W4 of `docs/performance.md`, each on ftsim through its
//! public interface and as a bare loop, which is the floor.

mod bare;
pub mod broadcast;
pub mod heartbeats;
pub mod ring;

use std::io::Write;

use ftsim_core::{Digest, Runner};

/// One workload.
pub struct Load {
    /// `w1` to `w4`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// How many deliveries make up the whole of it.
    pub deliveries: u64,
    /// On ftsim: a runner that stops after so many deliveries, or a few more.
    pub ftsim: fn(deliveries: u64) -> Runner,
    /// The same as a bare loop, with this seed; returns how many deliveries there were.
    pub bare: fn(seed: u64, deliveries: u64) -> u64,
    /// How many seeds it is made of; the deliveries are spread evenly over them.
    pub seeds: u64,
}

/// All workloads.
pub const LOADS: [Load; 4] = [
    Load {
        name: "w1",
        summary: "ring of 5, 64 tokens",
        deliveries: 2_000_000,
        ftsim: |deliveries| ring::simulation(64, deliveries),
        bare: |seed, deliveries| ring::bare(64, seed, deliveries),
        seeds: 1,
    },
    Load {
        name: "w2",
        summary: "eager-rb, 7 processes",
        deliveries: 1_000_000,
        ftsim: broadcast::eager_rb,
        bare: broadcast::bare,
        seeds: 1,
    },
    Load {
        name: "w3",
        summary: "heartbeats, 9 processes",
        deliveries: 1_000_000,
        ftsim: heartbeats::simulation,
        bare: heartbeats::bare,
        seeds: 1,
    },
    Load {
        name: "w4",
        summary: "2,000 seeds, ring of 5, 5 tokens",
        deliveries: 2_000_000,
        ftsim: |deliveries| ring::simulation(5, deliveries),
        bare: |seed, deliveries| ring::bare(5, seed, deliveries),
        seeds: 2_000,
    },
];

impl Load {
    /// A runner for this many deliveries in all its seeds together.
    pub fn prepare(&self, deliveries: u64) -> Runner {
        (self.ftsim)(deliveries / self.seeds)
    }

    /// Runs all seeds on ftsim. Returns the deliveries, and the digest of the last seed.
    pub fn run(&self, runner: &mut Runner) -> (u64, Digest) {
        let mut digest = Digest::EMPTY;
        let mut deliveries = 0;
        for seed in 1..=self.seeds {
            let outcome = runner.run(seed);
            assert_eq!(outcome.panicked, None, "{} is no valid run", self.name);
            deliveries += outcome.statistics.delivered;
            digest = outcome.digest;
        }
        (deliveries, digest)
    }

    /// Runs all seeds on ftsim, and writes their records one behind the other. Returns the
    /// deliveries.
    pub fn record(&self, runner: &mut Runner, out: &mut dyn Write) -> u64 {
        let record = |seed| runner.record_to(seed, out).expect("the record can be written");
        (1..=self.seeds).map(record).map(|outcome| outcome.statistics.delivered).sum()
    }

    /// Runs all seeds as bare loops. Returns the deliveries.
    pub fn run_bare(&self, deliveries: u64) -> u64 {
        (1..=self.seeds).map(|seed| (self.bare)(seed, deliveries / self.seeds)).sum()
    }
}
