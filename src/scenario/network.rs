//! `[network]`: links and their delays.

use ftsim_core::environment::delay::Delay;
use ftsim_core::environment::network::{Link, Loss, NetworkConfig, Order};
use ftsim_core::{Duration, Instant, Probability, Timing};

use super::file;
use super::names::Names;
use super::problems::{Problems, quoted};
use crate::scenario::file::{DelayFile, DelayTable, NetworkFile};

/// More overridden links than this are refused.
const OVERRIDE_COUNT_MAX: usize = 1_000_000;

/// All links, as `[network]` says.
pub fn network(
    problems: &mut Problems<'_>,
    names: &Names<'_>,
    horizon: Instant,
    timing: Timing,
    network: &NetworkFile,
) -> NetworkConfig {
    let NetworkFile { stabilise_at, bound, link: links, .. } = network;
    let fields = Fields {
        delay: &network.delay,
        loss: &network.loss,
        duplicate: network.duplicate,
        order: network.order,
        bandwidth: network.bandwidth,
        corrupt: network.corrupt,
    };
    let default = link(problems, "network", &fields, &Link::default());
    let stabilise_at = stabilise_at.map(|at| Instant::ZERO + at);
    if stabilise_at.is_some_and(|at| at > horizon) {
        let after = format!("after the horizon ({horizon})");
        problems.value("network.stabilise_at", format!("the network stabilises {after}"));
    }
    let bound = bound.unwrap_or_else(|| default.delay.longest());
    if timing == Timing::Synchronous {
        keeps_bound(problems, "network", &default, bound);
    }
    let mut overrides = Vec::new();
    for (index, special) in links.iter().enumerate() {
        let path = format!("network.link[{index}]");
        let file::LinkFile { from, to, delay, loss, duplicate, order, bandwidth, corrupt } =
            special;
        let fields = Fields {
            delay,
            loss,
            duplicate: *duplicate,
            order: *order,
            bandwidth: *bandwidth,
            corrupt: *corrupt,
        };
        let link = link(problems, &path, &fields, &default);
        if timing == Timing::Synchronous && delay.is_some() {
            keeps_bound(problems, &path, &link, bound);
        }
        let from = names.many(problems, &format!("{path}.from"), from);
        let to = names.many(problems, &format!("{path}.to"), to);
        let (Some(from), Some(to)) = (from, to) else { continue };
        if overrides.len() + from.len() * to.len() > OVERRIDE_COUNT_MAX {
            problems.value(&path, format!("more than {OVERRIDE_COUNT_MAX} special links"));
            break;
        }
        let before = overrides.len();
        for p in &from {
            let others = to.iter().filter(|q| *q != p);
            overrides.extend(others.map(|q| ((*p, *q), link.clone())));
        }
        if overrides.len() == before {
            problems
                .value(&path, "not a link: it leads from a process to itself")
                .help("a process's messages to itself always arrive at once");
        }
    }
    NetworkConfig { default, overrides, stabilise_at, bound }
}

/// Refuses a delay beyond the bound that a synchronous protocol counts on.
fn keeps_bound(problems: &mut Problems<'_>, path: &str, link: &Link, bound: Duration) {
    let longest = link.delay.longest();
    if longest > bound {
        problems
            .value(&format!("{path}.delay"), format!("messages could take {longest}"))
            .label(format!("the protocol is synchronous, with a bound of {bound}"))
            .help("write a [[fault]] with `late` for messages that break the bound");
    }
}

/// What a link can say of itself.
struct Fields<'a> {
    delay: &'a Option<DelayFile>,
    loss: &'a Option<file::Loss>,
    duplicate: Option<f64>,
    order: Option<file::Order>,
    bandwidth: Option<file::Rate>,
    corrupt: Option<f64>,
}

fn link(problems: &mut Problems<'_>, path: &str, fields: &Fields<'_>, default: &Link) -> Link {
    let mut link = default.clone();
    if let Some(delay) = fields.delay {
        link.delay = shape(problems, &format!("{path}.delay"), delay);
    }
    if let Some(given) = fields.loss {
        link.loss = loss(problems, &format!("{path}.loss"), given);
    }
    if let Some(p) = fields.duplicate {
        link.duplicate = probability(problems, &format!("{path}.duplicate"), p);
    }
    match fields.order {
        Some(file::Order::Any) => link.order = Order::Any,
        Some(file::Order::Fifo) => link.order = Order::Fifo,
        None => {}
    }
    if let Some(rate) = fields.bandwidth {
        link.bandwidth = Some(rate.bytes);
    }
    if let Some(p) = fields.corrupt {
        link.garble = probability(problems, &format!("{path}.corrupt"), p);
    }
    link
}

fn loss(problems: &mut Problems<'_>, path: &str, loss: &file::Loss) -> Loss {
    match loss {
        file::Loss::Independent(p) => Loss::Independent(probability(problems, path, *p)),
        file::Loss::Bursts(bursts) => {
            let mut p = |key: &str, p| probability(problems, &format!("{path}.burst.{key}"), p);
            Loss::Burst {
                enter: p("enter", bursts.burst.enter),
                leave: p("leave", bursts.burst.leave),
                loss: p("loss", bursts.burst.loss),
            }
        }
    }
}

