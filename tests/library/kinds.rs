//! Guards what scenario files say of faults: each kind becomes the engine's fault that it names.

use crate::shipped;
use annotate_snippets::Renderer;
use ftsim::run;
use ftsim::scenario::Scenario;
use ftsim::scenario::crash_point::CrashPoint;
use ftsim::sweep::judge;
use ftsim::{Catalogue, sweep};
use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::clock::Shift;
use ftsim_core::environment::detector::RandomMistakes;
use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::environment::network::Cut;
use ftsim_core::environment::storage::{DiskFault, OnCrash};
use ftsim_core::fault::choice::{DrawnTarget, TargetRule};
use ftsim_core::fault::condition::{Condition, Links, Persistence};
use ftsim_core::fault::random::{
    Occurrence, PartitionShape, RandomAction, RandomCondition, RandomFaults, RandomKind,
};
use ftsim_core::fault::{Action, Crash, InFlight, Trigger};
use ftsim_core::time::CountRange;
use ftsim_core::{Duration, DurationRange, Instant, Probability, ProcessId, ProcessSet, Verdict};
use ftsim_reports::SeedRange;

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn half() -> Probability {
    Probability::new(0.5).expect("a probability")
}

fn set(ids: &[ProcessId]) -> Option<ProcessSet> {
    Some(ids.iter().copied().collect())
}

fn links(from: &[ProcessId], to: &[ProcessId]) -> Links {
    let side = |ids: &[ProcessId]| if ids.is_empty() { None } else { set(ids) };
    Links { from: side(from), to: side(to) }
}

/// The scenario of a two-phase commit among p0, p1 and p2.
fn scenario(rest: &str) -> Scenario {
    let roles = "processes = { coordinator = 1, participant = 2 }";
    let text = format!("protocol = \"two-phase-commit\"\n{roles}\n{rest}\n");
    Scenario::parse("x.toml", &text, &Catalogue::builtin()).unwrap_or_else(|diagnostics| {
        let told: Vec<_> = diagnostics.iter().map(|d| d.render(&Renderer::plain())).collect();
        panic!("{}", told.join("\n"))
    })
}

/// What a fault at 1 s does.
fn actions(fault: &str) -> Vec<Action> {
    let plan = scenario(&format!("[[fault]]\nat = \"1s\"\n{fault}")).experiment.plan;
    let at = Trigger::At(Instant::ZERO + Duration::from_secs(1));
    assert!(plan.faults.iter().all(|fault| fault.trigger == at));
    plan.faults.into_iter().map(|fault| fault.action).collect()
}

fn lasting(fault: &str, expected: Condition) {
    assert_eq!(actions(fault), [Action::Begin(expected, Persistence::Permanent)], "{fault}");
}

#[test]
fn omissions() {
    let always = Probability::ALWAYS;
    let send = "send_omission = { process = \"p0\" }";
    lasting(send, Condition::SendOmission(P0, Links::ALL, always));
    let send = "send_omission = { process = \"coordinator\", to = [\"p1\"], probability = 0.5 }";
    lasting(send, Condition::SendOmission(P0, links(&[], &[P1]), half()));
    let receive = "receive_omission = { process = \"p1\" }";
    lasting(receive, Condition::ReceiveOmission(P1, Links::ALL, always));
    let receive = "receive_omission = { process = \"p1\", from = \"p0\", probability = 0.5 }";
    lasting(receive, Condition::ReceiveOmission(P1, links(&[P0], &[]), half()));
    let two = actions("send_omission = { process = \"participant\" }");
    let omits = |p| Condition::SendOmission(p, Links::ALL, always);
    assert_eq!(two, [P1, P2].map(|p| Action::Begin(omits(p), Persistence::Permanent)));
}

#[test]
fn liars() {
    assert_eq!(actions("byzantine = \"p1\""), [Action::Corrupt(P1, Behaviour::Random)]);
    let kinds = [
        ("\"silent\"", Behaviour::Silent),
        ("{ withhold = \"participant\" }", Behaviour::Withhold([P1, P2].into_iter().collect())),
        ("\"equivocate\"", Behaviour::Equivocate),
        ("\"mutate\"", Behaviour::Mutate),
        ("\"replay\"", Behaviour::Replay),
        ("{ delay = \"5ms\" }", Behaviour::Delay(ms(5))),
        ("{ collude = { with = \"p0\" } }", Behaviour::Collude([P0, P2].into_iter().collect())),
        ("\"random\"", Behaviour::Random),
    ];
    for (text, behaviour) in kinds {
        let both = actions(&format!("byzantine = [\"p0\", \"p2\"]\nbehaviour = {text}"));
        assert_eq!(both, [P0, P2].map(|p| Action::Corrupt(p, behaviour.clone())), "{text}");
    }
}

