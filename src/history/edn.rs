//! A reader of EDN, as strict as histories need it: <https://github.com/edn-format/edn>.
//!
//! Tags are skipped, and characters are texts of one character. Ratios are refused.

use std::collections::BTreeSet;

use ftsim_protocols::spec::linearizability::value::Value;

use super::entry::{Entry, HistoryError, Place, name};

/// How deep values may be within others.
const DEPTH_MAX: usize = 100;

/// Reads a history: maps, one after another, or a vector of them.
pub(crate) fn read(text: &str) -> Result<Vec<Entry>, HistoryError> {
    let mut reader = Reader { text, next: 0, counted: 0, line: 1, line_start: 0 };
    let mut entries = Vec::new();
    reader
        .entries(&mut entries)
        .map_err(|(byte, message)| HistoryError { place: Place::of(text, byte), message })?;
    Ok(entries)
}

/// One value, and nothing else.
pub(crate) fn value(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, next: 0, counted: 0, line: 1, line_start: 0 };
    let value = reader.value(0).map_err(|(_, message)| message)?;
    reader.blank(0).map_err(|(_, message)| message)?;
    if reader.next < text.len() { Err("one value, and nothing else".to_owned()) } else { Ok(value) }
}

/// An error at a byte.
type Bad = (usize, String);

struct Reader<'t> {
    text: &'t str,
    /// The byte to read next.
    next: usize,
    /// Lines are counted up to this byte.
    counted: usize,
    line: usize,
    line_start: usize,
}

