//! Every scenario comes out as it says, and nothing falls within the model.

use crate::skeleton::Skeleton;

fn run(args: &[&str]) -> u8 {
    let words = ["own-protocol"].iter().chain(args).map(Into::into);
    ftsim::main_with(words, &own_protocol::catalogue().with::<Skeleton>())
}

#[test]
fn scenarios_come_out_as_they_expect() {
    assert_eq!(run(&["run", concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")]), 0);
}

#[test]
fn nothing_falls_within_its_model_and_it_falls_beyond() {
    assert_eq!(run(&["stress", "token-ring", "--quiet"]), 0);
    assert_eq!(run(&["stress", "token-ring", "--quiet", "--beyond"]), 0);
}

#[test]
fn what_new_protocol_writes_is_a_protocol() {
    assert_eq!(run(&["describe", "skeleton"]), 0);
    assert_eq!(run(&["stress", "skeleton", "--quiet"]), 0);
}

#[test]
fn the_commands_of_the_page_work() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let page = std::fs::read_to_string(format!("{root}/docs/add-a-protocol.md")).expect("a page");
    let commands =
        page.lines().filter_map(|line| line.strip_prefix("    cargo run -p own-protocol -- "));
    let commands: Vec<String> =
        commands.map(|words| words.replace("examples/", &format!("{root}/examples/"))).collect();
    assert_eq!(commands.len(), 5, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(run(&words), 0, "{command}");
    }
}
