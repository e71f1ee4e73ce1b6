//! Layout of text, as wide as the terminal, if there is one.

use std::io::{self, Write};

use anstyle::Style;

/// The width and the amount of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The columns of the terminal. Without a terminal, prose is a hundred columns wide, and each
    /// table row is one line, for programs that read lines.
    pub columns: Option<usize>,
    /// Whether results that are as expected are omitted.
    pub quiet: bool,
}

/// The width of prose without a terminal.
const PROSE_COLUMNS: usize = 100;
/// The minimum width that is assumed of a terminal.
const COLUMNS_MIN: usize = 40;
/// The minimum width of the last column of a table, which is prose; if it does not fit, it goes
/// below the others.
const LAST_COLUMN_MIN: usize = 30;
/// The gap between two columns of a table.
const GAP: usize = 2;
/// The indentation of a cell that is on lines of its own.
const INDENT: &str = "    ";

/// A row of a table.
#[derive(Clone, Debug)]
pub struct TableRow<const COLUMNS: usize> {
    /// The style of the first cell.
    pub style: Style,
    /// The cells.
    pub cells: [String; COLUMNS],
}

impl<const COLUMNS: usize> From<[String; COLUMNS]> for TableRow<COLUMNS> {
    fn from(cells: [String; COLUMNS]) -> Self {
        Self { style: Style::new(), cells }
    }
}

impl Page {
    /// Prose after a head: lines, all but the first indented by the width of the head.
    pub fn wrapped(self, head: &str, text: &str) -> Vec<String> {
        hanging(head, text, self.columns.unwrap_or(PROSE_COLUMNS).max(COLUMNS_MIN))
    }

    /// Writes prose after a head of this style.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_prose(
        self,
        out: &mut impl Write,
        (style, head): (Style, &str),
        text: &str,
    ) -> io::Result<()> {
        write_behind(out, style, head, &self.wrapped(head, text))
    }

    /// Writes a text after a head of this style; on one line if there is no terminal.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_line(
        self,
        out: &mut impl Write,
        (style, head): (Style, &str),
        text: &str,
    ) -> io::Result<()> {
        let columns = self.columns.unwrap_or(usize::MAX).max(COLUMNS_MIN);
        write_behind(out, style, head, &hanging(head, text, columns))
    }

    /// Writes rows in columns, without trailing spaces. If the terminal is too narrow for a row,
    /// its cells are broken between words; if that does not suffice, the last cell goes below the
    /// others.
    ///
    /// # Errors
    /// Errors of `out`.
    pub fn write_table<const COLUMNS: usize>(
        self,
        out: &mut impl Write,
        rows: &[TableRow<COLUMNS>],
    ) -> io::Result<()> {
        let of = |column: usize, measure: fn(&str) -> usize| {
            rows.iter().map(|row| measure(&row.cells[column])).max().unwrap_or(0)
        };
        let natural: [usize; COLUMNS] = std::array::from_fn(|column| of(column, width));
        let mut least: [usize; COLUMNS] = std::array::from_fn(|column| of(column, longest_word));
        if let (Some(least), Some(natural)) = (least.last_mut(), natural.last()) {
            *least = (*least).max(LAST_COLUMN_MIN).min(*natural);
        }
        let columns = self.columns.unwrap_or(usize::MAX).max(COLUMNS_MIN);
        let mut widths = natural;
        let fits = shrink(&mut widths, &least, columns);
        if !fits {
            let others = COLUMNS.saturating_sub(1);
            widths = natural;
            shrink(&mut widths[..others], &least[..others], columns);
        }
        for TableRow { style, cells } in rows {
            let beside = if fits { COLUMNS } else { COLUMNS.saturating_sub(1) };
            write_row(out, *style, &cells[..beside], &widths)?;
            for line in cells[beside..].iter().flat_map(|c| broken(c, columns - INDENT.len())) {
                writeln!(out, "{INDENT}{line}")?;
            }
        }
        Ok(())
    }
}

/// Narrows the widest columns until all fit, none below the width of its longest word; returns
/// whether they fit.
fn shrink(widths: &mut [usize], least: &[usize], columns: usize) -> bool {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        let shrinkable = (0..widths.len()).filter(|column| widths[*column] > least[*column]);
        match shrinkable.max_by_key(|column| widths[*column]) {
            Some(widest) => widths[widest] -= 1,
            None => return false,
        }
    }
    true
}

