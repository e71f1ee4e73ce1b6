//! Draws the faults of one class, all of which end long before the last third of a run.

use ftsim_core::rng::Rng;
use ftsim_core::{Entry, Model, Timing};
use serde_json::{Map, Value, json};

use super::class::Class;

/// The times within which faults strike, in milliseconds.
const WINDOWS_MS: [u64; 4] = [5, 30, 100, 300];
/// How long they last, in milliseconds.
const LASTING_MS: [(u64, u64); 3] = [(1, 30), (1, 200), (100, 1_000)];
/// How long a process stays down that recovers, in milliseconds.
const DOWN_MS: [(u64, u64); 3] = [(1, 10), (1, 300), (50, 150)];
/// The numbers of effects among which a crash strikes.
const EFFECTS: [u64; 3] = [3, 10, 30];
/// The greatest number of times that a detector is wrong in a run.
const MISTAKES_MAX: u64 = 3;
/// The greatest number of faults of links in a run.
const LINK_FAULTS_MAX: u64 = 3;

/// The source of faults, and what they can strike.
pub struct Draws<'a> {
    pub entry: &'a Entry,
    pub model: &'a Model,
    /// The processes, of which the victims come first.
    pub processes: Vec<String>,
    /// The number of victims.
    pub faulty: usize,
    pub rng: &'a mut Rng,
    window_ms: u64,
    lasting_ms: (u64, u64),
}

impl<'a> Draws<'a> {
    pub fn new(
        entry: &'a Entry,
        model: &'a Model,
        (processes, faulty): (Vec<String>, usize),
        rng: &'a mut Rng,
    ) -> Self {
        let mut draws = Self {
            entry,
            model,
            processes,
            faulty,
            rng,
            window_ms: WINDOWS_MS[0],
            lasting_ms: LASTING_MS[0],
        };
        draws.window_ms = draws.pick(&WINDOWS_MS);
        draws.lasting_ms = draws.pick(&LASTING_MS);
        draws
    }

    /// The faults of this class.
    pub fn faults(&mut self, class: Class) -> Vec<Value> {
        if !class.is_of_processes() {
            let count = match class {
                Class::None | Class::Suspicions => 0,
                Class::Partition => self.rng.between(1, 2),
                _ => self.rng.between(1, LINK_FAULTS_MAX),
            };
            return (0..count).map(|_| self.of_links(class)).collect();
        }
        let victims = self.processes[..self.faulty.min(self.processes.len())].to_vec();
        victims.iter().flat_map(|victim| self.of_process(class, victim)).collect()
    }

    /// Wrong suspicions for a while: of one process by one or by all others, or between two sides.
    pub fn mistakes(&mut self) -> Vec<Value> {
        let count = self.rng.between(1, MISTAKES_MAX);
        let mut mistakes = Vec::new();
        for _ in 0..count {
            let mut all = self.processes.clone();
            self.rng.shuffle(&mut all);
            let sides = match self.rng.below(3) {
                0 => all.split_at(1),
                1 => (&all[..1], &all[1..all.len().min(2)]),
                _ => all.split_at(all.len() / 2),
            };
            let is_mutual = self.one_in(2);
            let at = if self.one_in(2) { 0 } else { self.rng.below(self.window_ms) };
            let until = at + self.rng.between(self.lasting_ms.0, self.lasting_ms.1);
            let (at, until) = (format!("{at}ms"), format!("{until}ms"));
            let mut suspect = |observer: &String, suspects: &String| {
                mistakes.push(json!({
                    "observer": observer, "suspects": suspects, "at": at, "until": until,
                }));
            };
            for (one, other) in
                sides.0.iter().flat_map(|one| sides.1.iter().map(move |other| (one, other)))
            {
                suspect(other, one);
                if is_mutual {
                    suspect(one, other);
                }
            }
        }
        mistakes
    }

