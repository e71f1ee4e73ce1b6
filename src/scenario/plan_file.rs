//! Faults as a scenario writes them: the other direction of [`crate::scenario`].

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::clock::Shift;
use ftsim_core::environment::network::Cut;
use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::{Action, Crash, Fault, InFlight, Trigger};
use ftsim_core::{Duration, Probability, ProcessId, ProcessSet};
use toml_edit::{Array, InlineTable, Table, Value, value};

/// One `[[fault]]`; `None` for what a scenario says in another way: a fault that this run does not
/// have, and one that strikes whoever leads.
pub fn fault(fault: &Fault) -> Option<Table> {
    let mut table = Table::new();
    trigger(&mut table, &fault.trigger)?;
    match &fault.action {
        Action::Start(process) => put(&mut table, "start", process.to_string()),
        Action::Crash(process, how) => crash(&mut table, *process, how),
        Action::Damage(process, damage) => self::damage(&mut table, *process, *damage),
        Action::Pause { process, resume_after } => {
            put(&mut table, "pause", process.to_string());
            put_some(&mut table, "resume_after", resume_after.map(text));
        }
        Action::Resume { process } => put(&mut table, "resume", process.to_string()),
        Action::Corrupt(process, behaviour) => {
            put(&mut table, "byzantine", process.to_string());
            put(&mut table, "behaviour", self::behaviour(behaviour));
        }
        Action::CorruptState(process) => put(&mut table, "state_corruption", process.to_string()),
        Action::Jump(process, by) => put(&mut table, "jump", inline(shift(*process, *by))),
        Action::Begin(condition, persistence) => {
            let (key, how) = self::condition(condition);
            put(&mut table, key, how);
            self::persistence(&mut table, *persistence);
        }
        Action::Heal => put(&mut table, "heal", true),
        Action::IfLeads(..) => return None,
    }
    Some(table)
}

fn trigger(table: &mut Table, trigger: &Trigger) -> Option<()> {
    match trigger {
        Trigger::At(at) => put(table, "at", at.to_string()),
        Trigger::AfterEffect { process, nth } => {
            let when = inline([("process", process.to_string().into()), ("nth", number(*nth))]);
            put(table, "after_effect", when);
        }
        Trigger::Sends { process, kind, nth } => {
            let when = inline([
                ("process", process.to_string().into()),
                ("sends", kind.as_str().into()),
                ("nth", number(*nth)),
            ]);
            put(table, "when", when);
        }
        Trigger::Never => return None,
    }
    Some(())
}

fn crash(table: &mut Table, process: ProcessId, how: &Crash) {
    let Crash { recover_after, in_flight, disk, announced } = how;
    put(table, if *announced { "exception" } else { "crash" }, process.to_string());
    put_some(table, "recover_after", recover_after.map(text));
    match in_flight {
        InFlight::Keep => {}
        InFlight::Lose => put(table, "in_flight", "lose"),
    }
    put_some(table, "on_crash", disk.map(on_crash));
}

const fn on_crash(disk: OnCrash) -> &'static str {
    match disk {
        OnCrash::LoseUnsynced => "lose-unsynced",
        OnCrash::KeepAll => "keep-all",
        OnCrash::KeepPrefix => "keep-prefix",
        OnCrash::KeepSubset => "keep-subset",
        OnCrash::TornLast => "torn-last",
        OnCrash::LoseAll => "lose-all",
    }
}

fn damage(table: &mut Table, process: ProcessId, damage: DiskFault) {
    let process = process.to_string();
    match damage {
        DiskFault::CorruptRecord => put(table, "corrupt_record", process),
        DiskFault::LoseDisk => put(table, "lose_disk", process),
        DiskFault::Rollback(records) => {
            let how = [("process", process.into()), ("records", i64::from(records).into())];
            put(table, "rollback", inline(how));
        }
    }
}

fn behaviour(behaviour: &Behaviour) -> Value {
    match behaviour {
        Behaviour::Silent => "silent".into(),
        Behaviour::Withhold(from) => inline([("withhold", set(from))]),
        Behaviour::Equivocate => "equivocate".into(),
        Behaviour::Mutate => "mutate".into(),
        Behaviour::Replay => "replay".into(),
        Behaviour::Delay(longest) => inline([("delay", text(*longest).into())]),
        Behaviour::Collude(circle) => inline([("collude", inline([("with", set(circle))]))]),
        Behaviour::Custom(name) => inline([("custom", name.as_str().into())]),
        Behaviour::Twins => "twins".into(),
        Behaviour::Random => "random".into(),
    }
}

