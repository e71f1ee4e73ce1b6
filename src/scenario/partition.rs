//! `partition`: which links are cut.

use ftsim_core::ProcessId;
use ftsim_core::environment::network::Cut;
use ftsim_core::fault::choice::TargetRule;
use ftsim_core::fault::condition::Condition;

use super::faults::Reader;
use super::problems::Problems;
use crate::scenario::file::{PartitionFile, Shape, Targets};

/// In a smaller ring every process hears all others.
pub const RING_COUNT_MIN: u32 = 4;

impl Reader<'_> {
    /// The partition; one for each process that the seed may isolate.
    pub(super) fn cuts(
        &self,
        problems: &mut Problems<'_>,
        file: &PartitionFile,
    ) -> Option<Vec<Condition>> {
        let cut = |cut| Condition::Partition(cut);
        let isolated = file.process.as_ref().filter(|_| file.shape == Shape::Isolate);
        self.chosen.set(isolated.and_then(|process| self.choice(process)));
        match self.chosen.get() {
            None => Some(vec![cut(self.cut(problems, file)?)]),
            Some(TargetRule::Any | TargetRule::Leader) => {
                let alone = |p| cut(Cut::Groups(vec![vec![p]]));
                Some(self.around.setting.processes().map(alone).collect())
            }
            Some(of @ (TargetRule::Minority | TargetRule::Majority)) => {
                problems
                    .value(
                        &self.at("partition.process"),
                        format!("{of} cannot be isolated one by one"),
                    )
                    .help("write shape = \"halves\", or partition = { … } in [random]");
                None
            }
        }
    }

    /// Which links the partition cuts.
    fn cut(&self, problems: &mut Problems<'_>, file: &PartitionFile) -> Option<Cut> {
        let PartitionFile { shape, process, from, to, links, groups, ring } = file;
        let (name, needs): (_, &[&str]) = match shape {
            Shape::Halves => ("halves", &[]),
            Shape::Isolate => ("isolate", &["process"]),
            Shape::OneWay => ("one-way", &["from", "to"]),
            Shape::Links => ("links", &["links"]),
            Shape::Groups => ("groups", &["groups"]),
            Shape::Bridge if groups.is_some() => ("bridge", &["groups"]),
            Shape::Bridge => ("bridge", &["process"]),
            Shape::RingOfMajorities if ring.is_some() => ("ring-of-majorities", &["ring"]),
            Shape::RingOfMajorities => ("ring-of-majorities", &[]),
        };
        let given = [
            ("process", process.is_some()),
            ("from", from.is_some()),
            ("to", to.is_some()),
            ("links", links.is_some()),
            ("groups", groups.is_some()),
            ("ring", ring.is_some()),
        ];
        let path = |key: &str| self.at(&format!("partition.{key}"));
        let mut sound = true;
        for (key, given) in given {
            if given != needs.contains(&key) {
                sound = false;
                if given {
                    problems
                        .key(&path(key), format!("`{key}` does not apply to the shape `{name}`"));
                } else {
                    let message = format!("the shape `{name}` needs `{key}`");
                    problems.value(&self.at("partition"), message);
                }
            }
        }
        if !sound {
            return None;
        }
        let names = self.around.names;
        match shape {
            Shape::Halves => {
                let lower = self.around.setting.n.div_ceil(2);
                Some(Cut::Groups(vec![(0..lower).map(ProcessId).collect()]))
            }
            Shape::Isolate => {
                let isolated = names.many(problems, &path("process"), process.as_ref()?)?;
                Some(Cut::Groups(vec![isolated]))
            }
            Shape::OneWay => {
                let from = names.many(problems, &path("from"), from.as_ref()?);
                let to = names.many(problems, &path("to"), to.as_ref()?);
                Some(Cut::OneWay { from: from?, to: to? })
            }
            Shape::Links => {
                let mut cut = Vec::new();
                for (index, (from, to)) in links.iter().flatten().enumerate() {
                    let end = |side| format!("{}[{index}][{side}]", path("links"));
                    let from = names.one(problems, &end(0), from);
                    let to = names.one(problems, &end(1), to);
                    cut.push(from.zip(to));
                }
                if cut.is_empty() {
                    problems.value(&path("links"), "no link is named here");
                    return None;
                }
                cut.into_iter().collect::<Option<_>>().map(Cut::Links)
            }
            Shape::Bridge if groups.is_some() => {
                let cut = self.groups(problems, &path("groups"), groups.as_deref()?)?;
                let Cut::Groups(mut sides) = cut else { return None };
                let (Some(right), Some(left), true) = (sides.pop(), sides.pop(), sides.is_empty())
                else {
                    problems.value(&path("groups"), "a bridge has two sides");
                    return None;
                };
                Some(Cut::Bridge { left, right })
            }
            Shape::Bridge => {
                let bridge = names.many(problems, &path("process"), process.as_ref()?)?;
                let sides = self.around.setting.processes().filter(|p| !bridge.contains(p));
                let sides: Vec<ProcessId> = sides.collect();
                let (left, right) = sides.split_at(sides.len().div_ceil(2));
                if right.is_empty() {
                    problems.value(&path("process"), "too few others for two sides");
                    return None;
                }
                Some(Cut::Bridge { left: left.to_vec(), right: right.to_vec() })
            }
            Shape::RingOfMajorities => {
                let n = self.around.setting.n;
                if n < RING_COUNT_MIN {
                    let message = format!("in a ring of {n} processes each hears all");
                    problems
                        .value(&path("shape"), message)
                        .label(format!("expected at least {RING_COUNT_MIN} processes"));
                    return None;
                }
                match ring {
                    Some(ring) => self.ring(problems, &path("ring"), ring),
                    None => Some(Cut::RingOfMajorities(self.around.setting.processes().collect())),
                }
            }
            Shape::Groups => self.groups(problems, &path("groups"), groups.as_deref()?),
        }
    }

    fn ring(&self, problems: &mut Problems<'_>, path: &str, ring: &[String]) -> Option<Cut> {
        let one = |(index, name): (usize, &String)| {
            self.around.names.one(problems, &format!("{path}[{index}]"), name)
        };
        let order: Vec<ProcessId> = ring.iter().enumerate().map(one).collect::<Option<_>>()?;
        let mut each = order.clone();
        each.sort_unstable();
        if !each.iter().copied().eq(self.around.setting.processes()) {
            problems.value(path, "a ring names every process once");
            return None;
        }
        Some(Cut::RingOfMajorities(order))
    }

    fn groups(&self, problems: &mut Problems<'_>, path: &str, groups: &[Targets]) -> Option<Cut> {
        let mut cut: Vec<Vec<ProcessId>> = Vec::new();
        let mut sound = true;
        for (index, group) in groups.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let Some(group) = self.around.names.many(problems, &path, group) else {
                sound = false;
                continue;
            };
            if let Some(twice) = group.iter().find(|p| cut.iter().any(|other| other.contains(p))) {
                problems.value(&path, format!("{twice} is already in another group"));
                sound = false;
            }
            cut.push(group);
        }
        if groups.is_empty() {
            problems.value(path, "no group is named here");
        }
        (sound && !cut.is_empty()).then_some(Cut::Groups(cut))
    }
}
