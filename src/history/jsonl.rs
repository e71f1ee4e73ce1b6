//! Entries as JSON, an object for each line.

use ftsim_protocols::spec::linearizability::value::Value;
use serde_json::{Map, Value as Json};

use super::entry::{Entry, HistoryError, Place};

/// Reads a history. Empty lines are skipped.
pub(crate) fn read(text: &str) -> Result<Vec<Entry>, HistoryError> {
    let mut entries = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            continue;
        }
        let object: Map<String, Json> = serde_json::from_str(content).map_err(|error| {
            let column = Place::of(content, error.column().saturating_sub(1)).column;
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            HistoryError { place: Place { line, column }, message }
        })?;
        let place = |name: &str| {
            // The last one, which is the one that counts.
            let byte = content.rfind(&format!("\"{name}\"")).unwrap_or(0);
            Place { line, column: Place::of(content, byte).column }
        };
        let field = |(name, json): (String, Json)| {
            let at = place(&name);
            (name, value(json), at)
        };
        let fields = object.into_iter().map(field).collect();
        let start = content.len() - content.trim_start().len();
        let column = Place::of(content, start).column;
        entries.push(Entry { place: Place { line, column }, fields });
    }
    Ok(entries)
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(is) => Value::Bool(is),
        Json::Number(number) => match number.as_i128() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64().unwrap_or_default().to_bits()),
        },
        Json::String(text) => Value::Text(text.into()),
        Json::Array(parts) => Value::List(parts.into_iter().map(value).collect()),
        Json::Object(parts) => {
            let pair = |(name, part): (String, Json)| (Value::Text(name.into()), value(part));
            let mut pairs: Vec<_> = parts.into_iter().map(pair).collect();
            pairs.sort();
            Value::Map(pairs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_entries_and_errors_have_places() {
        let entries = read("{\"type\": \"invoke\", \"value\": [1, null]}\n\n {}\n").unwrap();
        assert_eq!(entries[0].field("value").unwrap().0.to_string(), "[1 nil]");
        assert_eq!(entries[1].place, Place { line: 3, column: 2 });
        let error = read("{}\n{\"é\": x}").unwrap_err();
        assert_eq!(error.to_string(), "2:7: expected value");
        assert!(read("[1]").is_err());
    }
}