/// The key of a condition, and its value.
fn condition(condition: &Condition) -> (&'static str, Value) {
    let process = |p: &ProcessId| ("process", Value::from(p.to_string()));
    match condition {
        Condition::Partition(cut) => ("partition", partition(cut)),
        Condition::SendOmission(p, of, chance) => {
            ("send_omission", on(of, [process(p), likely(*chance)]))
        }
        Condition::ReceiveOmission(p, of, chance) => {
            ("receive_omission", on(of, [process(p), likely(*chance)]))
        }
        Condition::Loss(of, chance) => ("loss", on(of, [likely(*chance)])),
        Condition::Duplicate(of, chance) => ("duplicate", on(of, [likely(*chance)])),
        Condition::Late(of, by) => ("late", on(of, [("by", text(*by).into())])),
        Condition::Delay(of, by) => ("delay", on(of, [("by", by.to_string().into())])),
        Condition::Reorder(of, chance, within) => {
            ("reorder", on(of, [likely(*chance), ("within", text(*within).into())]))
        }
        Condition::Replay(of, chance) => ("replay", on(of, [likely(*chance)])),
        Condition::Garble(of, chance) => ("corrupt", on(of, [likely(*chance)])),
        Condition::Bandwidth(of, rate) => {
            ("bandwidth", on(of, [("rate", format!("{rate}B/s").into())]))
        }
        Condition::Clog(of) => ("clog", on(of, [])),
        Condition::Skew(p, by) => ("skew", inline(shift(*p, *by))),
        Condition::Drift(p, ppm) => {
            ("drift", inline([process(p), ("by", format!("{ppm}ppm").into())]))
        }
        Condition::Freeze(p) => ("freeze", p.to_string().into()),
        Condition::Slow(p, factor) => {
            ("slow", inline([process(p), ("factor", i64::from(*factor).into())]))
        }
        Condition::SyncFails(p) => ("sync_fails", p.to_string().into()),
        Condition::SlowSync(p, by) => ("slow_sync", inline([process(p), ("by", text(*by).into())])),
        Condition::DiskFull(p) => ("full", p.to_string().into()),
    }
}

/// Something about these links.
fn on<const N: usize>(links: &Links, what: [(&'static str, Value); N]) -> Value {
    let from = links.from.as_ref().map(|from| ("from", set(from)));
    let to = links.to.as_ref().map(|to| ("to", set(to)));
    inline(what.into_iter().chain(from).chain(to))
}

fn shift(process: ProcessId, by: Shift) -> [(&'static str, Value); 2] {
    let by = match by {
        Shift::Ahead(by) => ("ahead", text(by).into()),
        Shift::Behind(by) => ("behind", text(by).into()),
    };
    [("process", process.to_string().into()), by]
}

fn partition(cut: &Cut) -> Value {
    match cut {
        Cut::Groups(groups) => {
            let groups: Array = groups.iter().map(|group| list(group.iter().copied())).collect();
            inline([("shape", "groups".into()), ("groups", groups.into())])
        }
        Cut::OneWay { from, to } => {
            let (from, to) = (list(from.iter().copied()), list(to.iter().copied()));
            inline([("shape", "one-way".into()), ("from", from), ("to", to)])
        }
        Cut::Links(links) => {
            let links: Array = links.iter().map(|(from, to)| list([*from, *to])).collect();
            inline([("shape", "links".into()), ("links", links.into())])
        }
        Cut::Bridge { left, right } => {
            let sides: Array =
                [left, right].map(|side| list(side.iter().copied())).into_iter().collect();
            inline([("shape", "bridge".into()), ("groups", sides.into())])
        }
        Cut::RingOfMajorities(ring) => {
            let ring = list(ring.iter().copied());
            inline([("shape", "ring-of-majorities".into()), ("ring", ring)])
        }
    }
}

fn persistence(table: &mut Table, persistence: Persistence) {
    match persistence {
        Persistence::Transient(duration) => put(table, "duration", text(duration)),
        Persistence::Intermittent { period, on } => {
            put(table, "period", text(period));
            put(table, "on", text(on));
        }
        Persistence::Permanent => {}
    }
}

fn likely(chance: Probability) -> (&'static str, Value) {
    let number: f64 = chance.to_string().parse().expect("a probability is shown as a number");
    ("probability", number.into())
}

fn text(duration: Duration) -> String {
    duration.to_string()
}

/// Counts are far below what TOML can say.
fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

fn set(processes: &ProcessSet) -> Value {
    list(processes.iter())
}

fn list(processes: impl IntoIterator<Item = ProcessId>) -> Value {
    let names: Array = processes.into_iter().map(|p| p.to_string()).collect();
    names.into()
}

fn inline(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    InlineTable::from_iter(entries).into()
}

fn put(table: &mut Table, key: &str, what: impl Into<Value>) {
    table.insert(key, value(what));
}

fn put_some(table: &mut Table, key: &str, what: Option<impl Into<Value>>) {
    if let Some(what) = what {
        put(table, key, what);
    }
}

#[cfg(test)]
mod tests;
