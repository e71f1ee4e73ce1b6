//! Values that scenarios write in more than one way.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A whole number, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u64);

/// A whole number, or a closed range of them: `2` or `"0..2"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The minimum.
    pub min: u64,
    /// The maximum.
    pub max: u64,
}

/// The number of processes.
#[derive(Clone, Debug, PartialEq)]
pub enum Processes {
    /// Of the only role.
    Number(Count),
    /// Of each role.
    Roles(Vec<(String, Count)>),
}

/// Processes: one name, or a list of names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Targets {
    /// `"p3"`, a role, or `"all"`; for some faults also `"any"`, `"minority"`, `"majority"`,
    /// `"leader"`.
    One(String),
    /// Several processes.
    Many(Vec<String>),
}

/// Which messages are lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Loss {
    /// Each message, independently, with this probability.
    Independent(f64),
    /// In bursts.
    Bursts(Bursts),
}

/// Loss in bursts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Gilbert and Elliott's two states: a good one that loses nothing, and a bad one.
    pub burst: Burst,
}

/// Gilbert and Elliott's two states.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// The probability, at each message, of going from good to bad.
    pub enter: f64,
    /// The probability, at each message, of going from bad to good.
    pub leave: f64,
    /// The probability of losing a message in the bad state.
    pub loss: f64,
}

/// The drift of a clock in parts per million: `"50ppm"`, or a range such as `"-50ppm..50ppm"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The minimum.
    pub min_ppm: i64,
    /// The maximum.
    pub max_ppm: i64,
}

/// The bandwidth of a link: `"1MB/s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bytes per second, at least 1.
    pub bytes: u64,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, 0 or more")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Count, E> {
                Ok(Count(n))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Count, E> {
                let unexpected = || E::invalid_value(Unexpected::Signed(n), &self);
                u64::try_from(n).map(Count).map_err(|_| unexpected())
            }
        }
        d.deserialize_any(CountVisitor)
    }
}

impl std::str::FromStr for Counts {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let digits = part.trim();
            digits.parse::<u64>().map_err(|_| {
                format!("expected a number or a range such as \"0..2\", found {text:?}")
            })
        };
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let counts = Self { min: number(min)?, max: number(max)? };
        if counts.min > counts.max {
            return Err(format!("{text:?} is an empty range: its first number is the larger one"));
        }
        Ok(counts)
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct CountsVisitor;
        impl Visitor<'_> for CountsVisitor {
            type Value = Counts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, 0 or more, or a range such as \"0..2\"")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Counts, E> {
                Ok(Counts { min: n, max: n })
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Counts, E> {
                let unexpected = || E::invalid_value(Unexpected::Signed(n), &self);
                let n = u64::try_from(n).map_err(|_| unexpected())?;
                self.visit_u64(n)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Counts, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(CountsVisitor)
    }
}

impl<'de> Deserialize<'de> for Processes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct ProcessesVisitor;
        impl<'de> Visitor<'de> for ProcessesVisitor {
            type Value = Processes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of processes, or a table of roles and their numbers")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Processes, E> {
                Ok(Processes::Number(Count(n)))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Processes, E> {
                let unexpected = || E::invalid_value(Unexpected::Signed(n), &self);
                let count = u64::try_from(n).map_err(|_| unexpected())?;
                self.visit_u64(count)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Processes, A::Error> {
                let mut roles = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    roles.push(entry);
                }
                Ok(Processes::Roles(roles))
            }
        }
        d.deserialize_any(ProcessesVisitor)
    }
}

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct TargetsVisitor;
        impl<'de> Visitor<'de> for TargetsVisitor {
            type Value = Targets;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process such as \"p0\", a role, \"all\", or a list of these")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Targets, E> {
                Ok(Targets::One(name.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Targets, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Targets::Many(names))
            }
        }
        d.deserialize_any(TargetsVisitor)
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct LossVisitor;
        impl<'de> Visitor<'de> for LossVisitor {
            type Value = Loss;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a probability from 0 to 1, or { burst = { enter, leave, loss } }")
            }
            fn visit_f64<E: Error>(self, p: f64) -> Result<Loss, E> {
                Ok(Loss::Independent(p))
            }
            fn visit_i64<E: Error>(self, p: i64) -> Result<Loss, E> {
                Ok(Loss::Independent(p as f64))
            }
            fn visit_u64<E: Error>(self, p: u64) -> Result<Loss, E> {
                Ok(Loss::Independent(p as f64))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Loss, A::Error> {
                Bursts::deserialize(MapAccessDeserializer::new(map)).map(Loss::Bursts)
            }
        }
        d.deserialize_any(LossVisitor)
    }
}

