//! Sweeps as JUnit XML, which every CI service supports: a suite for each scenario, a test case for
//! each property that held and for each example of a failure.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::foreign::line;
use crate::layout::counted;
use crate::scenario::SurpriseKind;
use crate::sweep::{GroupRow, SweepReport};

/// Writes the sweeps; `results` is the folder of all results.
///
/// An expected violation is a success. Of each group of failures, the examples are test cases, with
/// the size of the group.
///
/// # Errors
/// Errors of `out`.
pub fn write_junit(out: impl Write, reports: &[SweepReport], results: &str) -> io::Result<()> {
    let mut junit = Report::new("ftsim");
    for report in reports {
        junit.add_test_suite(suite(report, results));
    }
    junit.serialize(out).map_err(io::Error::other)
}

fn suite(report: &SweepReport, results: &str) -> TestSuite {
    let mut suite = TestSuite::new(line(&report.name).as_ref());
    let mut case = |name: &str, failure: Option<(&str, &str, String)>| {
        let status = match failure {
            None => TestCaseStatus::success(),
            Some((kind, message, body)) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type(kind).set_message(line(message)).set_description(body);
                status
            }
        };
        let mut case = TestCase::new(line(name).as_ref(), status);
        case.set_classname(line(&report.name));
        suite.add_test_case(case);
    };
    let unexpected: Vec<&GroupRow> = report.groups.iter().filter(|g| !g.expected).collect();
    for row in &report.rates {
        let name = row.property.0;
        let fails = |subject: &str| subject == name;
        if !unexpected.iter().any(|group| fails(&group.property))
            && !report.scenario.surprises.iter().any(|surprise| fails(&surprise.subject))
        {
            case(name, None);
        }
    }
    for group in unexpected {
        for example in &group.examples {
            let seed = example.seed;
            let point = example.crash_point.as_ref();
            let point = point.map(|p| format!(", crash point {p}")).unwrap_or_default();
            let body = format!(
                "{}\nseed {seed}{point}; {} of {} failed alike\nreplay: {}",
                line(&example.message),
                counted(group.runs, "run"),
                line(&report.scenario.file),
                line(&report.replay(results, example)),
            );
            let kind = if group.property == "panicked" { "panicked" } else { "violated" };
            case(&group.property, Some((kind, &example.message, body)));
        }
    }
    for surprise in &report.scenario.surprises {
        // The examples already cover these.
        let kind = match surprise.kind {
            SurpriseKind::Panicked | SurpriseKind::Violated => continue,
            SurpriseKind::Undecided => "undecided",
            _ => "unexpected",
        };
        let (message, replay) = (line(&surprise.message), line(&surprise.replay));
        let body = format!("{message}\nreplay: {replay}");
        case(&surprise.subject, Some((kind, &surprise.message, body)));
    }
    for row in &report.scenario.regressions {
        let name = format!("regression seed {}", row.seed);
        let message = format!("violates {}, as it once did", row.now.join(", "));
        let body = format!("{}\nreplay: {}", line(&message), line(&row.replay));
        let regressed = !row.now.is_empty();
        case(&name, regressed.then_some(("regression", message.as_str(), body)));
    }
    suite
}