    /// The faults of one victim.
    fn of_process(&mut self, class: Class, victim: &str) -> Vec<Value> {
        match class {
            Class::Crash => vec![self.crash(victim, "crash", json!({}))],
            Class::Exception => vec![self.crash(victim, "exception", json!({}))],
            Class::CrashRecovery | Class::Amnesia => {
                let extra =
                    if class == Class::Amnesia { json!({ "amnesia": true }) } else { json!({}) };
                let count = self.rng.between(1, 2);
                (0..count).map(|_| self.restart(victim, &extra)).collect()
            }
            Class::Pause => {
                let at = self.at();
                let after = self.lasting();
                vec![json!({ "at": at, "pause": victim, "resume_after": after })]
            }
            Class::Omission => self.some(2, |draws| draws.omission(victim)),
            Class::Timing => self.some(2, |draws| draws.slowness(victim)),
            Class::WrongValue => {
                let at = self.at_first_or_later();
                vec![json!({ "at": at, "wrong_value": victim })]
            }
            Class::Byzantine => {
                let at = self.at_first_or_later();
                let behaviour = self.behaviour();
                vec![json!({ "at": at, "byzantine": victim, "behaviour": behaviour })]
            }
            Class::StateCorruption => self.some(3, |draws| {
                let at = draws.at();
                json!({ "at": at, "state_corruption": victim })
            }),
            Class::Clocks => self.some(2, |draws| draws.clock(victim)),
            Class::Disks => self.disk(victim),
            _ => Vec::new(),
        }
    }

    fn some(&mut self, max: u64, mut draw: impl FnMut(&mut Self) -> Value) -> Vec<Value> {
        let count = self.rng.between(1, max);
        (0..count).map(|_| draw(self)).collect()
    }

    /// A crash between two effects or at a time, which may take the messages under way with it.
    fn crash(&mut self, victim: &str, action: &str, extra: Value) -> Value {
        let mut fault = object(extra);
        fault.insert(action.into(), victim.into());
        if self.one_in(2) {
            fault.insert("at".into(), self.at().into());
        } else {
            let most = self.pick(&EFFECTS);
            let nth = self.rng.between(1, most);
            fault.insert("after_effect".into(), json!({ "process": victim, "nth": nth }));
        }
        if self.one_in(2) {
            fault.insert("in_flight".into(), "lose".into());
        }
        fault.into()
    }

    fn restart(&mut self, victim: &str, extra: &Value) -> Value {
        let mut extra = object(extra.clone());
        extra.insert("recover_after".into(), self.down().into());
        self.crash(victim, "crash", extra.into())
    }

    fn omission(&mut self, victim: &str) -> Value {
        let (action, others) = self.pick(&[("send_omission", "to"), ("receive_omission", "from")]);
        let mut omits = object(json!({ "process": victim }));
        if self.one_in(2) {
            omits.insert(others.into(), self.other_than(victim).into());
        }
        omits.insert("probability".into(), self.pick(&[0.3, 1.0]).into());
        self.lasts(action, omits.into())
    }

    fn slowness(&mut self, victim: &str) -> Value {
        if self.one_in(2) {
            let factor = self.pick(&[2, 10, 100]);
            return self.lasts("slow", json!({ "process": victim, "factor": factor }));
        }
        let by = self.pick(&["5ms", "20ms", "100ms"]);
        self.lasts("late", json!({ "process": victim, "by": by }))
    }

    fn behaviour(&mut self) -> Value {
        let mut all: Vec<Value> =
            ["silent", "equivocate", "mutate", "replay", "twins", "random"].map(Into::into).into();
        all.push(json!({ "delay": "30ms" }));
        let custom = self.entry.adversaries.iter();
        all.extend(custom.map(|adversary| json!({ "custom": adversary.name })));
        self.rng.choose(&all).cloned().unwrap_or_default()
    }

    fn clock(&mut self, victim: &str) -> Value {
        let way = self.pick(&["ahead", "behind"]);
        let by = self.pick(&["5ms", "50ms", "1s"]);
        let shift = object(json!({ "process": victim, way: by }));
        match self.rng.below(4) {
            0 => {
                let at = self.at();
                json!({ "at": at, "jump": shift })
            }
            1 => self.lasts("skew", shift.into()),
            2 => {
                let by = self.pick(&["-500000ppm", "-5000ppm", "5000ppm", "900000ppm"]);
                self.lasts("drift", json!({ "process": victim, "by": by }))
            }
            _ => self.lasts("freeze", victim.into()),
        }
    }

