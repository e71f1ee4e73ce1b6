//! Runs one of the workloads of the benches once, for tools that look at it from outside:
//! `workload w1 [DELIVERIES [SEEDS]]`, the deliveries being spread over the seeds; as a bare loop,
//! `workload w1 DELIVERIES bare`; or with a record that is written to a file,
//! `workload w1 DELIVERIES FILE`. Prints how many deliveries there were, the digest, and the memory
//! at its highest.

#[expect(dead_code, reason = "the benches need more of it")]
mod load;

use std::fs::{self, File};
use std::process::ExitCode;

use load::{LOADS, Load};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("", String::as_str);
    let Some(mut load) = LOADS.into_iter().find(|load| load.name == name) else {
        eprintln!("usage: workload w1|w2|w3|w4 [DELIVERIES [SEEDS|bare|FILE]]");
        return ExitCode::FAILURE;
    };
    let deliveries = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(load.deliveries);
    let how = arguments.get(2).map(|word| (word.as_str(), word.parse()));
    match how {
        None => run(&load, deliveries),
        Some((_, Ok(seeds))) => {
            load.seeds = seeds;
            run(&load, deliveries);
        }
        Some(("bare", _)) => println!("{} {deliveries} bare", load.run_bare(deliveries)),
        Some((path, _)) => record(&load, deliveries, path),
    }
    ExitCode::SUCCESS
}

fn run(load: &Load, deliveries: u64) {
    let (count, digest) = load.run(&mut load.prepare(deliveries));
    println!("{count} deliveries, digest {digest}, {}", memory());
}

fn record(load: &Load, deliveries: u64, path: &str) {
    let mut file = File::create(path).expect("the file can be made");
    let count = load.record(&mut load.prepare(deliveries), &mut file);
    println!("{count} deliveries, {}", memory());
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("memory unknown").to_owned()
}