#[test]
fn wrong_values_are_the_same_to_everybody() {
    let both = actions("wrong_value = [\"p0\", \"p2\"]");
    assert_eq!(both, [P0, P2].map(|p| Action::Corrupt(p, Behaviour::Mutate)));
}

#[test]
fn liars_that_know_the_protocol() {
    let text = "protocol = \"phase-king\"\nprocesses = 4\n[[fault]]\nat = \"0s\"\n\
                byzantine = \"p1\"\nbehaviour = { custom = \"two-faced\" }";
    let scenario = Scenario::parse("x.toml", text, &Catalogue::builtin());
    let Ok(scenario) = scenario else { panic!("it is refused") };
    let action = &scenario.experiment.plan.faults[0].action;
    assert_eq!(*action, Action::Corrupt(P1, Behaviour::Custom("two-faced".into())));
}

#[test]
fn links_that_delay_lose_double_and_hold_messages_back() {
    let to_all = links(&[P0], &[]);
    lasting("late = { from = \"p0\", by = \"80ms\" }", Condition::Late(to_all.clone(), ms(80)));
    lasting("loss = { from = \"p0\", probability = 0.5 }", Condition::Loss(to_all, half()));
    let one = links(&[P0], &[P2]);
    let double = "duplicate = { from = \"p0\", to = \"p2\", probability = 0.5 }";
    lasting(double, Condition::Duplicate(one, half()));
    lasting("clog = { to = \"p1\" }", Condition::Clog(links(&[], &[P1])));
    lasting("clog = {}", Condition::Clog(Links::ALL));
}

#[test]
fn all_messages_of_a_late_process_are_late_once() {
    let both = actions("late = { process = [\"p0\", \"p1\"], by = \"80ms\" }");
    let sets = [links(&[P0, P1], &[]), links(&[P2], &[P0, P1])];
    let late = sets.map(|l| Action::Begin(Condition::Late(l, ms(80)), Persistence::Permanent));
    assert_eq!(both, late);
}

#[test]
fn slow_processes_and_disks_that_fail() {
    lasting("slow = { process = \"p0\", factor = 20 }", Condition::Slow(P0, 20));
    lasting("sync_fails = \"p0\"", Condition::SyncFails(P0));
    lasting("slow_sync = { process = \"p1\", by = \"5ms\" }", Condition::SlowSync(P1, ms(5)));
    lasting("full = \"p2\"", Condition::DiskFull(P2));
}

#[test]
fn damage_to_disks() {
    assert_eq!(actions("corrupt_record = \"p0\""), [Action::Damage(P0, DiskFault::CorruptRecord)]);
    let both = actions("lose_disk = \"participant\"");
    assert_eq!(both, [P1, P2].map(|p| Action::Damage(p, DiskFault::LoseDisk)));
    let back = actions("rollback = { process = \"p0\", records = 2 }");
    assert_eq!(back, [Action::Damage(P0, DiskFault::Rollback(2))]);
}

#[test]
fn what_a_crash_leaves_of_a_log() {
    let crash = |disk| {
        let recover_after = Some(ms(500));
        [Action::Crash(
            P0,
            Crash { recover_after, in_flight: InFlight::Keep, disk, announced: false },
        )]
    };
    let of = |how: &str| actions(&format!("crash = \"p0\"\nrecover_after = \"500ms\"\n{how}"));
    assert_eq!(of(""), crash(None));
    assert_eq!(of("amnesia = true"), crash(Some(OnCrash::LoseAll)));
    for (name, policy) in [
        ("lose-unsynced", OnCrash::LoseUnsynced),
        ("keep-all", OnCrash::KeepAll),
        ("keep-prefix", OnCrash::KeepPrefix),
        ("keep-subset", OnCrash::KeepSubset),
        ("torn-last", OnCrash::TornLast),
        ("lose-all", OnCrash::LoseAll),
    ] {
        assert_eq!(of(&format!("on_crash = \"{name}\"")), crash(Some(policy)), "{name}");
    }
}