    /// A disk that fails or is slow for a while, or one that is found damaged after a crash.
    fn disk(&mut self, victim: &str) -> Vec<Value> {
        match self.rng.below(6) {
            0 => vec![self.lasts("sync_fails", victim.into())],
            1 => vec![self.lasts("full", victim.into())],
            2 => {
                let by = self.pick(&["5ms", "50ms"]);
                vec![self.lasts("slow_sync", json!({ "process": victim, "by": by }))]
            }
            damage => {
                let ms = self.rng.below(self.window_ms);
                let (at, later) = (format!("{ms}ms"), format!("{}ms", ms + 1));
                let damage = match damage {
                    3 => json!({ "at": at, "corrupt_record": victim }),
                    4 => json!({ "at": at, "lose_disk": victim }),
                    _ => {
                        let records = self.rng.between(1, 3);
                        let rollback = json!({ "process": victim, "records": records });
                        json!({ "at": at, "rollback": rollback })
                    }
                };
                let down = self.down();
                vec![damage, json!({ "at": later, "crash": victim, "recover_after": down })]
            }
        }
    }

    /// A fault of some or all links.
    fn of_links(&mut self, class: Class) -> Value {
        if class == Class::Partition {
            let cut = self.cut();
            return self.lasts("partition", cut);
        }
        let mut links = self.links();
        let action = match class {
            Class::Loss => {
                links.insert("probability".into(), self.pick(&[0.1, 0.5, 1.0]).into());
                "loss"
            }
            Class::Duplication => {
                links.insert("probability".into(), self.pick(&[0.2, 1.0]).into());
                self.pick(&["duplicate", "replay"])
            }
            Class::Corruption => {
                links.insert("probability".into(), self.pick(&[0.1, 0.5, 1.0]).into());
                "corrupt"
            }
            Class::Reordering => {
                // All faults together must not exceed a bound.
                let within = match self.model.timing {
                    Timing::Synchronous => "3ms",
                    _ => self.pick(&["9ms", "50ms"]),
                };
                links.insert("within".into(), within.into());
                "reorder"
            }
            _ if self.one_in(3) && self.model.timing != Timing::Synchronous => "clog",
            _ => {
                links.insert("by".into(), self.pick(&["5ms", "20ms", "100ms"]).into());
                "late"
            }
        };
        self.lasts(action, links.into())
    }

    /// All links, those from a process, or those to one.
    fn links(&mut self) -> Map<String, Value> {
        let process = self.any();
        match self.rng.below(3) {
            0 => Map::new(),
            1 => object(json!({ "from": process })),
            _ => object(json!({ "to": process })),
        }
    }

    fn cut(&mut self) -> Value {
        let mut all = self.processes.clone();
        self.rng.shuffle(&mut all);
        let Some((one, others)) = all.split_first() else { return Value::Null };
        match self.rng.below(4) {
            0 => json!({ "shape": "isolate", "process": one }),
            1 => json!({ "shape": "one-way", "from": one, "to": others }),
            2 if all.len() > 2 => json!({ "shape": "bridge", "process": one }),
            _ => json!({ "shape": "groups", "groups": [all[..all.len() / 2]] }),
        }
    }

    fn any(&mut self) -> String {
        self.rng.choose(&self.processes).cloned().unwrap_or_default()
    }

    fn other_than(&mut self, victim: &str) -> String {
        let others: Vec<String> =
            self.processes.iter().filter(|process| *process != victim).cloned().collect();
        self.rng.choose(&others).cloned().unwrap_or_else(|| victim.to_owned())
    }

    /// A fault that begins within the window and lasts for a while.
    #[expect(clippy::needless_pass_by_value, reason = "callers make it for this call")]
    fn lasts(&mut self, action: &str, what: Value) -> Value {
        let at = self.at();
        let duration = self.lasting();
        json!({ "at": at, action: what, "duration": duration })
    }

    fn at(&mut self) -> String {
        format!("{}us", self.rng.below(self.window_ms * 1_000))
    }

    /// Most liars lie from the very beginning.
    fn at_first_or_later(&mut self) -> String {
        if self.one_in(3) { self.at() } else { "0s".to_owned() }
    }

    fn lasting(&mut self) -> String {
        let (least, most) = self.lasting_ms;
        format!("{}ms", self.rng.between(least, most))
    }

    fn down(&mut self) -> String {
        let (least, most) = self.pick(&DOWN_MS);
        format!("{}ms", self.rng.between(least, most))
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.rng.below(of.len() as u64)).unwrap_or(0)]
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(table) => table,
        _ => Map::new(),
    }
}
