//! Pages for a browser: one file each, which needs no other and loads nothing.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::diagram::Diagram;
use crate::foreign::{calm_json, line};
use crate::pair::Pair;

/// What shows a run. It is built from `viewer/`, as its README says.
const VIEWER_SCRIPT: &str = include_str!("../assets/viewer.js");
const VIEWER_STYLE: &str = include_str!("../assets/viewer.css");
/// The licences of the libraries in it, which ask to be in every copy.
const LICENCES: &str = include_str!("../assets/LICENSES");

/// Writes the page of a run.
///
/// # Errors
/// Errors of `out`.
pub fn write_run_page(out: &mut impl Write, diagram: &Diagram) -> io::Result<()> {
    let title = format!("{}, seed {}", line(&diagram.about.scenario), diagram.about.seed);
    let without_script = html! {
        h1 { (title) }
        @if let Some(summary) = &diagram.about.summary { p { (line(summary)) } }
        @if let Some(story) = &diagram.story {
            p { strong { (line(&story.property)) } ": " (line(&story.message)) }
            ol { @for row in &story.rows { li { (row.at) " " (line(&row.text)) } } }
        }
        @for notice in &diagram.about.notices { p { (notice) } }
        p { "The diagram needs JavaScript. As text: " code { (line(&diagram.about.command)) } }
    };
    let page = page(&title, (VIEWER_STYLE, VIEWER_SCRIPT), diagram, &without_script)?;
    out.write_all(page.into_string().as_bytes())
}

/// Writes the page of two runs.
///
/// # Errors
/// Errors of `out`.
pub fn write_pair_page(out: &mut impl Write, pair: &Pair) -> io::Result<()> {
    let names = pair.runs.each_ref().map(|run| (&run.about.scenario, run.about.seed));
    let [(one, seed), (other, other_seed)] = names;
    let (one, other) = (line(one), line(other));
    let title = format!("{one}, seed {seed}, and {other}, seed {other_seed}");
    let without_script = html! {
        h1 { (title) }
        p { "The diagrams need JavaScript. As text: " code { (line(&pair.command)) } }
    };
    let page = page(&title, (VIEWER_STYLE, VIEWER_SCRIPT), pair, &without_script)?;
    out.write_all(page.into_string().as_bytes())
}

/// A page with a style, a script, and data for the script.
fn page(
    title: &str,
    (style, script): (&str, &str),
    data: &impl Serialize,
    without_script: &Markup,
) -> io::Result<Markup> {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    );
    let data = in_script(&serde_json::to_string(data)?);
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                noscript { (without_script) }
                div id="app" {}
                script id="data" type="application/json" { (PreEscaped(data)) }
                script { (PreEscaped(script)) }
                script type="text/plain" { (PreEscaped(in_script(LICENCES))) }
            }
        }
    })
}

/// The source of a content security policy that allows exactly this.
pub(crate) fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that no parser of HTML takes for markup, and whose texts do not change how the page reads
/// in an editor.
fn in_script(json: &str) -> String {
    calm_json(json, &['<', '>', '&'])
}
