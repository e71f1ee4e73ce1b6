//! The README's table of protocols is what the catalogue says of them.

use expect_test::expect_file;
use ftsim::Catalogue;

const HEAD: &str = "| protocol | what it is | faults | bound | source |\n|---|---|---|---|---|\n";

#[test]
fn the_table_of_protocols_is_made_from_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).expect("a README");
    let (before, rest) = text.split_once(HEAD).expect("the head of the table");
    let (_, after) = rest.split_once("\n\n").expect("an end of the table");
    let catalogue = Catalogue::builtin();
    let rows = catalogue.entries().iter().map(|entry| {
        let (faults, bound) = (entry.model.faults.as_str(), entry.model.bound);
        format!("| `{}` | {} | {faults} | {bound} | {} |", entry.name, entry.summary, entry.source)
    });
    let rows: Vec<String> = rows.collect();
    expect_file![path].assert_eq(&format!("{before}{HEAD}{}\n\n{after}", rows.join("\n")));
}
