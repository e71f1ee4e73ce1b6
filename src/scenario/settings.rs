//! The settings of a scenario as they take effect, in words and as JSON.

use std::collections::BTreeMap;

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::detector::{DetectorKind, NoticeDelay};
use ftsim_core::environment::network::{Link, Loss, Order};
use ftsim_core::environment::transport::{Guarantee, Heartbeat};
use ftsim_core::experiment::Ties;
use ftsim_core::fault::random::{RandomFaults, RandomKind};
use ftsim_reports::counted;
use serde_json::{Map, Value};

use super::Scenario;

/// Settings as they take effect: what each is called, and what it is.
pub type Effective = Vec<(&'static str, String)>;

/// Every setting of the scenario with its defaults filled in.
pub fn effective(scenario: &Scenario) -> Effective {
    let experiment = &scenario.experiment;
    let setting = &experiment.setting;
    let mut settings = Vec::new();
    let mut put = |name, value: String| settings.push((name, value));
    let mutant = setting.mutant.as_ref().map(|mutant| format!(", mutant {}", mutant.name));
    put(
        "protocol",
        format!("{} ({}){}", scenario.entry.name, scenario.entry.spec, mutant.unwrap_or_default()),
    );
    let mut first = 0;
    let roles = setting.roles.iter().map(|(role, count)| {
        let ids = match count {
            0 => "none".to_owned(),
            1 => format!("p{first}"),
            _ => format!("p{first}..p{}", first + count - 1),
        };
        first += count;
        format!("{} ({ids})", counted(u64::from(*count), role))
    });
    put("processes", roles.collect::<Vec<_>>().join(", "));
    put("params", object(&scenario.resolved.params));
    put("workload", object(&scenario.resolved.workload));
    let network = &experiment.network;
    let mut links = link(&network.default);
    links.push_str(&format!(", bound {}", network.bound));
    let transport = &experiment.transport;
    match transport.guarantee {
        Guarantee::Raw => {}
        guarantee => {
            let name = if guarantee == Guarantee::Reliable { "reliable" } else { "reliable-fifo" };
            links.push_str(&format!(", {name}, resends after {}", transport.resend_after));
        }
    }
    if let Some(at) = network.stabilise_at {
        links.push_str(&format!(", stable from {at}"));
    }
    put("network", links);
    for ((from, to), special) in network.overrides.iter().take(OVERRIDES_SHOWN) {
        put("link", format!("{from} -> {to}: {}", link(special)));
    }
    if let more @ 1.. = network.overrides.len().saturating_sub(OVERRIDES_SHOWN) {
        put("link", format!("and {more} more"));
    }
    let clocks = &experiment.clocks;
    let (slowest, fastest) = clocks.drift_ppm;
    put("clocks", format!("offset {}, drift {slowest}ppm..{fastest}ppm", clocks.offset));
    put("detector", detector(scenario));
    put(
        "storage",
        format!("sync latency {}, a crash {}", experiment.sync_latency, experiment.on_crash),
    );
    for row in faults(scenario) {
        put("fault", row);
    }
    for group in &experiment.fate_groups {
        put("fate", format!("{group} share theirs"));
    }
    for (number, rule) in (1..).zip(&experiment.overrides) {
        put("message", format!("{number}: {rule}"));
    }
    for (number, rule) in (1..).zip(&experiment.requests) {
        put("request", format!("{number}: {rule}"));
    }
    for (number, mask) in (1..).zip(&experiment.masks) {
        put("mask", format!("{number}: {mask} is not made"));
    }
    for draws in &experiment.draws {
        put("draw", draws.to_string());
    }
    if let Some(random) = &experiment.random {
        put("random", drawn(random));
    }
    if let Some(every) = &scenario.crash_points {
        let recovers = every.recover_after.map(|after| format!(", recovers after {after}"));
        put("random", format!("every single crash point{}", recovers.unwrap_or_default()));
    }
    if let Some(liveness) = experiment.liveness {
        put("liveness", format!("from {} on {}", liveness.at, liveness.mode));
    }
    let limits = &experiment.limits;
    let stop = if limits.stop_at_violation { ", stops at a violation" } else { "" };
    let ties = match experiment.ties {
        Ties::Sequence => "sequence",
        Ties::Drawn => "drawn",
    };
    put(
        "run",
        format!(
            "horizon {}, at most {} events, {} messages under way, ties {ties}{stop}",
            limits.horizon, limits.event_count_max, limits.pending_count_max,
        ),
    );
    settings
}

/// The faults of the plan, those of one `[[fault]]` in one row.
fn faults(scenario: &Scenario) -> Vec<String> {
    let experiment = &scenario.experiment;
    let mut rows: BTreeMap<usize, String> = BTreeMap::new();
    for (index, fault) in experiment.plan.faults.iter().enumerate() {
        let number = scenario.fault_origins.get(index).map_or(0, |origin| origin + 1);
        let choice = experiment.choices.iter().find(|choice| choice.faults.contains(&index));
        let text = match choice {
            None => fault.to_string(),
            Some(choice) if choice.faults.start == index => {
                format!("of {}, as here of one: {fault}", choice.of)
            }
            Some(_) => continue,
        };
        rows.entry(number)
            .and_modify(|row| row.push_str(&format!("; {text}")))
            .or_insert_with(|| format!("{number}: {text}"));
    }
    rows.into_values().collect()
}

/// Overridden links that are listed one by one.
const OVERRIDES_SHOWN: usize = 20;

fn object(value: &Value) -> String {
    let empty = Map::new();
    let pairs = value.as_object().unwrap_or(&empty).iter();
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key} = {value}")).collect();
    if pairs.is_empty() { "none".to_owned() } else { pairs.join(", ") }
}

