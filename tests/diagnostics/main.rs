//! Guards what a user is told of a bad scenario: the words, the place, the way out.

mod beyond;
mod conditions;
mod damage;
mod faults;
mod liars;
mod messages;
mod network;
mod random;
#[path = "../shipped/mod.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod shipped;
mod vocabulary;
mod whole;
mod world;

use annotate_snippets::Renderer;
use expect_test::Expect;
use ftsim::Catalogue;
use ftsim::scenario::Scenario;
use ftsim_core::model::adversary::CustomAdversary;
use ftsim_core::{
    Bound, Cx, Duration, Invalid, Model, Mutant, Never, Process, ProcessId, Protocol, Setting,
};
use ftsim_protocols::broadcast::{Beb, EagerRb};
use ftsim_protocols::consensus::FloodSet;
use ftsim_protocols::spec::broadcast::{Broadcast, Request, VALIDITY};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A protocol with roles, parameters, recovery and a mutant of the world. It does nothing.
#[derive(Clone, Debug, Hash)]
struct Idle;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct IdleParams {
    /// How long to wait.
    timeout: Duration,
    /// How often to try.
    tries: u32,
}

impl Default for IdleParams {
    fn default() -> Self {
        Self { timeout: Duration::from_millis(50), tries: 3 }
    }
}

impl Process for Idle {
    type Spec = Broadcast;
    type Msg = ();
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, _: Request, _: &mut Cx<Self>) {}
    fn on_message(&mut self, _: ProcessId, (): (), _: &mut Cx<Self>) {}
}

impl Protocol for Idle {
    const NAME: &'static str = "idle";
    const SUMMARY: &'static str = "does nothing";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.crash_recovery(Bound::ALL_BUT_ONE)
    }
    const ROLES: &'static [&'static str] = &["leader", "worker"];
    const MUTANTS: &'static [Mutant] =
        &[Mutant::assumption("lossy", "links lose", VALIDITY, "network.loss", Some("0.0"))];
    const ADVERSARIES: &'static [CustomAdversary<()>] =
        &[CustomAdversary { name: "gossip", summary: "says it twice", says: |(), _| vec![(), ()] }];
    type Params = IdleParams;
    fn validate(params: &IdleParams, _: &Setting) -> Result<(), Invalid> {
        match params.tries {
            0 => Err(Invalid::new("tries", "it has to try at least once")),
            _ => Ok(()),
        }
    }
    fn new(_: &IdleParams, _: &Setting, _: ProcessId) -> Self {
        Self
    }
}

/// A few protocols that stay as they are, whatever ftsim brings along.
fn catalogue() -> Catalogue {
    Catalogue::default().with::<Beb>().with::<EagerRb>().with::<FloodSet>().with::<Idle>()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(text: &str, expected: Expect) {
    let rendered = match Scenario::parse("x.toml", text, &catalogue()) {
        Ok(_) => "no error\n".to_owned(),
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "an error without a word");
            let render =
                |d: &ftsim::scenario::diagnostic::Diagnostic| d.render(&Renderer::plain()) + "\n";
            diagnostics.iter().map(render).collect::<Vec<_>>().join("\n")
        }
    };
    expected.assert_eq(&rendered);
}

/// After a good beginning for a protocol of one role.
fn beb(rest: &str, expected: Expect) {
    check(&format!("protocol = \"beb\"\nprocesses = 3\n{rest}"), expected);
}

/// After a good beginning for a protocol with roles.
/// A synchronous protocol, with the bound of 10 ms.
fn floodset(rest: &str, expected: Expect) {
    check(&format!("protocol = \"floodset\"\nprocesses = 3\n{rest}"), expected);
}

fn idle(rest: &str, expected: Expect) {
    check(
        &format!("protocol = \"idle\"\nprocesses = {{ leader = 1, worker = 3 }}\n{rest}"),
        expected,
    );
}

