//! How long five servers of Raft have no leader after a crash, for election timeouts of several
//! widths: `elections [TRIALS [FILE]]`. Prints a table in Markdown, and draws the distributions to
//! FILE, as SVG.
//!
//! After Ongaro and Ousterhout (2014), *In search of an understandable consensus algorithm*
//! (extended version), section 9.3 and figure 16; Ongaro (2014), *Consensus: bridging theory and
//! practice*, chapter 9. As there, the leader crashes at a random time of its heartbeat interval,
//! which is half of the shortest election timeout. Unlike there, all logs are equal, so that every
//! server can be elected. The first leader is there before the others. The time without a leader
//! ends when another one leads.

use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ftsim::Catalogue;
use ftsim::run::record;
use ftsim::scenario::Scenario;
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::rng::Rng;
use ftsim_core::{Duration, Instant};

/// When the leader crashes, at the earliest; a trial in which nobody leads by then does not count.
const CRASH: Duration = Duration::from_millis(5_000);
/// How long the trials go on after that; whoever has no leader by then is said to take longer.
const PATIENCE: Duration = Duration::from_millis(20_000);

/// One line of the table.
struct Line {
    network: &'static str,
    /// The one-way delay.
    delay: &'static str,
    /// The shortest and the longest election timeout, in milliseconds.
    timeout: [u64; 2],
}

const LAN: &str = "7ms..8ms";
const WAN: &str = "30ms..40ms";

const fn line(network: &'static str, delay: &'static str, timeout: [u64; 2]) -> Line {
    Line { network, delay, timeout }
}

const LINES: [Line; 16] = [
    line("LAN", LAN, [150, 150]),
    line("LAN", LAN, [150, 151]),
    line("LAN", LAN, [150, 155]),
    line("LAN", LAN, [150, 175]),
    line("LAN", LAN, [150, 200]),
    line("LAN", LAN, [150, 300]),
    line("LAN", LAN, [12, 24]),
    line("LAN", LAN, [25, 50]),
    line("LAN", LAN, [50, 100]),
    line("LAN", LAN, [100, 200]),
    line("WAN", WAN, [300, 300]),
    line("WAN", WAN, [300, 310]),
    line("WAN", WAN, [300, 350]),
    line("WAN", WAN, [300, 400]),
    line("WAN", WAN, [300, 600]),
    line("WAN", WAN, [600, 1200]),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let trial_count: u64 = arguments.next().map_or(1_000, |n| n.parse().expect("a number"));
    let file = arguments.next();
    let head = ["network", "election timeout", "trials", "shortest"];
    let rest = ["half within", "mean", "99 % within", "longest"];
    println!("| {} | {} |", head.join(" | "), rest.join(" | "));
    println!("|---|---|--:|--:|--:|--:|--:|--:|");
    let mut measured = Vec::new();
    for line in &LINES {
        let times = times(line, trial_count);
        println!("| {} | {} |", line.network, row(line, &times));
        measured.push((line, times));
    }
    if let Some(file) = file {
        fs::write(file, drawing(&measured)).expect("a file that can be written");
    }
}

fn row(line: &Line, times: &[Duration]) -> String {
    let [min, max] = line.timeout;
    if times.is_empty() {
        return format!("{min}–{max} ms | 0 | | | | | ");
    }
    let within = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
    let sum: u128 = times.iter().map(|time| u128::from(time.as_nanos())).sum();
    let mean = Duration::from_nanos(u64::try_from(sum / times.len() as u128).unwrap_or(u64::MAX));
    let figures = [within(0), within(50), mean, within(99), within(100)];
    let figures = figures.map(|time| match time >= PATIENCE {
        true => format!("over {} s", PATIENCE.as_nanos() / 1_000_000_000),
        false => format!("{} ms", time.as_nanos() / 1_000_000),
    });
    format!("{min}–{max} ms | {} | {}", times.len(), figures.join(" | "))
}

/// How long there was no leader in each trial, from the shortest to the longest.
fn times(line: &Line, trial_count: u64) -> Vec<Duration> {
    let next = AtomicU64::new(1);
    let times = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > trial_count {
                        return;
                    }
                    let time = time(line, seed);
                    times.lock().expect("no thread panics").extend(time);
                }
            });
        }
    });
    let mut times = times.into_inner().expect("no thread panics");
    times.sort_unstable();
    times
}

