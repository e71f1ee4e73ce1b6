//! What the README and `--help` say of the program is what it does.

use std::fs;
use std::path::Path;

use super::{folder, ftsim};

/// `UPDATE_EXPECT=1 cargo test --test found readme` writes the outputs into the README anew. A line
/// `…` stands for what comes up to the first empty line.
#[test]
fn the_readme_shows_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("README.md")).expect("a readable page");
    let (mut told, mut rest, mut count) = (String::new(), page.as_str(), 0);
    while let Some(at) = rest.find("```console\n") {
        let (before, block) = rest.split_at(at + "```console\n".len());
        let (shown, after) = block.split_once("```\n").expect("the end of the block");
        let (line, output) = shown.split_once('\n').expect("a command");
        let arguments = line.strip_prefix("$ ftsim ").expect("a command of ftsim").split(' ');
        let real = ftsim(root, &arguments.collect::<Vec<_>>()).output().expect("ftsim starts");
        let real = String::from_utf8(real.stdout).expect("UTF-8");
        told.push_str(&format!("{before}{line}\n"));
        match real.split_once("\n\n").filter(|_| output.starts_with("…\n")) {
            Some((_, real)) => told.push_str(&format!("…\n{real}```\n")),
            None => told.push_str(&format!("{real}```\n")),
        }
        rest = after;
        count += 1;
    }
    assert!(count >= 3, "the README shows {count} outputs");
    told.push_str(rest);
    expect_test::expect_file![root.join("README.md")].assert_eq(&told);
}

#[test]
fn each_command_tells_only_the_status_that_it_can_have() {
    let folder = folder("help");
    let status = |command: &str| {
        let output = ftsim(&folder, &[command, "--help"]).output().expect("ftsim starts");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        let list = help.split_once("Exit status:\n").expect("a list").1;
        let codes = list.lines().map_while(|line| line.split_whitespace().next()?.parse().ok());
        codes.collect::<Vec<u8>>()
    };
    for (command, codes) in [
        ("run", &[0, 1, 2, 3, 4, 70, 130][..]),
        ("sweep", &[0, 1, 2, 3, 4, 70, 130]),
        ("merge", &[0, 1, 2, 3, 4, 70]),
        ("replay", &[0, 2, 4, 70]),
        ("record", &[0, 2, 4, 70, 130]),
        ("show", &[0, 2, 70]),
        ("shrink", &[0, 1, 2, 70, 130]),
        ("explain", &[0, 1, 2, 4, 70, 130]),
        ("diff", &[0, 1, 2, 70]),
        ("check", &[0, 2, 70]),
        ("check-history", &[0, 1, 2, 3, 70]),
        ("classify", &[0, 2, 3, 70, 130]),
        ("list", &[0, 2, 70]),
    ] {
        assert_eq!(status(command), codes, "{command}");
    }
}