#[test]
fn how_long_it_lasts() {
    let cut = || Condition::Partition(Cut::Groups(vec![vec![P0, P1]]));
    let partition = "partition = { shape = \"halves\" }";
    for (fault, condition) in [
        (partition, cut()),
        ("sync_fails = \"p0\"", Condition::SyncFails(P0)),
        ("clog = {}", Condition::Clog(Links::ALL)),
    ] {
        let of = |how: &str| actions(&format!("{fault}\n{how}"));
        let begin = |persistence| [Action::Begin(condition.clone(), persistence)];
        assert_eq!(of(""), begin(Persistence::Permanent));
        assert_eq!(of("duration = \"2s\""), begin(Persistence::Transient(ms(2_000))));
        let (period, on) = (ms(100), ms(30));
        let often = of("period = \"100ms\"\non = \"30ms\"");
        assert_eq!(often, begin(Persistence::Intermittent { period, on }));
    }
}

#[test]
fn single_messages() {
    let rules = |text: &str| scenario(text).experiment.overrides;
    let link = "[[message]]\nlink = \"p0 -> p2\"\n";
    let rule = |kind: Option<&str>, nth, fate| {
        [MessageRule { from: P0, to: P2, kind: kind.map(Into::into), nth, fate }]
    };
    assert_eq!(rules(&format!("{link}drop = true")), rule(None, 1, Fate::DROP));
    let late = rules(&format!("{link}kind = \"Commit\"\nnth = 3\ndelay = \"80ms\""));
    assert_eq!(late, rule(Some("Commit"), 3, Fate::delay(ms(80))));
    let double = rules(&format!("{link}nth = 2\nduplicate = \"80ms\""));
    assert_eq!(double, rule(None, 2, Fate::duplicate(ms(80))));
    assert_eq!(
        rules(&format!("{link}corrupt = true")),
        rule(None, 1, Fate::content(Content::Garbled))
    );
    let other = rules(&format!("{link}kind = \"Commit\"\nreplace = {{ Abort = 1 }}"));
    let abort = Fate::content(Content::Replaced(serde_json::json!({ "Abort": 1 })));
    assert_eq!(other, rule(Some("Commit"), 1, abort));
}

#[test]
fn a_message_that_is_never_sent_is_a_surprise() {
    let surprises = |kind: &str| {
        let text = format!("[[message]]\nlink = \"p0 -> p2\"\nkind = \"{kind}\"\ndelay = \"8ms\"");
        let scenario = scenario(&text);
        let tally = sweep::sweep(&scenario, 1..4, 1, &|_| {}).expect("no failure of ftsim");
        let report = judge::report(&scenario, SeedRange { from: 1, until: 4 }, &tally);
        let told = report.surprises.into_iter().map(|s| format!("{} {}", s.subject, s.message));
        told.collect::<Vec<_>>()
    };
    assert_eq!(surprises("Commit"), [""; 0]);
    assert_eq!(
        surprises("Comet"),
        ["message 1 never struck in any of 3 seeds: p0 -> p2 carried no Comet number 1; \
          in seed 1 p0 sends 1 Commit, 1 Prepare to p2"]
    );
}

const fn range(min: u64, max: u64) -> DurationRange {
    DurationRange { min: ms(min), max: ms(max) }
}

fn occurrence(min: u32, max: u32, targets: &[ProcessId]) -> Occurrence {
    let targets = targets.iter().copied().collect();
    Occurrence { count: CountRange { min, max }, between: range(0, 2_000), targets }
}

#[test]
fn faults_that_are_drawn() {
    let text = r#"
[random]
max_faulty = 2
crash = { count = "0..2", between = "0s..2s", recover_after = "100ms..1s", target = "participant" }
pause = { count = 1, between = "0s..2s", duration = "1s" }
partition = { count = 1, between = "0s..2s", shape = "one-way", duration = "1s..2s" }
swarm = true
"#;
    let all = &[P0, P1, P2];
    let crash = RandomAction::Crash { recover_after: Some(range(100, 1_000)), announced: false };
    let partition = RandomCondition::Partition(PartitionShape::OneWay);
    let partition = RandomAction::Begin(partition, range(1_000, 2_000));
    let expected = RandomFaults {
        faulty_count_max: 2,
        kinds: vec![
            RandomKind { occurrence: occurrence(0, 2, &[P1, P2]), what: crash },
            RandomKind {
                occurrence: occurrence(1, 1, all),
                what: RandomAction::Pause(range(1_000, 1_000)),
            },
            RandomKind { occurrence: occurrence(1, 1, all), what: partition },
        ],
        swarm: true,
    };
    assert_eq!(scenario(text).experiment.random, Some(expected));
}

