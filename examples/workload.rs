//! Runs one of the workloads of the benches once, for tools that look at it from outside:
//! `workload w1 [DELIVERIES [SEEDS]]`, the deliveries being spread over the seeds, or, as a bare
//! loop, `workload w1 DELIVERIES bare`. Prints how many deliveries there were, the digest, and the
//! memory at its highest.

#[path = "../benches/load/mod.rs"]
#[expect(dead_code, reason = "the benches need more of it")]
mod load;

use std::fs;
use std::process::ExitCode;

use load::{LOADS, Load};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let Some(mut load) = LOADS.into_iter().find(|load| load.name == name) else {
        eprintln!("usage: workload w1|w2|w3|w4 [DELIVERIES [SEEDS|bare]]");
        return ExitCode::FAILURE;
    };
    let deliveries = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(load.deliveries);
    if arguments.get(2).is_some_and(|word| word == "bare") {
        println!("{} {deliveries} bare", load.run_bare(deliveries));
    } else {
        load.seeds = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(load.seeds);
        run(&load, deliveries);
    }
    ExitCode::SUCCESS
}

fn run(load: &Load, deliveries: u64) {
    let mut runner = load.prepare(deliveries);
    let (count, digest) = load.run(&mut *runner);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("memory unknown");
    println!("{count} deliveries, digest {digest}, {memory}");
}
