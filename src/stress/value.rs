//! Draws values according to the JSON schema of a settings type.

use ftsim_core::Duration;
use ftsim_core::rng::Rng;
use serde_json::{Map, Value};

/// The maximum of drawn numbers.
const COUNT_MAX: u64 = 6;

/// The source and the limits of drawn values.
pub struct Draws<'a> {
    pub rng: &'a mut Rng,
    /// Keys with prescribed values; `None` omits the key.
    pub fixed: Vec<(&'static str, Option<Value>)>,
    /// Whether drawn ranges of durations may have distinct ends; not if all processes start
    /// together.
    pub has_ranges: bool,
}

impl Draws<'_> {
    /// A table with some of the keys in this schema; the others keep their defaults.
    pub fn table(&mut self, schema: &Value) -> Map<String, Value> {
        let Some(properties) = schema["properties"].as_object() else { return Map::new() };
        let mut table = Map::new();
        for (key, property) in properties {
            let fixed = self.fixed.iter().find(|(name, _)| name == key);
            let value = match fixed {
                Some((_, value)) => value.clone(),
                None if self.rng.below(2) == 0 => None,
                None => self.value(property, schema),
            };
            table.extend(value.map(|value| (key.clone(), value)));
        }
        table
    }

    fn value(&mut self, property: &Value, root: &Value) -> Option<Value> {
        let default = &property["default"];
        let shapes = property["anyOf"].as_array();
        let shape = shapes.and_then(|shapes| shapes.iter().find(|shape| shape["type"] != "null"));
        let shape = shape.unwrap_or(property);
        let name = shape["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let shape = name.map_or(shape, |name| &root["$defs"][name]);
        let constants = constants(shape);
        if !constants.is_empty() {
            return self.rng.choose(&constants).cloned();
        }
        match name {
            Some("Duration") => return Some(self.duration(default).to_string().into()),
            Some("DurationRange") => return Some(self.range(default).into()),
            Some(_) => return None,
            None => {}
        }
        let is = |kind: &str| match &shape["type"] {
            Value::String(only) => only == kind,
            Value::Array(kinds) => kinds.iter().any(|known| known == kind),
            _ => false,
        };
        match () {
            () if is("boolean") => Some((self.rng.below(2) == 0).into()),
            () if is("integer") => {
                let most = default.as_u64().unwrap_or(0).clamp(3, COUNT_MAX);
                let least = u64::from(self.rng.below(6) > 0);
                Some(self.rng.between(least, most).into())
            }
            () if is("number") => self.rng.choose(&[0.0, 0.1, 0.5, 1.0]).map(|p| (*p).into()),
            () => None,
        }
    }

    /// A duration near the default, or near the bound on delays if there is no default.
    fn duration(&mut self, default: &Value) -> Duration {
        let text = default.as_str().unwrap_or("10ms");
        let usual: Duration = text.parse().unwrap_or(Duration::from_millis(10));
        let (times, parts) =
            *self.rng.choose(&[(1, 4), (1, 2), (1, 1), (5, 4), (2, 1), (3, 1)]).unwrap_or(&(1, 1));
        Duration::from_nanos(usual.as_nanos() * times / parts)
    }

    fn range(&mut self, default: &Value) -> String {
        let whole = default.as_str().unwrap_or("10ms");
        let last = whole.rsplit("..").next().unwrap_or(whole);
        let end = match last.parse::<Duration>() {
            Ok(Duration::ZERO) | Err(_) => Duration::from_millis(self.rng.between(0, 20)),
            Ok(_) => self.duration(&last.into()),
        };
        if self.has_ranges { format!("0s..{end}") } else { end.to_string() }
    }
}

/// The values of an enumeration.
fn constants(shape: &Value) -> Vec<Value> {
    if let Some(values) = shape["enum"].as_array() {
        return values.clone();
    }
    let shapes = shape["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    shapes.iter().map(|shape| shape["const"].clone()).filter(|value| !value.is_null()).collect()
}
