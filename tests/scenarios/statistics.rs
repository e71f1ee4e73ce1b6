//! Guards claims about all runs together: true ones are confirmed, false ones refuted, and what
//! too few runs cannot tell is open; in shards as in one piece.

use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim::scenario::statistic::{Measure, Quantity, Statistic};
use ftsim::sweep::results::BlockLine;
use ftsim::sweep::tally::Tally;
use ftsim::sweep::{self, Block, judge};
use ftsim_core::PropertyId;
use ftsim_reports::{Judgement, ScenarioReport, SeedRange, SurpriseKind};

use crate::shipped;

/// Six processes elect the one with the greatest drawn id: 6 (1 + 1/2 + … + 1/6) = 14.7 messages
/// on average, and 6 announcements.
fn election(claims: &str) -> Scenario {
    let text = format!(
        "protocol = \"chang-roberts\"\nprocesses = 6\nworkload.at = \"0ms\"\nrun.seeds = 3000\n\
         network.delay = \"1ms\"\n{claims}"
    );
    Scenario::parse("mean.toml", &text, &Catalogue::builtin()).expect("a good scenario")
}

fn judged(claims: &str, seeds: u64) -> (Vec<Judgement>, ScenarioReport) {
    let scenario = election(claims);
    let tally = sweep::sweep(&scenario, 0..seeds, 2, &|_| {}).expect("the runs are made");
    let report = judge::report(&scenario, SeedRange::from(0..seeds), &tally);
    (report.statistics.iter().map(|row| row.judgement).collect(), report)
}

#[test]
fn the_mean_of_the_paper_is_confirmed_and_others_are_refuted() {
    let claim = |least: f64, most: f64| {
        format!(
            "[[expect.statistic]]\nmean = \"messages\"\nat_least = {least}\nat_most = {most}\n\
             confidence = 0.999\n"
        )
    };
    // n log2 n, n², and the mean with the wrong harmonic number.
    let claims = [claim(20.4, 21.0), claim(21.4, 21.6), claim(36.0, 36.0), claim(18.5, 19.9)];
    let (judgements, report) = judged(&claims.join(""), 3_000);
    use Judgement::{Confirmed, Open, Refuted};
    assert_eq!(judgements, [Confirmed, Refuted, Refuted, Refuted]);
    assert!(!report.as_expected && !report.is_only_undecided());
    let kinds: Vec<SurpriseKind> = report.surprises.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [SurpriseKind::Refuted; 3]);
    let (judgements, report) = judged(&claims[0], 29);
    assert_eq!(judgements, [Open]);
    assert!(!report.as_expected && report.is_only_undecided());
    let (judgements, report) = judged(&claims[0], 3_000);
    assert_eq!(judgements, [Confirmed]);
    assert!(report.as_expected);
}

/// Best-effort broadcast is no reliable broadcast: where its sender crashes on the way, some
/// deliver and others do not.
#[test]
fn a_property_that_holds_in_some_runs_has_a_share() {
    let text = |least: f64| {
        format!(
            "protocol = \"beb\"\nprocesses = 4\ncheck = [\"rb.agreement\"]\n\
             [workload]\nsenders = [\"p0\"]\n\
             [random]\nmax_faulty = 1\ncrash = {{ count = 1, between = \"0ms..4ms\" }}\n\
             [[expect.statistic]]\nshare = \"rb.agreement\"\nat_least = {least}\n"
        )
    };
    let report = |least: f64, seeds: u64| {
        let catalogue = Catalogue::builtin();
        let scenario = Scenario::parse("share.toml", &text(least), &catalogue).expect("a scenario");
        let tally = sweep::sweep(&scenario, 0..seeds, 1, &|_| {}).expect("the runs are made");
        let counts = &tally.properties[&PropertyId("rb.agreement")];
        assert!(counts.violated > 0 && counts.held > 0, "{counts:?}");
        judge::report(&scenario, SeedRange::from(0..seeds), &tally)
    };
    let good = report(0.5, 500);
    assert!(good.as_expected, "{:?}", good.surprises);
    assert!(good.properties.iter().any(|row| row.violated > 0 && row.violation_expected));
    let bad = report(0.999, 500);
    assert_eq!(bad.surprises[0].kind, SurpriseKind::Refuted);
}

#[test]
fn blocks_that_were_written_and_read_come_to_the_same() {
    let scenario = election("[[expect.statistic]]\nmean = \"steps\"\nat_least = 1\n");
    let whole = sweep::sweep(&scenario, 0..200, 1, &|_| {}).expect("the runs are made");
    let mut sum = Tally::default();
    for from in [0, 50, 100, 150] {
        let seeds = from..from + 50;
        let tally = sweep::sweep(&scenario, seeds.clone(), 1, &|_| {}).expect("the runs are made");
        let line = BlockLine::of(&Block { seeds, tally, failing: Vec::new() }, 0);
        let text = serde_json::to_string(&line).expect("JSON");
        let read: BlockLine = serde_json::from_str(&text).expect("as it was written");
        sum.append(read.tally(&scenario.checked));
    }
    assert_eq!(sum.moments, whole.moments);
}

/// The claim if its constant were `factor` times as great: for a coverage the share that is missed,
/// and never more than all.
fn moved(claim: &Statistic, factor: f64) -> Statistic {
    let scale = |bound: f64| match claim.of {
        Quantity::Mean(Measure::Property(PropertyId("gossip.coverage"))) => {
            1.0 - (1.0 - bound) * factor
        }
        _ => bound * factor,
    };
    let (one, other) = (scale(claim.least), scale(claim.most));
    Statistic { least: one.min(other), most: one.max(other), ..*claim }
}

/// Each shipped claim is narrow enough to say something.
#[test]
fn every_shipped_claim_is_confirmed_and_refuted_if_its_constant_is_a_tenth_off() {
    let mut scenarios = shipped::scenarios();
    scenarios.retain(|(_, scenario)| !scenario.expect.statistics.is_empty());
    assert!(scenarios.len() >= 12, "{}", scenarios.len());
    for (name, mut scenario) in scenarios {
        let seeds = scenario.seeds.clone();
        let tally = sweep::sweep(&scenario, seeds.clone(), 2, &|_| {}).expect("the runs are made");
        let claims = scenario.expect.statistics.clone();
        for (factor, expected) in
            [(1.0, Judgement::Confirmed), (1.1, Judgement::Refuted), (0.9, Judgement::Refuted)]
        {
            let claims = claims.iter().map(|claim| moved(claim, factor)).collect();
            scenario.expect.statistics = claims;
            let report = judge::report(&scenario, SeedRange::from(seeds.clone()), &tally);
            for row in &report.statistics {
                assert_eq!(row.judgement, expected, "{name}, {factor} times: {}: {row}", row.claim);
            }
        }
    }
}