/// A scenario with every key there is.
const EVERYTHING: &str = r#"protocol = "idle"
processes = { leader = 1, worker = 3 }
summary = "all keys at once"
reference = "nobody"
check = ["rb.agreement"]
[params]
timeout = "1s"
mutant = "lossy"
[network]
delay = { empirical = [[0.5, "2ms"], [1.0, "20ms"]] }
loss = { burst = { enter = 0.1, leave = 1, loss = 0.5 } }
duplicate = 0.5
order = "fifo"
stabilise_at = "5s"
bound = "10ms"
[[network.link]]
from = "leader"
to = ["p1", "worker"]
delay = { pareto = "1ms", alpha = 1.5, cap = "2s" }
loss = 1
[clocks]
offset = "0ms..2ms"
drift = "-50ppm..50ppm"
[detector]
kind = "perfect"
delay = "5ms..20ms"
mistakes = [{ observer = "leader", suspects = "p1", at = "1ms", until = "5ms" }]
blind = [{ observer = "p2", to = "leader" }]
[storage]
sync_latency = "0ms..1ms"
on_crash = "lose-unsynced"
[[fault]]
at = "1s"
crash = "worker"
recover_after = "1s"
in_flight = "lose"
[[fault]]
when = { process = "leader", sends = "Data", nth = 2 }
pause = ["p1", "p2"]
resume_after = "1s"
[[fault]]
after_effect = { process = "p0", nth = 3 }
resume = "all"
[[fault]]
at = "1s"
partition = { shape = "halves" }
duration = "1s"
[[fault]]
at = "1s"
partition = { shape = "isolate", process = "leader" }
[[fault]]
at = "1s"
partition = { shape = "one-way", from = "leader", to = "worker" }
[[fault]]
at = "1s"
partition = { shape = "links", links = [["p0", "p1"], ["p1", "p0"]] }
[[fault]]
at = "1s"
partition = { shape = "groups", groups = [["p0"], "worker"] }
[[fault]]
at = "2s"
heal = true
[[fault]]
at = "0s"
byzantine = "p3"
behaviour = { withhold = ["p1", "leader"] }
[[fault]]
at = "0s"
byzantine = "worker"
behaviour = "equivocate"
[[fault]]
at = "0s"
wrong_value = "worker"
[[fault]]
at = "0s"
byzantine = ["p1", "p2"]
behaviour = { collude = { with = ["p1", "p2"] } }
[[fault]]
at = "0s"
byzantine = "p1"
behaviour = { delay = "5ms" }
[[fault]]
at = "0s"
byzantine = "p1"
behaviour = { custom = "gossip" }
[[fault]]
at = "1s"
crash = "p1"
on_crash = "torn-last"
[[fault]]
at = "1s"
crash = "p1"
amnesia = true
[[fault]]
at = "1s"
send_omission = { process = "leader", to = "worker", probability = 0.5 }
duration = "1s"
[[fault]]
at = "1s"
receive_omission = { process = "leader", from = "worker", probability = 0.5 }
period = "1s"
on = "500ms"
[[fault]]
at = "1s"
late = { from = "leader", to = ["p1", "p2"], by = "1s" }
[[fault]]
at = "1s"
late = { process = "leader", by = "1s" }
[[fault]]
at = "1s"
loss = { from = "leader", to = "worker", probability = 0.5 }
[[fault]]
at = "1s"
duplicate = { from = "leader", to = "worker", probability = 0.5 }
[[fault]]
at = "1s"
clog = { from = "leader", to = "worker" }
[[fault]]
at = "1s"
slow = { process = "leader", factor = 10 }
[[fault]]
at = "1s"
sync_fails = "p0"
[[fault]]
at = "1s"
slow_sync = { process = "leader", by = "10ms" }
[[fault]]
at = "1s"
full = "p0"
[[fault]]
at = "1s"
corrupt_record = "p0"
[[fault]]
at = "1s"
lose_disk = "p0"
[[fault]]
at = "1s"
rollback = { process = "leader", records = 2 }
[[message]]
link = "leader -> p2"
nth = 3
kind = "Data"
drop = true
[[message]]
link = "p0 -> p2"
delay = "80ms"
[[message]]
link = "p2 -> p0"
duplicate = "80ms"
[[message]]
link = "p2 -> p1"
corrupt = true
[random]
max_faulty = 2
crash = { count = "0..2", between = "0s..2s", recover_after = "100ms..1s", target = "worker" }
pause = { count = 1, between = "0s..2s", duration = "1s", target = ["p1"] }
partition = { count = 1, between = "0s..2s", shape = "one-way", duration = "1s..2s" }
swarm = true
[run]
seeds = 10
horizon = "30s"
max_events = 1_000
max_pending = 1_000
stop_at_violation = true
ties = "drawn"
[expect]
violated = ["rb.validity"]
vacuous = ["rb.no-creation"]
undecided = ["rb.validity"]
reached = ["blocked"]
"#;
