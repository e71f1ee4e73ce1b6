//! Numbers of the literature beside those that were measured.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use crate::foreign::{Medium, foreign, line};
use crate::layout::Page;
use crate::statistic::{Interval, Judgement, Rounded, StatisticRow};
use crate::style::{BAD, GOOD, STRONG};

/// A number that the literature gives for a protocol, and its measurements.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredNumber {
    /// The protocol.
    pub protocol: String,
    /// What is counted.
    pub quantity: String,
    /// Its formula.
    pub formula: String,
    /// The source of the formula.
    pub source: String,
    /// The measurements, each in one run.
    pub cases: Vec<NumberCase>,
    /// The measurements over many runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<MeanCase>,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NumberCase {
    /// The setting: `n = 5, f = 2`.
    pub label: String,
    /// The value of the formula.
    pub stated: u64,
    /// The measured value.
    pub measured: u64,
}

/// A measurement over many runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanCase {
    /// The setting: `n = 5, f = 2`.
    pub label: String,
    /// The value of the formula.
    pub stated: f64,
    /// The measured value, and the judgement on the claim that it is near enough to the stated one.
    pub measured: StatisticRow,
}

impl MeasuredNumber {
    /// Whether each case is as stated, and there are some.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        let Self { cases, means, .. } = self;
        let are_confirmed =
            cases.iter().all(NumberCase::is_confirmed) && means.iter().all(MeanCase::is_confirmed);
        are_confirmed && !(cases.is_empty() && means.is_empty())
    }

    /// The cases on one line.
    pub(crate) fn cases_text(&self) -> String {
        let means = self.means.iter().map(MeanCase::text);
        let texts = self.cases.iter().map(NumberCase::text).chain(means);
        texts.collect::<Vec<_>>().join("; ")
    }
}

impl NumberCase {
    const fn is_confirmed(&self) -> bool {
        self.stated == self.measured
    }

    pub(crate) fn text(&self) -> String {
        let Self { label, stated, measured } = self;
        match self.is_confirmed() {
            true => format!("{label}: {measured}"),
            false => format!("{label}: {measured}, NOT {stated}"),
        }
    }
}

impl MeanCase {
    fn is_confirmed(&self) -> bool {
        self.measured.judgement == Judgement::Confirmed
    }

    /// `k = 2: 0.797 ± 0.001`, with the half-width of the interval.
    fn text(&self) -> String {
        let Self { label, stated, measured: StatisticRow { value, interval, judgement, .. } } =
            self;
        let Some(value) = value else { return format!("{label}: nothing, NOT {stated}") };
        let measured = match interval {
            Some(Interval { low, high }) => {
                format!("{} ± {}", Rounded(*value), Rounded((high - low) / 2.0))
            }
            None => Rounded(*value).to_string(),
        };
        match judgement {
            Judgement::Confirmed => format!("{label}: {measured}"),
            Judgement::Refuted => format!("{label}: {measured}, NOT {stated}"),
            Judgement::Open => format!("{label}: {measured}, perhaps not {stated}"),
        }
    }
}

const HEAD: [&str; 5] = ["protocol", "quantity", "formula", "measured", "source"];

/// Writes the numbers for a terminal, by protocol.
///
/// # Errors
/// Errors of `out`.
pub fn write_numbers(
    out: &mut impl Write,
    numbers: &[MeasuredNumber],
    page: Page,
) -> io::Result<()> {
    let plain = Style::new();
    let mut protocol = None;
    for number in numbers {
        if protocol.replace(&number.protocol) != Some(&number.protocol) {
            page.write_line(out, (STRONG, &line(&number.protocol)), "")?;
        }
        let (quantity, source) = (&number.quantity, &number.source);
        let stated = format!("{quantity}: {} ({source})", number.formula);
        page.write_line(out, (plain, "  "), &line(&stated))?;
        let verdict = match number.is_confirmed() {
            true => (GOOD, "    confirmed  "),
            false => (BAD, "    DIFFERS    "),
        };
        page.write_line(out, verdict, &line(&number.cases_text()))?;
    }
    Ok(())
}