fn write_row(
    out: &mut impl Write,
    style: Style,
    cells: &[String],
    widths: &[usize],
) -> io::Result<()> {
    let broken: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| broken(cell, *width)).collect();
    let height = broken.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let last = broken.iter().rposition(|cell| cell.get(line).is_some_and(|c| !c.is_empty()));
        for (column, cell) in broken.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            let text = cell.get(line).map_or("", String::as_str);
            let style = if column == 0 && !text.is_empty() { style } else { Style::new() };
            write!(out, "{style}{text}{style:#}")?;
            if Some(column) != last {
                let fill = widths[column].saturating_sub(width(text)) + GAP;
                write!(out, "{:fill$}", "")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the lines, the first of which begins with the head.
fn write_behind(
    out: &mut impl Write,
    style: Style,
    head: &str,
    lines: &[String],
) -> io::Result<()> {
    for (index, line) in lines.iter().enumerate() {
        match line.strip_prefix(head).filter(|_| index == 0) {
            Some(rest) => writeln!(out, "{style}{head}{style:#}{rest}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// The text in lines of at most this many columns, broken between words; at least one line.
fn broken(text: &str, columns: usize) -> Vec<String> {
    hanging("", text, columns)
}

/// Like [`broken`], after a head, with all lines but the first indented by the width of the head,
/// or by a few columns if that is too much.
fn hanging(head: &str, text: &str, columns: usize) -> Vec<String> {
    let indent = match width(head) {
        wide if wide > columns / 2 => INDENT.to_owned(),
        narrow => " ".repeat(narrow),
    };
    let mut lines = Vec::new();
    let (mut line, mut is_empty) = (head.to_owned(), true);
    let mut line_width = width(head);
    for word in text.split(' ') {
        let word_width = width(word);
        if !is_empty && line_width + 1 + word_width > columns {
            line_width = width(&indent);
            lines.push(std::mem::replace(&mut line, indent.clone()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
            line_width += 1;
        }
        line.push_str(word);
        line_width += word_width;
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// The number of characters in a text, not counting our own styles.
fn width(text: &str) -> usize {
    let mut is_style = false;
    let is_shown = |c: &char| {
        let shown = !is_style && *c != '\u{1b}';
        is_style = *c == '\u{1b}' || (is_style && *c != 'm');
        shown
    };
    text.chars().filter(is_shown).count()
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(width).max().unwrap_or(0)
}

/// `1 run`, `2 runs`, `3 processes`, `4 crashes`, `5 recoveries`.
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("sh") => format!("{count} {noun}es"),
        _ if noun.ends_with("ry") => format!("{count} {}ies", noun.trim_end_matches('y')),
        _ => format!("{count} {noun}s"),
    }
}

/// A whole number with thousands separators.
pub fn with_separators(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: Option<usize>) -> String {
        let rows = [["a", "one two three four", "five six seven"], ["bb", "one", "two"]];
        let rows = rows.map(|row| TableRow::from(row.map(str::to_owned)));
        let mut out = Vec::new();
        let page = Page { columns, quiet: false };
        page.write_table(&mut out, &rows).expect("writing to a vector cannot fail");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_table_is_as_wide_as_the_terminal() {
        assert_eq!(
            table(None),
            "a   one two three four  five six seven\nbb  one                 two\n"
        );
        assert_eq!(table(Some(80)), table(None));
        // No terminal is narrower than 40 columns.
        let mut widths = [2, 18, 14];
        assert!(shrink(&mut widths, &[2, 5, 5], 26));
        assert_eq!(widths, [2, 10, 10]);
        assert!(!shrink(&mut widths, &[2, 5, 5], 15));
    }

    #[test]
    fn a_word_is_not_broken() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("unbreakable", 3), ["unbreakable"]);
        assert_eq!(broken("", 3), [""]);
        let page = Page { columns: Some(40), quiet: false };
        let lines = page.wrapped("  head  ", &"word ".repeat(20));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 40));
        assert!(lines[1].starts_with("        word"));
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(3, "process"), "3 processes");
        assert_eq!(with_separators(0), "0");
        assert_eq!(with_separators(999), "999");
        assert_eq!(with_separators(1_234_567), "1,234,567");
    }
}
