//! `ftsim list` and `ftsim describe`: the contents of the catalogue.

use std::io::{self, Write};

use ftsim_core::catalogue::AdversaryInfo;
use ftsim_core::catalogue::PropertyInfo;
use ftsim_core::{Entry, Links, Mutant, MutantKind, PropertyKind, Standing};
use ftsim_protocols::Catalogue;
use ftsim_reports::{Page, TableRow, line, program};
use serde_json::{Value, json};

use crate::cli::{Exit, Format, complain};
use crate::scenario::diagnostic::did_you_mean;

/// Writes one line per protocol.
pub fn list(
    catalogue: &Catalogue,
    format: Format,
    page: Page,
    out: &mut impl Write,
) -> io::Result<Exit> {
    let entries = catalogue.entries();
    if format == Format::Json {
        let entries: Vec<Value> = entries.iter().map(entry_json).collect();
        serde_json::to_writer_pretty(&mut *out, &json!({ "schema": 1, "protocols": entries }))?;
        writeln!(out)?;
        return Ok(Exit::Good);
    }
    let row = |entry: &Entry| {
        let model = &entry.model;
        let bound = model.bound.to_string();
        [entry.name, entry.spec, model.faults.as_str(), &bound, entry.summary].map(str::to_owned)
    };
    let head = ["protocol", "spec", "faults", "bound", "summary"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(entries.iter().map(row)).collect();
    table(out, &rows, page)?;
    Ok(Exit::Good)
}

/// Writes everything known about a protocol.
pub fn describe(
    catalogue: &Catalogue,
    name: &str,
    format: Format,
    page: Page,
    out: &mut impl Write,
) -> io::Result<Exit> {
    let Some(entry) = catalogue.get(name) else {
        let names = catalogue.entries().iter().map(|entry| entry.name);
        let help = did_you_mean(name, names)
            .unwrap_or_else(|| format!("`{} list` shows them all", program()));
        complain(&format!("unknown protocol `{name}`\nhelp: {help}"));
        return Ok(Exit::BadInput);
    };
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &entry_json(entry))?;
            writeln!(out)?;
        }
        Format::Text => write_entry(out, entry, page)?,
    }
    Ok(Exit::Good)
}

fn write_entry(out: &mut impl Write, entry: &Entry, page: Page) -> io::Result<()> {
    let plain = anstyle::Style::new();
    page.write_line(out, (plain, &format!("{}: ", line(entry.name))), &line(entry.summary))?;
    writeln!(out)?;
    let source = ("source", entry.source.to_owned());
    let roles = ("roles", entry.roles.join(", "));
    for (name, value) in facts(entry).into_iter().chain([source, roles]) {
        page.write_line(out, (plain, &format!("{name:8}  ")), &line(&value))?;
    }
    if entry.has_leader {
        let text = "announced: faults can target \"leader\"";
        page.write_line(out, (plain, "leader    "), text)?;
    }
    if entry.has_corruptible_state {
        let text = "can be corrupted: state_corruption in [[fault]]";
        page.write_line(out, (plain, "state     "), text)?;
    }
    keys(out, "[params]", (entry.params_schema)().as_value(), page)?;
    keys(out, "[workload]", (entry.workload_schema)().as_value(), page)?;
    writeln!(out, "\nProperties")?;
    table(out, &property_rows(entry), page)?;
    if !entry.mutants.is_empty() {
        writeln!(out)?;
        let text = "params.mutant = \"…\" breaks the protocol or one of its assumptions";
        page.write_line(out, (plain, "Mutants: "), text)?;
    }
    let rows: Vec<[String; 4]> = entry
        .mutants
        .iter()
        .map(|mutant| {
            let violates = format!("violates {}", mutant.violates);
            [mutant.name.to_owned(), violates, how(mutant), mutant.changes.to_owned()]
        })
        .collect();
    table(out, &rows, page)?;
    if !entry.adversaries.is_empty() {
        writeln!(out)?;
        let text = "behaviour = { custom = \"…\" } of a `byzantine` fault";
        page.write_line(out, (plain, "Adversaries: "), text)?;
    }
    let row = |adversary: &AdversaryInfo| [adversary.name, adversary.summary].map(str::to_owned);
    table(out, &entry.adversaries.iter().map(row).collect::<Vec<_>>(), page)
}

/// The problem and the system model, as names and values.
pub(super) fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let model = &entry.model;
    let stated_for = entry.spec_faults.iter().map(|class| class.as_str());
    let stated_for = stated_for.collect::<Vec<_>>().join(", ");
    vec![
        ("solves", format!("{} (a spec for these faults: {stated_for})", entry.spec)),
        ("timing", model.timing.as_str().to_owned()),
        ("faults", model.faults.as_str().to_owned()),
        ("bound", model.bound.to_string()),
        ("links", links_meaning(model.links).to_owned()),
        ("detector", model.detector.as_str().to_owned()),
    ]
}

/// The properties: name, whether the protocol owes it, kind, requirement.
pub(super) fn property_rows(entry: &Entry) -> Vec<[String; 4]> {
    let rows = entry.properties.iter();
    let row = |p: &PropertyInfo| [p.id.0, owed(entry, p), kind_text(p.kind), p.text];
    rows.map(|p| row(p).map(str::to_owned)).collect()
}

/// Whether a mutant changes the code, or which assumption it breaks.
pub(super) fn how(mutant: &Mutant) -> String {
    match mutant.kind {
        MutantKind::Code => "in its code".to_owned(),
        MutantKind::Assumption { key, restored: None } => format!("by `{key}`"),
        MutantKind::Assumption { key, restored: Some(value) } => {
            format!("by `{key}` other than {value}")
        }
    }
}

