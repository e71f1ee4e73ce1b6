//! A line of characters in columns.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A text in a style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub style: Style,
}

/// The number of columns that a text fills.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut so that it fills at most this many columns.
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut cut = String::new();
    for c in text.chars() {
        if width(&cut) + c.width().unwrap_or(0) > room {
            break;
        }
        cut.push(c);
    }
    if width(ellipsis) <= columns {
        cut.push_str(ellipsis);
    }
    cut
}

/// The content of a column. A wide character takes two columns, the second of which is empty.
#[derive(Clone, Debug, Default)]
struct Cell {
    text: String,
    style: Style,
    is_behind_wide: bool,
}

/// A line that is written column by column.
#[derive(Clone, Debug, Default)]
pub struct Canvas {
    cells: Vec<Cell>,
}

impl Canvas {
    /// Whether all columns are blank.
    pub fn is_empty(&self) -> bool {
        !self.cells.iter().any(|cell| !cell.text.is_empty())
    }

    /// Whether this column is not blank.
    pub fn is_drawn(&self, x: usize) -> bool {
        self.cells.get(x).is_some_and(|cell| !cell.text.is_empty() && cell.text != " ")
    }

    /// Writes a text from this column on, over the previous content.
    pub fn write(&mut self, x: usize, text: &str, style: Style) {
        let mut x = x;
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            match (wide, x.checked_sub(1).and_then(|before| self.cells.get_mut(before))) {
                // It combines with the character before it.
                (0, Some(before)) => before.text.push(c),
                (0, None) => {}
                _ => {
                    self.put(x, Cell { text: c.to_string(), style, is_behind_wide: false });
                    if wide > 1 {
                        self.put(x + 1, Cell { is_behind_wide: true, ..Cell::default() });
                    }
                    x += wide;
                }
            }
        }
    }

    fn put(&mut self, x: usize, cell: Cell) {
        if self.cells.len() <= x {
            self.cells.resize(x + 1, Cell::default());
        }
        self.cells[x] = cell;
    }

    /// Writes texts one after another.
    pub fn write_spans(&mut self, x: usize, spans: &[Span]) {
        let mut x = x;
        for span in spans {
            self.write(x, &span.text, span.style);
            x += width(&span.text);
        }
    }

    /// Writes the line, without blanks at its end.
    pub fn finish(self, out: &mut impl Write) -> io::Result<()> {
        let end = self.cells.iter().rposition(|cell| !cell.text.trim().is_empty());
        let mut spans: Vec<Span> = Vec::new();
        for cell in self.cells.iter().take(end.map_or(0, |end| end + 1)) {
            let text = if cell.text.is_empty() && !cell.is_behind_wide { " " } else { &cell.text };
            match spans.last_mut().filter(|last| last.style == cell.style) {
                Some(last) => last.text.push_str(text),
                None => spans.push(Span::new(text, cell.style)),
            }
        }
        write_spans(out, &spans)
    }
}

/// Writes texts as a line.
pub fn write_spans(out: &mut impl Write, spans: &[Span]) -> io::Result<()> {
    for Span { text, style } in spans {
        write!(out, "{style}{text}{style:#}")?;
    }
    writeln!(out)
}