#[test]
fn every_kind_can_be_drawn() {
    let begin = |condition| RandomAction::Begin(condition, range(100, 200));
    let by = range(1, 5);
    let abort = RandomAction::Crash { recover_after: None, announced: true };
    let damage = RandomAction::Damage;
    for (key, rest, what) in [
        ("exception", "", abort),
        ("start", "", RandomAction::Start),
        ("byzantine", "behaviour = \"silent\"", RandomAction::Corrupt(Behaviour::Silent)),
        ("jump", "by = \"1ms..5ms\"", RandomAction::Jump(by)),
        ("corrupt_record", "", damage(DiskFault::CorruptRecord)),
        ("lose_disk", "", damage(DiskFault::LoseDisk)),
        ("rollback", "records = 2", damage(DiskFault::Rollback(2))),
        ("loss", "probability = 0.5", begin(RandomCondition::Loss(half()))),
        ("duplicate", "probability = 0.5", begin(RandomCondition::Duplicate(half()))),
        ("replay", "probability = 0.5", begin(RandomCondition::Replay(half()))),
        ("corrupt", "probability = 0.5", begin(RandomCondition::Garble(half()))),
        ("delay", "by = \"1ms..5ms\"", begin(RandomCondition::Delay(by))),
        ("late", "by = \"1ms..5ms\"", begin(RandomCondition::Late(by))),
        ("reorder", "within = \"9ms\"", {
            begin(RandomCondition::Reorder(Probability::ALWAYS, ms(9)))
        }),
        ("bandwidth", "rate = \"2kB/s\"", begin(RandomCondition::Bandwidth(2_000))),
        ("clog", "", begin(RandomCondition::Clog)),
        ("send_omission", "", begin(RandomCondition::SendOmission(Probability::ALWAYS))),
        ("receive_omission", "probability = 0.5", begin(RandomCondition::ReceiveOmission(half()))),
        ("slow", "factor = 3", begin(RandomCondition::Slow(3))),
        ("sync_fails", "", begin(RandomCondition::SyncFails)),
        ("slow_sync", "by = \"1ms..5ms\"", begin(RandomCondition::SlowSync(by))),
        ("full", "", begin(RandomCondition::DiskFull)),
        ("skew", "by = \"1ms..5ms\"", begin(RandomCondition::Skew(by))),
        ("drift", "by = \"500ppm\"", begin(RandomCondition::Drift(500))),
        ("freeze", "", begin(RandomCondition::Freeze)),
    ] {
        let lasts = if matches!(what, RandomAction::Begin(..)) {
            "duration = \"100ms..200ms\""
        } else {
            ""
        };
        let keys = ["count = 1", "between = \"0s..2s\"", lasts, rest];
        let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
        let text = format!("[random]\nmax_faulty = 1\n{key} = {{ {} }}", keys.join(", "));
        let kind = RandomKind { occurrence: occurrence(1, 1, &[P0, P1, P2]), what };
        let random = scenario(&text).experiment.random.map(|random| random.kinds);
        assert_eq!(random, Some(vec![kind]), "{key}");
    }
}

#[test]
fn late_starts_and_exceptions() {
    assert_eq!(actions("start = \"p1\""), [Action::Start(P1)]);
    let aborts = Crash { announced: true, ..Crash::default() };
    assert_eq!(actions("exception = \"p1\""), [Action::Crash(P1, aborts)]);
    let recovers = Crash { recover_after: Some(ms(500)), in_flight: InFlight::Lose, ..aborts };
    let text = "exception = \"p1\"\nrecover_after = \"500ms\"\nin_flight = \"lose\"";
    assert_eq!(actions(text), [Action::Crash(P1, recovers)]);
}

#[test]
fn clocks_that_are_wrong() {
    let (ahead, behind) = (Shift::Ahead(ms(5)), Shift::Behind(ms(5)));
    lasting("skew = { process = \"p0\", ahead = \"5ms\" }", Condition::Skew(P0, ahead));
    lasting("skew = { process = \"p0\", behind = \"5ms\" }", Condition::Skew(P0, behind));
    lasting("drift = { process = \"p0\", by = \"-200ppm\" }", Condition::Drift(P0, -200));
    lasting("freeze = \"p0\"", Condition::Freeze(P0));
    let jump = actions("jump = { process = \"p1\", behind = \"5ms\" }");
    assert_eq!(jump, [Action::Jump(P1, behind)]);
}