impl std::str::FromStr for Drift {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let ppm = |part: &str| {
            let number = part.strip_suffix("ppm").map(str::trim_end);
            number.and_then(|number| number.parse().ok()).ok_or_else(|| {
                format!("expected a drift such as \"50ppm\" or \"-50ppm..50ppm\", found \"{text}\"")
            })
        };
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let drift = Self { min_ppm: ppm(min)?, max_ppm: ppm(max)? };
        if drift.min_ppm > drift.max_ppm {
            return Err(format!("\"{text}\" is an empty range: its first drift is the larger one"));
        }
        Ok(drift)
    }
}

impl<'de> Deserialize<'de> for Drift {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct DriftVisitor;
        impl Visitor<'_> for DriftVisitor {
            type Value = Drift;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a drift such as \"50ppm\" or \"-50ppm..50ppm\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Drift, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(DriftVisitor)
    }
}

impl std::str::FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("GB/s", 1_000_000_000), ("MB/s", 1_000_000), ("kB/s", 1_000), ("B/s", 1)];
        let rate = units.iter().find_map(|(unit, bytes)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(*bytes).filter(|bytes| *bytes > 0)
        });
        rate.map(|bytes| Self { bytes }).ok_or_else(|| {
            format!("expected a rate such as \"1MB/s\" (B/s, kB/s, MB/s, GB/s), found \"{text}\"")
        })
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct RateVisitor;
        impl Visitor<'_> for RateVisitor {
            type Value = Rate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate such as \"1MB/s\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Rate, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(RateVisitor)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(self.0)
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match (self.min, self.max) {
            (min, max) if min == max => s.serialize_u64(min),
            (min, max) => s.collect_str(&format_args!("{min}..{max}")),
        }
    }
}

impl Serialize for Processes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(count) => count.serialize(s),
            Self::Roles(roles) => s.collect_map(roles.iter().map(|(role, count)| (role, count))),
        }
    }
}

impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match (self.min_ppm, self.max_ppm) {
            (min, max) if min == max => s.collect_str(&format_args!("{min}ppm")),
            (min, max) => s.collect_str(&format_args!("{min}ppm..{max}ppm")),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("{}B/s", self.bytes))
    }
}

/// A hand-written schema.
macro_rules! schema {
    ($type:ident, $name:literal, |$generator:ident| $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Count, "Count", |_generator| {
    "type": "integer",
    "minimum": 0,
    "description": "A whole number.",
});
schema!(Counts, "Counts", |_generator| {
    "description": "A whole number, or a closed range such as \"0..2\".",
    "anyOf": [
        { "type": "integer", "minimum": 0 },
        { "type": "string", "pattern": "^ *[0-9]+ *(\\.\\. *[0-9]+ *)?$" },
    ],
});
schema!(Processes, "Processes", |_generator| {
    "description": "How many processes: a number, or a table of role and number.",
    "anyOf": [
        { "type": "integer", "minimum": 1, "maximum": 1_000_000 },
        { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } },
    ],
});
schema!(Targets, "Targets", |_generator| {
    "description": "Processes: \"p0\", a role, \"all\", or a list of these.",
    "anyOf": [
        { "type": "string" },
        { "type": "array", "items": { "type": "string" }, "minItems": 1 },
    ],
});
schema!(Loss, "Loss", |generator| {
    "description": "Which messages are lost: each with a probability, or in bursts.",
    "anyOf": [
        { "type": "number", "minimum": 0, "maximum": 1 },
        (generator.subschema_for::<Bursts>()),
    ],
});
schema!(Drift, "Drift", |_generator| {
    "type": "string",
    "description": "Parts per million, for example \"50ppm\" or \"-50ppm..50ppm\".",
    "pattern": "^-?[0-9]+ ?ppm(\\.\\.-?[0-9]+ ?ppm)?$",
});
schema!(Rate, "Rate", |_generator| {
    "type": "string",
    "description": "Bytes in a second, for example \"1MB/s\".",
    "pattern": "^[0-9]+ ?(|k|M|G)B/s$",
});
