//! Guards against panics: any damage to a scenario is judged, not obeyed.

use annotate_snippets::Renderer;
use ftsim::scenario::Scenario;

use super::{EVERYTHING, catalogue};

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

    /// Any damage to a good scenario is refused or accepted, and never panics.
    #[test]
    fn damaged_scenarios_are_judged_not_obeyed(
        edits in proptest::collection::vec(
            (0usize..2_000, 0usize..3, 0usize..SNIPPETS.len()),
            1..4,
        ),
    ) {
        let mut text = EVERYTHING.to_owned();
        for (at, length, snippet) in edits {
            let mut lines: Vec<&str> = text.lines().collect();
            let line = at % lines.len().max(1);
            let damaged;
            if line < lines.len() {
                let old = lines[line];
                let middle = old.char_indices().nth(at % 17).map_or(old.len(), |(i, _)| i);
                damaged = match length {
                    0 => format!("{}{}", &old[..middle], SNIPPETS[snippet]),
                    1 => format!("{}{}{}", &old[..middle], SNIPPETS[snippet], &old[middle..]),
                    _ => match old.split_once('=') {
                        Some((key, _)) => format!("{key}= {}", SNIPPETS[snippet]),
                        None => SNIPPETS[snippet].to_owned(),
                    },
                };
                lines[line] = &damaged;
            }
            text = lines.join("\n");
        }
        if let Err(diagnostics) = Scenario::parse("x.toml", &text, &catalogue()) {
            proptest::prop_assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                diagnostic.render(&Renderer::plain());
            }
        }
    }

    /// So does no text at all.
    #[test]
    fn any_text_is_judged(text in ".*") {
        let result = Scenario::parse("x.toml", &text, &catalogue());
        for diagnostic in result.err().unwrap_or_default() {
            diagnostic.render(&Renderer::plain());
        }
    }
}

/// What damaged scenarios are damaged with.
const SNIPPETS: &[&str] = &[
    "",
    "0",
    "-1",
    "9223372036854775807",
    "99999999999999999999999",
    "1e308",
    "nan",
    "-inf",
    "\"\"",
    "\"p0\"",
    "\"p99999999999\"",
    "\"all\"",
    "\"1000000h\"",
    "\"584942417355ms\"",
    "\"0ns\"",
    "\"é\u{301}\"",
    "[]",
    "[[]]",
    "{}",
    "{ a = 1 }",
    "true",
    "1979-05-27",
    "\"\"\"",
    "[[fault]]",
    "[x",
    "\u{0}",
    "\t\r",
    "\"unknown field `x`, expected `y`\"",
];
