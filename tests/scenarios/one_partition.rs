//! One story under many protocols: the scenarios `one-partition-*` have the same world.

use std::fs;
use std::path::Path;

#[test]
fn they_differ_in_nothing_but_the_protocol_and_what_becomes_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/replication");
    let mut worlds = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with("one-partition-") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a scenario");
        let mut world: toml::Table = text.parse().expect("TOML");
        for key in ["protocol", "summary", "reference", "params", "expect"] {
            world.remove(key);
        }
        worlds.push((name, world));
    }
    assert!(worlds.len() >= 9, "{worlds:?}");
    for (name, world) in &worlds {
        assert_eq!(*world, worlds[0].1, "{name} and {}", worlds[0].0);
    }
}