fn link(link: &Link) -> String {
    let mut text = format!("delay {}", delay(&link.delay));
    match link.loss {
        Loss::Independent(p) if p == ftsim_core::Probability::NEVER => {}
        Loss::Independent(p) => text.push_str(&format!(", loss {p}")),
        Loss::Burst { enter, leave, loss } => {
            text.push_str(&format!(", loss {loss} in bursts (enter {enter}, leave {leave})"));
        }
    }
    if link.duplicate != ftsim_core::Probability::NEVER {
        text.push_str(&format!(", duplicates {}", link.duplicate));
    }
    if link.garble != ftsim_core::Probability::NEVER {
        text.push_str(&format!(", garbles {}", link.garble));
    }
    if link.order == Order::Fifo {
        text.push_str(", fifo");
    }
    if let Some(rate) = link.bandwidth {
        text.push_str(&format!(", {rate} bytes a second"));
    }
    text
}

fn delay(delay: &Delay) -> String {
    match delay {
        Delay::Uniform(range) => range.to_string(),
        Delay::Exponential { mean, cap } => format!("exponential {mean} (cap {cap})"),
        Delay::Normal { mean, deviation, cap } => {
            format!("normal {mean} (deviation {deviation}, cap {cap})")
        }
        Delay::LogNormal { median, sigma, cap } => {
            format!("log-normal {median} (sigma {sigma}, cap {cap})")
        }
        Delay::Pareto { min, alpha, cap } => format!("pareto {min} (alpha {alpha}, cap {cap})"),
        Delay::Empirical(quantiles) => {
            let pairs: Vec<_> = quantiles.iter().map(|(q, d)| format!("{q}: {d}")).collect();
            format!("empirical ({})", pairs.join(", "))
        }
    }
}

/// What is drawn from each seed.
fn drawn(random: &RandomFaults) -> String {
    let kind = |kind: &RandomKind| {
        let (count, between) = (kind.occurrence.count, kind.occurrence.between);
        let count = if count.min == count.max {
            count.min.to_string()
        } else {
            format!("{}..{}", count.min, count.max)
        };
        format!(", {count} {} between {between}", kind.what)
    };
    let kinds: String = random.kinds.iter().map(kind).collect();
    let swarm = if random.swarm { ", swarm" } else { "" };
    format!("at most {} faulty{kinds}{swarm}", random.faulty_count_max)
}

fn detector(scenario: &Scenario) -> String {
    let detector = &scenario.experiment.detector;
    let mut text = match detector.kind {
        DetectorKind::None => {
            let Some(heartbeat) = scenario.experiment.transport.heartbeat else {
                return "none".to_owned();
            };
            let Heartbeat { period, timeout, increment } = heartbeat;
            return format!("heartbeat, period {period}, timeout {timeout}, increment {increment}");
        }
        DetectorKind::Perfect => format!("perfect, delay {}", detector.delay),
        DetectorKind::Omega => format!("omega, delay {}", detector.delay),
    };
    if let Some(random) = &detector.random_mistakes {
        let (count, duration, until) = (random.count, random.duration, random.until);
        text.push_str(&format!(
            ", from {} to {} mistakes of {duration} each until {until}",
            count.min, count.max,
        ));
    }
    for mistake in &detector.mistakes {
        let until = mistake.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let (observer, suspects, at) = (mistake.observer, mistake.suspects, mistake.at);
        text.push_str(&format!(", {observer} wrongly suspects {suspects} from {at}{until}"));
    }
    for NoticeDelay { observer, subject, nth, delay } in &detector.notices {
        text.push_str(&format!(", notice {nth} of {subject} takes {delay} to {observer}"));
    }
    for (observer, subject) in &detector.blind {
        text.push_str(&format!(", {observer} never hears of {subject}"));
    }
    text
}