/// A number from 0 to 1.
pub fn probability(problems: &mut Problems<'_>, path: &str, p: f64) -> Probability {
    Probability::new(p).unwrap_or_else(|| {
        problems
            .value(path, format!("{p} is not a probability"))
            .label("expected a number in 0..=1");
        Probability::NEVER
    })
}

fn shape(problems: &mut Problems<'_>, path: &str, delay: &DelayFile) -> Delay {
    match delay {
        DelayFile::Range(range) => Delay::Uniform(*range),
        DelayFile::Table(table) => shaped(problems, path, table).unwrap_or_default(),
    }
}

/// The table's one shape with exactly its own parameters.
fn shaped(problems: &mut Problems<'_>, path: &str, table: &DelayTable) -> Option<Delay> {
    let shapes = [
        ("exponential", table.exponential.is_some(), None),
        ("normal", table.normal.is_some(), Some("deviation")),
        ("log_normal", table.log_normal.is_some(), Some("sigma")),
        ("pareto", table.pareto.is_some(), Some("alpha")),
        ("empirical", table.empirical.is_some(), None),
    ];
    let given: Vec<_> = shapes.iter().filter(|(_, given, _)| *given).collect();
    let (shape, needs) = match given.as_slice() {
        [(shape, _, needs)] => (*shape, *needs),
        [] => {
            let names = shapes.map(|(name, ..)| name);
            problems
                .value(path, "this delay has no shape")
                .label(format!("expected one of {}", quoted(&names)));
            return None;
        }
        [(first, ..), (second, ..), ..] => {
            let message = format!("this delay has two shapes, `{first}` and `{second}`");
            problems.key(&format!("{path}.{second}"), message).help("leave one of them out");
            return None;
        }
    };
    let parameters = [
        ("deviation", table.deviation.is_some()),
        ("sigma", table.sigma.is_some()),
        ("alpha", table.alpha.is_some()),
        ("cap", table.cap.is_some()),
    ];
    let mut sound = true;
    for (name, given) in parameters {
        let wanted = needs == Some(name) || (name == "cap" && shape != "empirical");
        if given && !wanted {
            let message = format!("`{name}` does not apply to `{shape}`");
            problems.key(&format!("{path}.{name}"), message);
            sound = false;
        }
        if needs == Some(name) && !given {
            problems.value(path, format!("`{shape}` needs a `{name}`"));
            sound = false;
        }
    }
    for (name, number) in [("sigma", table.sigma), ("alpha", table.alpha)] {
        if number.is_some_and(|number| number <= 0.0) {
            problems.value(&format!("{path}.{name}"), format!("`{name}` must be more than 0"));
            sound = false;
        }
    }
    if let Some(quantiles) = &table.empirical {
        sound &= are_quantiles(problems, &format!("{path}.empirical"), quantiles);
        return sound.then(|| Delay::Empirical(quantiles.clone()));
    }
    let first = [table.exponential, table.normal, table.log_normal, table.pareto];
    let first = first.into_iter().flatten().next()?;
    if first == Duration::ZERO {
        let message = format!("`{shape}` needs a duration above 0");
        problems.value(&format!("{path}.{shape}"), message).help("write \"0ms\" for no delay");
        sound = false;
    }
    let cap = table.cap.unwrap_or_else(|| first.times(100));
    if cap < first {
        let message = format!("the cap ({cap}) is shorter than `{shape}` ({first})");
        problems.value(&format!("{path}.cap"), message);
        sound = false;
    }
    let deviation = table.deviation.unwrap_or_default();
    let (sigma, alpha) = (table.sigma.unwrap_or_default(), table.alpha.unwrap_or_default());
    sound.then_some(match shape {
        "exponential" => Delay::Exponential { mean: first, cap },
        "normal" => Delay::Normal { mean: first, deviation, cap },
        "log_normal" => Delay::LogNormal { median: first, sigma, cap },
        _ => Delay::Pareto { min: first, alpha, cap },
    })
}

fn are_quantiles(problems: &mut Problems<'_>, path: &str, pairs: &[(f64, Duration)]) -> bool {
    let wrong = |pair: &[(f64, Duration)]| pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1;
    if let Some(index) = pairs.iter().position(|(q, _)| !(*q > 0.0 && *q <= 1.0)) {
        problems
            .value(&format!("{path}[{index}][0]"), "this is no quantile")
            .label("expected a number above 0, at most 1");
    } else if let Some(index) = pairs.windows(2).position(wrong) {
        problems
            .value(&format!("{path}[{}]", index + 1), "quantiles and delays must ascend")
            .label("not greater than the previous pair");
    } else if pairs.last().is_none_or(|(q, _)| *q < 1.0) {
        let path = match pairs.len() {
            0 => path.to_owned(),
            count => format!("{path}[{}]", count - 1),
        };
        problems.value(&path, "the last quantile must be 1");
    } else {
        return true;
    }
    false
}