/// Writes the numbers as a table in Markdown.
///
/// # Errors
/// Errors of `out`.
pub fn write_numbers_markdown(out: &mut impl Write, numbers: &[MeasuredNumber]) -> io::Result<()> {
    writeln!(out, "| {} |\n|{}", HEAD.join(" | "), "---|".repeat(HEAD.len()))?;
    for number in numbers {
        let cells = row(number).map(|cell| foreign(&cell, Medium::Markdown).into_owned());
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn row(number: &MeasuredNumber) -> [String; 5] {
    let MeasuredNumber { protocol, quantity, formula, source, .. } = number;
    [protocol, quantity, formula, &number.cases_text(), source].map(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::{MeanCase, MeasuredNumber, NumberCase, write_numbers, write_numbers_markdown};
    use crate::layout::Page;
    use crate::statistic::{Interval, Judgement, StatisticRow};

    fn number(measured: u64) -> MeasuredNumber {
        let case = |n, stated, measured| NumberCase { label: format!("n = {n}"), stated, measured };
        MeasuredNumber {
            protocol: "beb".into(),
            quantity: "messages | cost".into(),
            formula: "n − 1".into(),
            source: "Nobody 1999".into(),
            cases: vec![case(2, 1, 1), case(3, 2, measured)],
            means: Vec::new(),
        }
    }

    #[test]
    fn what_differs_is_told() {
        let text = |number| {
            let mut text = Vec::new();
            write_numbers(&mut text, &[number], Page::default()).expect("memory");
            String::from_utf8(text).expect("text")
        };
        assert!(number(2).is_confirmed() && !number(3).is_confirmed());
        assert!(!MeasuredNumber { cases: vec![], ..number(2) }.is_confirmed());
        let good = text(number(2));
        assert!(good.contains("messages | cost: n − 1 (Nobody 1999)"), "{good}");
        assert!(good.contains("confirmed") && good.contains("n = 2: 1; n = 3: 2"), "{good}");
        let bad = text(number(3));
        assert!(bad.contains("DIFFERS") && bad.contains("n = 2: 1; n = 3: 3, NOT 2"), "{bad}");
    }

    fn mean(value: Option<f64>, judgement: Judgement) -> MeasuredNumber {
        let interval = value.map(|value| Interval { low: value - 0.25, high: value + 0.25 });
        let claim = String::new();
        let measured =
            StatisticRow { claim, runs: 99, value, interval, confidence: 0.99, judgement };
        let means = vec![MeanCase { label: "n = 2".into(), stated: 1.5, measured }];
        MeasuredNumber { cases: vec![], means, ..number(2) }
    }

    #[test]
    fn a_mean_is_shown_with_its_interval() {
        use Judgement::{Confirmed, Open, Refuted};
        let text = |value, judgement| mean(value, judgement).cases_text();
        assert_eq!(text(Some(1.5), Confirmed), "n = 2: 1.5 ± 0.25");
        assert_eq!(text(Some(2.5), Refuted), "n = 2: 2.5 ± 0.25, NOT 1.5");
        assert_eq!(text(Some(1.5), Open), "n = 2: 1.5 ± 0.25, perhaps not 1.5");
        assert_eq!(text(None, Open), "n = 2: nothing, NOT 1.5");
        assert!(mean(Some(1.5), Confirmed).is_confirmed());
        assert!(!mean(Some(1.5), Open).is_confirmed());
    }

    #[test]
    fn a_table_in_markdown_has_as_many_cells_in_each_row() {
        let mut text = Vec::new();
        write_numbers_markdown(&mut text, &[number(2)]).expect("memory");
        let text = String::from_utf8(text).expect("text");
        let cells = |row: &str| row.replace("\\|", "").matches('|').count();
        assert_eq!(text.lines().map(cells).collect::<Vec<_>>(), [6, 6, 6], "{text}");
    }
}