/// Writes the keys of one section.
fn keys(out: &mut impl Write, section: &str, schema: &Value, page: Page) -> io::Result<()> {
    let rows = key_rows(schema);
    writeln!(out, "\n{section}{}", if rows.is_empty() { " has no keys" } else { "" })?;
    table(out, &rows, page)
}

/// The keys of a section: name, type, default, meaning.
pub(super) fn key_rows(schema: &Value) -> Vec<[String; 4]> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let row = |(name, property): (&String, &Value)| {
        let default = match &property["default"] {
            Value::Null => "no default".to_owned(),
            default => format!("default {default}"),
        };
        let text = property["description"].as_str().unwrap_or_default().replace('\n', " ");
        [name.clone(), type_text(property, schema), default, text]
    };
    properties.iter().map(row).collect()
}

/// A type in words, as far as its schema determines it.
fn type_text(property: &Value, root: &Value) -> String {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        let target = &root["$defs"][name];
        return match alternatives(target) {
            Some(values) => values,
            None => spaced(name),
        };
    }
    if let Some(values) = alternatives(property) {
        return values;
    }
    let any = property["anyOf"].as_array().or_else(|| property["oneOf"].as_array());
    if let Some(shapes) = any {
        let shapes = shapes.iter().map(|shape| type_text(shape, root));
        return shapes.filter(|shape| shape != "null").collect::<Vec<_>>().join(" or ");
    }
    let kinds: Vec<&str> = match &property["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
        }
        _ => Vec::new(),
    };
    match kinds.as_slice() {
        ["array"] => format!("list of {}", type_text(&property["items"], root)),
        ["integer"] if property["minimum"] == json!(0) => "count".to_owned(),
        [] => "anything".to_owned(),
        kinds => kinds.join(" or "),
    }
}

/// `"a" or "b"` for an enumeration.
fn alternatives(schema: &Value) -> Option<String> {
    let constants = |values: &[Value]| {
        let texts: Option<Vec<String>> =
            values.iter().map(|v| v.as_str().map(|s| format!("{s:?}"))).collect();
        texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" or "))
    };
    if let Some(values) = schema["enum"].as_array() {
        return constants(values);
    }
    let shapes = schema["oneOf"].as_array()?;
    let values: Vec<Value> = shapes.iter().map(|shape| shape["const"].clone()).collect();
    constants(&values)
}

/// `DurationRange` becomes `duration range`, `ProcessId` `process id`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

fn entry_json(entry: &Entry) -> Value {
    let model = &entry.model;
    let properties = entry.properties.iter().map(|property| {
        json!({
            "name": property.id,
            "kind": property.kind,
            "standing": standing_text(property.standing),
            "claimed": (entry.claims)().contains(&property.id),
            "text": property.text,
        })
    });
    let mutants = entry.mutants.iter().map(|mutant| {
        let (kind, key, restored) = match mutant.kind {
            MutantKind::Code => ("code", None, None),
            MutantKind::Assumption { key, restored } => ("assumption", Some(key), restored),
        };
        json!({
            "name": mutant.name,
            "changes": mutant.changes,
            "violates": mutant.violates,
            "kind": kind,
            "key": key,
            "restored": restored,
        })
    });
    let adversaries = entry
        .adversaries
        .iter()
        .map(|adversary| json!({ "name": adversary.name, "summary": adversary.summary }));
    json!({
        "name": entry.name,
        "summary": entry.summary,
        "spec": entry.spec,
        "spec_faults": entry.spec_faults.iter().map(|class| class.as_str()).collect::<Vec<_>>(),
        "roles": entry.roles,
        "model": {
            "timing": model.timing.as_str(),
            "faults": model.faults.as_str(),
            "bound": model.bound.to_string(),
            "links": model.links.as_str(),
            "detector": model.detector.as_str(),
            },
        "source": entry.source,
        "properties": properties.collect::<Vec<_>>(),
        "mutants": mutants.collect::<Vec<_>>(),
        "adversaries": adversaries.collect::<Vec<_>>(),
        "params": (entry.params_schema)(),
        "workload": (entry.workload_schema)(),
    })
}

/// Writes rows in columns that fit the page.
fn table<const COLUMNS: usize>(
    out: &mut impl Write,
    rows: &[[String; COLUMNS]],
    page: Page,
) -> io::Result<()> {
    let row = |row: &[String; COLUMNS]| {
        TableRow::from(std::array::from_fn(|column| line(&row[column]).into_owned()))
    };
    let rows: Vec<TableRow<COLUMNS>> = rows.iter().map(row).collect();
    page.write_table(out, &rows)
}

const fn links_meaning(links: Links) -> &'static str {
    match links {
        Links::FairLoss => {
            "fair-loss: they may lose messages, and duplicate each one finitely often"
        }
        Links::Reliable | Links::ReliableFifo => links.as_str(),
    }
}

/// Whether a protocol must satisfy a property with its default parameters.
fn owed(entry: &Entry, property: &PropertyInfo) -> &'static str {
    match property.standing {
        Standing::Core => "core",
        Standing::Claim if (entry.claims)().contains(&property.id) => "claimed",
        Standing::Claim => "not claimed",
    }
}

const fn standing_text(standing: Standing) -> &'static str {
    match standing {
        Standing::Core => "core",
        Standing::Claim => "claim",
    }
}

const fn kind_text(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Safety => "safety",
        PropertyKind::Liveness => "liveness",
    }
}