impl Reader<'_> {
    fn entries(&mut self, entries: &mut Vec<Entry>) -> Result<(), Bad> {
        self.blank(0)?;
        let is_vector = self.peek() == Some('[') || self.peek() == Some('(');
        let end = match self.peek() {
            Some('[') => Some(']'),
            Some('(') => Some(')'),
            _ => None,
        };
        if is_vector {
            self.next += 1;
        }
        loop {
            self.blank(0)?;
            self.tags(0)?;
            match self.peek() {
                None if !is_vector => return Ok(()),
                Some('{') => entries.push(self.entry()?),
                Some(c) if Some(c) == end => {
                    self.next += 1;
                    self.blank(0)?;
                    return match self.peek() {
                        None => Ok(()),
                        Some(_) => self.bad("nothing may follow the vector of entries"),
                    };
                }
                None => return self.bad("the vector of entries does not end"),
                Some(_) => return self.bad("an entry must be a map: {:type :invoke …}"),
            }
        }
    }

    fn entry(&mut self) -> Result<Entry, Bad> {
        let place = self.place(self.next);
        self.next += 1;
        let mut fields = Vec::new();
        loop {
            self.blank(0)?;
            if self.peek() == Some('}') {
                self.next += 1;
                return Ok(Entry { place, fields });
            }
            let key_at = self.next;
            let key = self.value(0)?;
            self.blank(0)?;
            if self.peek() == Some('}') {
                return Err((key_at, format!("{key} has no value")));
            }
            let at = self.next;
            let value = self.value(0)?;
            let Some(key) = name(&key) else {
                return Err((key_at, format!("a field must be a keyword, but is {key}")));
            };
            if fields.iter().any(|(known, ..)| known == key) {
                return Err((key_at, format!("`{key}` is there twice")));
            }
            fields.push((key.to_owned(), value, self.place(at)));
        }
    }

    /// The position of a byte, at or after those asked for before.
    fn place(&mut self, byte: usize) -> Place {
        for (index, _) in self.text[self.counted..byte].match_indices('\n') {
            self.line += 1;
            self.line_start = self.counted + index + 1;
        }
        self.counted = byte;
        Place { line: self.line, column: self.text[self.line_start..byte].chars().count() + 1 }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.next..].chars().next()
    }

    fn bad<T>(&self, message: &str) -> Result<T, Bad> {
        Err((self.next, message.to_owned()))
    }

    /// Skips white space, commas, comments and what `#_` discards.
    fn blank(&mut self, depth: usize) -> Result<(), Bad> {
        loop {
            let rest = &self.text[self.next..];
            let inked = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            self.next += rest.len() - inked.len();
            if inked.starts_with(';') {
                self.next += inked.find('\n').unwrap_or(inked.len());
            } else if inked.starts_with("#_") {
                self.next += 2;
                self.value(depth + 1)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips the tags before a value.
    fn tags(&mut self, depth: usize) -> Result<(), Bad> {
        while let Some(c) = self.text[self.next..].strip_prefix('#').and_then(|r| r.chars().next())
        {
            if !c.is_alphabetic() {
                break;
            }
            self.next += 1;
            self.word();
            self.blank(depth)?;
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Bad> {
        if depth > DEPTH_MAX {
            return self.bad("too deep");
        }
        self.blank(depth)?;
        self.tags(depth)?;
        let start = self.next;
        match self.peek() {
            None => self.bad("a value is missing"),
            Some('"') => self.string(),
            Some('[') => Ok(Value::List(self.parts(']', depth)?)),
            Some('(') => Ok(Value::List(self.parts(')', depth)?)),
            Some('{') => self.map(depth),
            Some('#') if self.text[start..].starts_with("#{") => {
                self.next += 1;
                Ok(Value::Set(self.parts('}', depth)?.into_iter().collect::<BTreeSet<_>>()))
            }
            Some('#') if self.text[start..].starts_with("##") => {
                self.next += 2;
                Ok(Value::Name(format!("##{}", self.word()).into()))
            }
            Some('\\') => self.character(),
            Some(_) => match self.word() {
                "" => self.bad("no value begins with this"),
                "nil" => Ok(Value::Nil),
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                ":" => Err((start, "a keyword needs a name".to_owned())),
                word if is_number(word) => number(word).map_err(|message| (start, message)),
                word => Ok(Value::Name(word.into())),
            },
        }
    }

    /// The values up to `end`, after the character that begins them.
    fn parts(&mut self, end: char, depth: usize) -> Result<Vec<Value>, Bad> {
        let start = self.next;
        self.next += 1;
        let mut parts = Vec::new();
        loop {
            self.blank(depth)?;
            match self.peek() {
                Some(c) if c == end => {
                    self.next += 1;
                    return Ok(parts);
                }
                None => return Err((start, format!("this has no `{end}`"))),
                Some(_) => parts.push(self.value(depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Bad> {
        let start = self.next;
        let mut parts = self.parts('}', depth)?.into_iter();
        let mut pairs = Vec::new();
        while let Some(key) = parts.next() {
            let Some(value) = parts.next() else {
                return Err((start, format!("{key} has no value")));
            };
            pairs.push((key, value));
        }
        pairs.sort();
        Ok(Value::Map(pairs))
    }

    fn word(&mut self) -> &str {
        let rest = &self.text[self.next..];
        let ends = |c: char| c.is_whitespace() || "()[]{}\",;\\`~@^".contains(c);
        let length = rest.find(ends).unwrap_or(rest.len());
        self.next += length;
        &rest[..length]
    }

    fn string(&mut self) -> Result<Value, Bad> {
        let start = self.next;
        self.next += 1;
        let mut string = String::new();
        loop {
            let at = self.next;
            let Some(c) = self.peek() else {
                return Err((start, "this text does not end".to_owned()));
            };
            self.next += c.len_utf8();
            match c {
                '"' => return Ok(Value::Text(string.into())),
                '\\' => {
                    let escaped = self.peek().unwrap_or(' ');
                    self.next += escaped.len_utf8();
                    string.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        '"' | '\\' => escaped,
                        'u' => self.unicode().ok_or((at, "no such character".to_owned()))?,
                        _ => return Err((at, "unknown escape sequence".to_owned())),
                    });
                }
                c => string.push(c),
            }
        }
    }

    /// Four hexadecimal digits.
    fn unicode(&mut self) -> Option<char> {
        let digits = self.text.get(self.next..self.next + 4)?;
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        self.next += 4;
        is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)
    }

    fn character(&mut self) -> Result<Value, Bad> {
        let start = self.next;
        self.next += 1;
        let Some(first) = self.peek() else { return self.bad("a character is missing") };
        self.next += first.len_utf8();
        let rest = self.word().to_owned();
        let named = match format!("{first}{rest}").as_str() {
            "newline" => "\n".to_owned(),
            "return" => "\r".to_owned(),
            "space" => " ".to_owned(),
            "tab" => "\t".to_owned(),
            one if rest.is_empty() => one.to_owned(),
            _ => return Err((start, "no such character".to_owned())),
        };
        Ok(Value::text(&named))
    }
}

fn is_number(word: &str) -> bool {
    word.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
}

fn number(word: &str) -> Result<Value, String> {
    let whole = word.strip_suffix('N').unwrap_or(word);
    if let Ok(number) = whole.parse() {
        return Ok(Value::Integer(number));
    }
    let float = word.strip_suffix('M').unwrap_or(word);
    match float.parse::<f64>() {
        Ok(number) if float.contains(['.', 'e', 'E']) && number.is_finite() => {
            Ok(Value::Float(number.to_bits()))
        }
        _ => Err(format!("{word} is no number that can be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written_alike() {
        let same = ["nil", "true", "-3", "1.5", ":a/b", "x", "\"a\\\"b\"", "[1 [2] nil]", "#{1 2}"];
        for text in same {
            assert_eq!(value(text).unwrap().to_string(), text);
        }
        let others = [
            ("18446744073709551615N", "18446744073709551615"),
            ("(1, 2)", "[1 2]"),
            ("#inst \"1985\"", "\"1985\""),
            ("#_ 7 8 ; nine", "8"),
            ("{:b 1, :a 2}", "{:a 2, :b 1}"),
            ("\\a", "\"a\""),
            (r#""\u0041\n""#, r#""A\n""#),
        ];
        for (text, shown) in others {
            assert_eq!(value(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_edn_is_refused_with_its_place() {
        let bad = [
            ("{:a 1}\n{:b [1 2}", "2:9: no value begins with this"),
            ("{:a 1}\n {:b \"x", "2:6: this text does not end"),
            ("{:a}", "1:2: :a has no value"),
            ("{:a 1 :a 2}", "1:7: `a` is there twice"),
            ("{1 2}", "1:2: a field must be a keyword, but is 1"),
            ("7", "1:1: an entry must be a map: {:type :invoke …}"),
            ("[{:a 1}", "1:8: the vector of entries does not end"),
            ("[{:a 1}] 3", "1:10: nothing may follow the vector of entries"),
            ("{:a 1/2}", "1:5: 1/2 is no number that can be read"),
            ("{:é \"\\q\"}", "1:6: unknown escape sequence"),
            ("{:a ~b}", "1:5: no value begins with this"),
        ];
        for (text, message) in bad {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text}");
        }
        let deep = format!("{{:a {}", "[".repeat(100_000));
        assert!(read(&deep).unwrap_err().to_string().ends_with("too deep"));
    }
}
