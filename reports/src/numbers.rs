//! Numbers of the literature beside those that were measured.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use crate::foreign::{Medium, foreign, line};
use crate::layout::Page;
use crate::style::{BAD, GOOD, STRONG};

/// A number that the literature gives for a protocol, and its measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeasuredNumber {
    /// The protocol.
    pub protocol: String,
    /// What is counted.
    pub quantity: String,
    /// Its formula.
    pub formula: String,
    /// The source of the formula.
    pub source: String,
    /// The measurements.
    pub cases: Vec<NumberCase>,
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

impl MeasuredNumber {
    /// Whether each case is as stated, and there are some.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        !self.cases.is_empty() && self.cases.iter().all(NumberCase::is_confirmed)
    }

    /// The cases on one line.
    pub(crate) fn cases_text(&self) -> String {
        let texts: Vec<_> = self.cases.iter().map(NumberCase::text).collect();
        texts.join("; ")
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
    use super::{MeasuredNumber, NumberCase, write_numbers, write_numbers_markdown};
    use crate::layout::Page;

    fn number(measured: u64) -> MeasuredNumber {
        let case = |n, stated, measured| NumberCase { label: format!("n = {n}"), stated, measured };
        MeasuredNumber {
            protocol: "beb".into(),
            quantity: "messages | cost".into(),
            formula: "n − 1".into(),
            source: "Nobody 1999".into(),
            cases: vec![case(2, 1, 1), case(3, 2, measured)],
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

    #[test]
    fn a_table_in_markdown_has_as_many_cells_in_each_row() {
        let mut text = Vec::new();
        write_numbers_markdown(&mut text, &[number(2)]).expect("memory");
        let text = String::from_utf8(text).expect("text");
        let cells = |row: &str| row.replace("\\|", "").matches('|').count();
        assert_eq!(text.lines().map(cells).collect::<Vec<_>>(), [6, 6, 6], "{text}");
    }
}
