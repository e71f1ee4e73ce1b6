//! `uniform-rb` with `variant = "all-ack"` waits for suspicions, and passed the check without a
//! failure detector: one crash, and it waited for ever.

use super::parse;

fn uniform_rb(variant: &str, rest: &str) -> Result<(), String> {
    let head = "protocol = \"uniform-rb\"\nprocesses = 3\n";
    parse(&format!("{head}params = {{ variant = \"{variant}\" }}\n{rest}")).map(drop)
}

#[test]
fn uniform_rb_that_waits_for_all_is_refused_without_a_detector() {
    for rest in ["", "detector = { kind = \"omega\" }"] {
        let told = uniform_rb("all-ack", rest).expect_err("nobody is ever suspected");
        assert!(told.contains("needs a perfect failure detector"), "{told}");
        assert!(told.contains("found.toml:"), "{told}");
    }
    // All-ack is the default.
    assert!(parse("protocol = \"uniform-rb\"\nprocesses = 3\n").is_err());
}

#[test]
fn uniform_rb_is_accepted_with_what_suspects_or_with_a_majority() {
    let heartbeats = "detector = { kind = \"heartbeat\", period = \"10ms\", timeout = \"50ms\" }";
    let none = "detector = { kind = \"none\" }"; // Whoever says so means it.
    for rest in ["detector = { kind = \"perfect\" }", heartbeats, none] {
        assert_eq!(uniform_rb("all-ack", rest), Ok(()));
    }
    assert_eq!(uniform_rb("majority", ""), Ok(()));
}
