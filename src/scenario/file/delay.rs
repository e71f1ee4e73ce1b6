//! How a scenario writes a delay: a duration, a range, or a table for the other shapes.

use std::borrow::Cow;
use std::fmt;

use ftsim_core::{Duration, DurationRange};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A delay: `"5ms"`, `"1ms..10ms"`, or a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DelayFile {
    /// Constant or uniform.
    Range(DurationRange),
    /// Another distribution.
    Table(DelayTable),
}

/// A delay with another distribution: exactly one of `exponential`, `normal`, `log_normal`,
/// `pareto`, `empirical`.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DelayTable {
    /// Exponential with this mean.
    pub exponential: Option<Duration>,
    /// Normal with this mean and `deviation`.
    pub normal: Option<Duration>,
    /// Log-normal with this median and `sigma`.
    pub log_normal: Option<Duration>,
    /// Pareto (heavy-tailed) with this minimum and `alpha`.
    pub pareto: Option<Duration>,
    /// Measured quantiles `[q, delay]`, ascending in both and ending at 1, with linear
    /// interpolation.
    pub empirical: Option<Vec<(f64, Duration)>>,
    /// Of `normal`: the standard deviation.
    pub deviation: Option<Duration>,
    /// Of `log_normal`: the standard deviation of the natural logarithm.
    pub sigma: Option<f64>,
    /// Of `pareto`: the shape; at 1 and below the mean is infinite.
    pub alpha: Option<f64>,
    /// The maximum, to which longer delays are cut. Default: 100 times the first value.
    pub cap: Option<Duration>,
}

impl<'de> Deserialize<'de> for DelayFile {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct DelayVisitor;
        impl<'de> Visitor<'de> for DelayVisitor {
            type Value = DelayFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a delay such as \"1ms..10ms\" or { exponential = \"5ms\" }")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DelayFile, E> {
                text.parse().map(DelayFile::Range).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DelayFile, A::Error> {
                DelayTable::deserialize(MapAccessDeserializer::new(map)).map(DelayFile::Table)
            }
        }
        d.deserialize_any(DelayVisitor)
    }
}

impl JsonSchema for DelayFile {
    fn schema_name() -> Cow<'static, str> {
        "Delay".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long a message travels: constant, uniform, or another shape.",
            "anyOf": [
                generator.subschema_for::<DurationRange>(),
                generator.subschema_for::<DelayTable>(),
            ],
        })
    }
}