/// How long there is no leader in one trial; `None` if there was none to crash.
fn time(line: &Line, seed: u64) -> Option<Duration> {
    let [min, max] = line.timeout;
    let heartbeat = Duration::from_millis(min).as_nanos() / 2;
    let phase = Rng::from_bits(seed).below(heartbeat);
    let crash = Instant::ZERO + CRASH + Duration::from_nanos(phase);
    let text = format!(
        r#"
        protocol  = "raft"
        processes = {{ server = 5, client = 0 }}
        [params]
        election_timeout = "{min}ms..{max}ms"
        heartbeat        = "{heartbeat}ns"
        [network]
        delay = "{}"
        [[fault]] # so that somebody leads at first, even without randomness
        at    = "1s"
        start = ["p1", "p2", "p3", "p4"]
        [[fault]]
        at    = "{}"
        crash = "leader"
        [run]
        horizon = "{}"
        "#,
        line.delay,
        crash.since(Instant::ZERO),
        CRASH + PATIENCE + Duration::from_millis(1_000),
    );
    let catalogue = Catalogue::builtin();
    let scenario = Scenario::parse("election.toml", &text, &catalogue).expect("a scenario");
    let (_, trace) = record(&scenario, seed).expect("a run");
    let is_led = |what: &TraceEvent| matches!(what, TraceEvent::Indicate { leads: Some(true), .. });
    let mut elected = trace.entries.iter().filter(|entry| is_led(&entry.what)).peekable();
    elected.next_if(|entry| entry.at <= crash)?;
    let next = elected.find(|entry| entry.at > crash);
    Some(next.map_or(PATIENCE, |entry| entry.at.since(crash)))
}

/// Width and height of a plot, and the space around it, in pixels.
const PLOT: [f64; 2] = [420.0, 260.0];
const MARGIN: [f64; 2] = [60.0, 40.0];
/// The ends of the axis of times, in seconds; it is logarithmic.
const SECONDS: [f64; 2] = [0.01, 20.0];
const COLOURS: [&str; 6] = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"];

/// The distributions, in a plot for each network and series of timeouts.
fn drawing(measured: &[(&Line, Vec<Duration>)]) -> String {
    let plots = [("LAN: width of the range", 0..6), ("LAN: length", 6..10), ("WAN", 10..16)];
    let height = PLOT[1] + 2.0 * MARGIN[1];
    let (width, total) = (PLOT[0] + 3.0 * MARGIN[0] + 60.0, height * plots.len() as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {total}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, (title, lines)) in plots.into_iter().enumerate() {
        let top = height * number as f64 + MARGIN[1];
        draw_axes(&mut svg, title, top);
        for (nth, ((line, times), colour)) in measured[lines].iter().zip(COLOURS).enumerate() {
            draw_line(&mut svg, times, colour, top);
            let (x, y) = (MARGIN[0] + PLOT[0] + 12.0, top + 16.0 * (nth as f64 + 1.0));
            let [min, max] = line.timeout;
            let name = format!("{min}–{max} ms");
            let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{name}</text>");
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where this many seconds are.
fn x(seconds: f64) -> f64 {
    let [low, high] = SECONDS.map(f64::ln);
    MARGIN[0] + PLOT[0] * ((seconds.ln() - low) / (high - low)).clamp(0.0, 1.0)
}

fn draw_axes(svg: &mut String, title: &str, top: f64) {
    let (left, bottom, right) = (MARGIN[0], top + PLOT[1], MARGIN[0] + PLOT[0]);
    let above = top - 8.0;
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"{above}\" font-weight=\"bold\">{title}</text>");
    for (seconds, label) in [(0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s"), (10.0, "10 s")] {
        let at = x(seconds);
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 16.0
        );
    }
    for percent in [0, 25, 50, 75, 100] {
        let at = bottom - PLOT[1] * f64::from(percent) / 100.0;
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            left - 6.0,
            at + 4.0
        );
    }
}

/// The share of trials that had a leader again within each time.
fn draw_line(svg: &mut String, times: &[Duration], colour: &str, top: f64) {
    let bottom = top + PLOT[1];
    let mut points = String::new();
    for percent in (1..=100).filter(|_| !times.is_empty()) {
        let time = times[(times.len() * percent).div_ceil(100) - 1];
        if time >= PATIENCE {
            break;
        }
        let at = (x(time.as_nanos() as f64 / 1e9), bottom - PLOT[1] * percent as f64 / 100.0);
        let _ = write!(points, "{:.1},{:.1} ", at.0, at.1);
    }
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        points.trim_end()
    );
}