#[test]
fn links_that_tamper_with_messages() {
    let one = || links(&[P0], &[P2]);
    let ends = "from = \"p0\", to = \"p2\"";
    let of = |key: &str, rest: &str| format!("{key} = {{ {ends}, {rest} }}");
    lasting(&of("delay", "by = \"1ms..5ms\""), Condition::Delay(one(), range(1, 5)));
    let reorder = of("reorder", "probability = 0.5, within = \"5ms\"");
    lasting(&reorder, Condition::Reorder(one(), half(), ms(5)));
    lasting(&of("replay", "probability = 0.5"), Condition::Replay(one(), half()));
    lasting(&of("corrupt", "probability = 0.5"), Condition::Garble(one(), half()));
    lasting(&of("bandwidth", "rate = \"2MB/s\""), Condition::Bandwidth(one(), 2_000_000));
    let network = scenario("network.bandwidth = \"3 kB/s\"\nnetwork.corrupt = 0.5").experiment;
    let link = network.network.default;
    assert_eq!((link.bandwidth, link.garble), (Some(3_000), half()));
}

#[test]
fn bridges_and_rings() {
    let bridge = Cut::Bridge { left: vec![P0], right: vec![P2] };
    let text = "partition = { shape = \"bridge\", process = \"p1\" }";
    lasting(text, Condition::Partition(bridge));
    let text = "protocol = \"beb\"\nprocesses = 5\n[[fault]]\nat = \"1s\"\n\
                partition = { shape = \"ring-of-majorities\" }";
    let scenario = Scenario::parse("x.toml", text, &Catalogue::builtin()).ok();
    let plan = scenario.expect("a valid scenario").experiment.plan;
    let ring = Cut::RingOfMajorities((0..5).map(ProcessId).collect());
    let begin = Action::Begin(Condition::Partition(ring), Persistence::Permanent);
    assert_eq!(plan.faults[0].action, begin);
}

#[test]
fn whom_each_seed_chooses() {
    for (word, of) in [
        ("any", TargetRule::Any),
        ("minority", TargetRule::Minority),
        ("majority", TargetRule::Majority),
    ] {
        let text = format!("[[fault]]\nat = \"1s\"\npause = \"{word}\"");
        let experiment = scenario(&text).experiment;
        let choice = DrawnTarget { faults: 0..3, candidate_count: 3, of };
        assert_eq!((experiment.plan.faults.len(), experiment.choices), (3, vec![choice]), "{word}");
    }
}

#[test]
fn processes_that_share_their_fate() {
    let groups = scenario("fate_sharing = [[\"p0\", \"p2\"]]").experiment.fate_groups;
    assert_eq!(groups, [[P0, P2].into_iter().collect::<ProcessSet>()]);
}

#[test]
fn a_crash_point_that_fails_can_be_replayed() {
    let text = "params.mutant = \"vote-before-log\"\n\
                [random]\ncrash_points = \"every\"\nrecover_after = \"150ms\"";
    let scenario = scenario(text);
    let tallies =
        [1, 3].map(|jobs| sweep::sweep(&scenario, 1..2, jobs, &|_| {}).expect("no failure"));
    assert_eq!(tallies[0].digest(), tallies[1].digest());
    let report = judge::report(&scenario, SeedRange { from: 1, until: 2 }, &tallies[0]);
    assert_eq!(report.crash_points, Some(tallies[0].seed_count));
    let surprise =
        report.surprises.iter().find(|s| s.subject == "ac.agreement").expect("a violation");
    let (_, point) = surprise.replay.split_once(" --seed 1 --crash-point ").expect("a crash point");
    let point: CrashPoint = point.parse().expect("one that can be read");
    let (outcome, _) = run::record_either(&scenario, 1, Some(point)).expect("no failure of ftsim");
    let judged =
        outcome.judged.iter().find(|judged| judged.id.0 == "ac.agreement").expect("a verdict");
    assert!(matches!(judged.verdict, Verdict::Violated(_)), "{:?}", judged.verdict);
    assert!(outcome.unfired.is_empty());
}

#[test]
fn mistakes_until_the_network_is_stable() {
    let text = "network.stabilise_at = \"1s\"\n[detector]\nkind = \"eventually-perfect\"\n\
                mistakes_per_process = \"0..3\"\nmistake_duration = \"1ms..50ms\"";
    let expected = RandomMistakes {
        count: CountRange { min: 0, max: 3 },
        duration: DurationRange { min: ms(1), max: ms(50) },
        until: Instant::ZERO + ms(1_000),
    };
    assert_eq!(scenario(text).experiment.detector.random_mistakes, Some(expected));
}

/// Scenarios that break an assumption without a mutant: with the assumption given back, by leaving
/// out or replacing a line, the property holds.
#[test]
fn without_the_fault_the_property_holds() {
    let perfect = Some("kind = \"perfect\"");
    let none = Some("heal = true");
    for (file, broken, restored, property) in [
        ("beb-send-omission", "send_omission", none, "rb.agreement"),
        ("floodset-late", "late", none, "cons.agreement"),
        ("2pc-amnesia", "amnesia", None, "ac.agreement"),
        ("2pc-corrupt-record", "corrupt_record", none, "ac.agreement"),
        ("flooding-consensus-eventually-perfect", "kind", perfect, "cons.agreement"),
        ("2pc-coordinator-amnesia", "amnesia", None, "ac.agreement"),
        ("reliable-link-lose-disk", "lose_disk", none, "lnk.reliable"),
        ("reliable-link-rollback", "rollback", none, "lnk.reliable"),
        ("reliable-link-corrupt-record", "corrupt_record", none, "lnk.reliable"),
        ("floodset-slow", "slow", none, "cons.agreement"),
        ("floodset-receive-omission", "receive_omission", none, "cons.uniform-agreement"),
        ("phase-king-state-corruption", "state_corruption", none, "byz.validity"),
        ("fault-error-failure", "state_corruption", none, "reg.linearizable"),
        ("beb-any-omission", "send_omission", none, "rb.agreement"),
        ("uniform-rb-crash-majority", "crash", none, "rb.validity"),
        ("primary-backup-drift", "drift", none, "pb.one-primary"),
        ("primary-backup-freeze", "freeze", none, "pb.one-primary"),
        ("primary-backup-jump", "jump", none, "smr.liveness"),
        ("primary-backup-skew", "skew", none, "smr.liveness"),
        ("primary-backup-pause-leader", "pause", none, "pb.one-primary"),
        ("three-failures-crash", "crash", none, "smr.liveness"),
        ("2pc-stop-at-torn", "on_crash", None, "ac.agreement"),
        ("reliable-link-keep-prefix", "on_crash", None, "lnk.reliable"),
        ("reliable-link-keep-subset", "on_crash", None, "lnk.reliable"),
        // Where nobody stays down, what `ac.nonblocking` asks for is `ac.termination`.
        ("2pc-sync-fails", "sync_fails", none, "ac.termination"),
        ("2pc-full-linear", "full", none, "ac.termination"),
        ("uniform-rb-ring-all-ack", "partition", None, "rb.validity"),
        ("floodset-late-process", "late", none, "cons.agreement"),
        ("floodset-random-clog", "clog", None, "cons.agreement"),
        ("primary-backup-bandwidth-timeout", "bandwidth", none, "pb.one-primary"),
        ("beb-random-replay", "replay", None, "rb.no-duplication"),
        ("chandy-lamport-random-reorder-markers", "reorder", None, "cut.consistent"),
    ] {
        let text = std::fs::read_to_string(shipped::file(file)).expect("a readable scenario");
        // What says more of the fault goes with it.
        let goes_with: &[&str] = match restored {
            Some(_) if restored == perfect => &["mistake"],
            Some(_) if restored == none => &["duration", "resume_after", "in_flight"],
            _ => &[],
        };
        // Nothing but the broken line is drawn in some of these scenarios.
        let is_emptied = |line: &str| restored.is_none() && line == "[random]";
        let belongs =
            |line: &&str| !goes_with.iter().any(|key| line.starts_with(key)) && !is_emptied(line);
        let lines = text.lines().filter(belongs).filter_map(|line| {
            let is_broken = line.split(' ').next() == Some(broken);
            if is_broken { restored } else { Some(line) }
        });
        let whole = lines.collect::<Vec<_>>().join("\n");
        assert_ne!(whole, text.trim_end(), "{file}");
        let whole = Scenario::parse(file, &whole, &Catalogue::builtin())
            .unwrap_or_else(|d| panic!("{file}: {}", d[0].render(&Renderer::plain())));
        let tally = sweep::sweep(&whole, 1..101, 2, &|_| {}).expect("no failure of ftsim");
        let counts = tally.properties.iter().find(|(id, _)| id.0 == property).expect("a property");
        assert_eq!((counts.1.violated, counts.1.held), (0, 100), "{file}");
    }
}
