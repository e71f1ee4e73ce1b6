//! The groups of worlds. Each changes a calm world in its own way.

use ftsim_core::adversary::Behaviour;
use ftsim_core::environment::detector::{
    DetectorConfig, DetectorKind, Mistake, NoticeDelay, RandomMistakes,
};
use ftsim_core::environment::liveness::{Liveness, LivenessMode};
use ftsim_core::environment::message_rule::{Arrival, Content, Fate, MessageRule};
use ftsim_core::environment::network::{DropReason, Order};
use ftsim_core::environment::request_override::RequestOverride;
use ftsim_core::environment::transport::{Guarantee, Heartbeat, TransportConfig};
use ftsim_core::experiment::Ties;
use ftsim_core::fault::choice::{DrawnTarget, TargetRule};
use ftsim_core::fault::condition::Condition;
use ftsim_core::fault::random::{
    Occurrence, PartitionShape, RandomAction, RandomCondition, RandomKind,
};
use ftsim_core::fault::{Action, Trigger};
use ftsim_core::time::CountRange;
use ftsim_core::{Instant, Mask, RandomFaults};

use super::chatter::{Class, Errand, Msg};
use super::draw::{World, micros, ms};

pub type Change = fn(&mut World);

/// All groups, each with its name.
pub const GROUPS: [(&str, Change); 33] = [
    ("calm", |_| {}),
    ("delays", |w| w.experiment.network.default.delay = w.delay()),
    ("losses", losses),
    ("orders", orders),
    ("bandwidths", bandwidths),
    ("own links", own_links),
    ("stabilisation", stabilisation),
    ("partitions", |w| repeat(w, 2, partition)),
    ("conditions of links", |w| repeat(w, 3, link_condition)),
    ("omissions", omissions),
    ("slow and paused", slow_and_paused),
    ("crashes", |w| repeat(w, 3, crash)),
    ("disks", disks),
    ("clocks", clocks),
    ("perfect detectors", |w| detector(w, DetectorKind::Perfect)),
    ("omega", |w| detector(w, DetectorKind::Omega)),
    ("absent and corrupt", absent_and_corrupt),
    ("transports", transports),
    ("transports and faults", transports_and_faults),
    ("ties", ties),
    ("message rules", message_rules),
    ("requests", requests),
    ("adversaries", adversaries),
    ("colluders", colluders),
    ("heals", heals),
    ("choices and fates", choices_and_fates),
    ("random plans", random_plans),
    ("heartbeats", heartbeats),
    ("one rule", |w| message_rule(w, Order::Any)),
    ("one rule in order", |w| message_rule(w, Order::Fifo)),
    ("random colluders", random_colluders),
    ("stops", stops),
    ("everything", everything),
];

fn repeat(w: &mut World, most: u64, change: Change) {
    for _ in 0..w.rng.between(1, most) {
        change(w);
    }
}

fn partition(w: &mut World) {
    let cut = w.cut();
    w.begin(Condition::Partition(cut));
}

fn link_condition(w: &mut World) {
    let condition = w.link_condition();
    w.begin(condition);
}

fn losses(w: &mut World) {
    w.experiment.network.default.loss = w.loss();
    if w.one_in(2) {
        w.experiment.network.default.duplicate = w.share();
    }
    if w.one_in(3) {
        w.experiment.network.default.garble = w.share();
    }
}

fn orders(w: &mut World) {
    let mut link = w.link();
    link.order = Order::Fifo;
    w.experiment.network.default = link;
    if w.one_in(2) {
        link_condition(w);
    }
}

fn bandwidths(w: &mut World) {
    w.experiment.network.default.bandwidth = Some(w.rng.between(2_000, 50_000));
    w.experiment.network.default.order = w.order();
    if w.one_in(2) {
        let condition = Condition::Bandwidth(w.links(), w.rng.between(1_000, 20_000));
        w.begin(condition);
    }
}

fn own_links(w: &mut World) {
    repeat(w, 4, |w| {
        let (pair, link) = (w.pair(), w.link());
        w.experiment.network.overrides.push((pair, link));
    });
}

fn stabilisation(w: &mut World) {
    w.experiment.network.default = w.link();
    w.experiment.network.bound = w.time(12);
    w.experiment.network.stabilise_at = Some(Instant::ZERO + w.time(120));
    if w.one_in(2) {
        link_condition(w);
    }
    if w.one_in(2) {
        partition(w);
    }
}

fn omissions(w: &mut World) {
    repeat(w, 3, |w| {
        let (p, links, chance) = (w.process(), w.links(), w.chance());
        let sends = w.one_in(2);
        w.begin(if sends {
            Condition::SendOmission(p, links, chance)
        } else {
            Condition::ReceiveOmission(p, links, chance)
        });
    });
}

fn slow_and_paused(w: &mut World) {
    repeat(w, 3, |w| {
        let process = w.process();
        match w.rng.below(3) {
            0 => {
                let factor = u32::try_from(w.rng.between(1, 4)).expect("small");
                w.begin(Condition::Slow(process, factor));
            }
            1 => {
                let resume_after = (!w.one_in(3)).then(|| w.time(60));
                w.strike(Action::Pause { process, resume_after });
            }
            _ => {
                w.add(
                    Trigger::At(Instant::ZERO + ms(10)),
                    Action::Pause { process, resume_after: None },
                );
                w.strike(Action::Resume { process });
            }
        }
    });
}

fn crash(w: &mut World) {
    let p = w.process();
    let trigger = w.trigger_of(p);
    let crash = w.crash();
    w.add(trigger, Action::Crash(p, crash));
    w.experiment.on_crash = w.policy();
    if w.one_in(3) {
        w.params.class = Class::CrashStop;
    }
}

fn disks(w: &mut World) {
    if w.one_in(2) {
        w.experiment.sync_latency = w.range(12);
    }
    repeat(w, 2, crash);
    repeat(w, 3, |w| {
        let p = w.process();
        match w.rng.below(4) {
            0 => w.begin(Condition::SyncFails(p)),
            1 => {
                let by = w.time(15);
                w.begin(Condition::SlowSync(p, by));
            }
            2 => w.begin(Condition::DiskFull(p)),
            _ => {
                let damage = w.damage();
                w.strike(Action::Damage(p, damage));
            }
        }
    });
}

fn clocks(w: &mut World) {
    if w.one_in(2) {
        w.clocks();
    }
    repeat(w, 4, |w| {
        let (p, shift) = (w.process(), w.shift());
        let ppm = i32::try_from(w.rng.below(900_000)).expect("below a million") - 500_000;
        match w.rng.below(4) {
            0 => w.begin(Condition::Skew(p, shift)),
            1 => w.begin(Condition::Drift(p, ppm)),
            2 => w.begin(Condition::Freeze(p)),
            _ => w.strike(Action::Jump(p, shift)),
        }
    });
    if w.one_in(3) {
        crash(w);
    }
}

fn detector(w: &mut World, kind: DetectorKind) {
    let mut config = DetectorConfig { kind, delay: w.range(20), ..DetectorConfig::default() };
    if w.one_in(3) {
        config.random_mistakes = Some(RandomMistakes {
            count: CountRange { min: 0, max: 2 },
            duration: w.range(30),
            until: Instant::ZERO + w.time(150),
        });
    }
    if w.one_in(3) {
        let (observer, suspects) = w.pair();
        let at = Instant::ZERO + w.time(80);
        let until = (!w.one_in(3)).then(|| at + w.time(40));
        config.mistakes.push(Mistake { observer, suspects, at, until });
    }
    if w.one_in(3) {
        config.blind.push(w.pair());
    }
    if w.one_in(3) {
        let (observer, other) = w.pair();
        let subject = if kind == DetectorKind::Omega { observer } else { other };
        let nth = w.rng.between(1, 2);
        config.notices.push(NoticeDelay { observer, subject, nth, delay: w.time(50) });
    }
    w.experiment.detector = config;
    repeat(w, 3, crash);
    if w.one_in(3) {
        let p = w.process();
        w.add(Trigger::At(Instant::ZERO + ms(15)), Action::Start(p));
    }
}

fn absent_and_corrupt(w: &mut World) {
    repeat(w, 3, |w| {
        let p = w.process();
        if w.one_in(2) {
            let at = Instant::ZERO + w.time(60);
            w.add(Trigger::At(at), Action::Start(p));
        } else {
            w.strike(Action::CorruptState(p));
        }
    });
}

fn transports(w: &mut World) {
    let guarantees = [Guarantee::Raw, Guarantee::Reliable, Guarantee::ReliableFifo];
    w.experiment.network.default = w.link();
    let heartbeat =
        Heartbeat { period: w.time(8) + ms(4), timeout: w.time(20) + ms(5), increment: w.time(8) };
    w.experiment.transport = TransportConfig {
        guarantee: *w.rng.choose(&guarantees).expect("three"),
        resend_after: w.time(20) + ms(4),
        heartbeat: w.one_in(2).then_some(heartbeat),
    };
    w.errands.count = 3;
}

fn transports_and_faults(w: &mut World) {
    transports(w);
    match w.rng.below(4) {
        0 => repeat(w, 2, crash),
        1 => clocks(w),
        2 => {
            link_condition(w);
            slow_and_paused(w);
        }
        _ => adversaries(w),
    }
}

fn ties(w: &mut World) {
    w.experiment.ties = Ties::Drawn;
    let step = ftsim_core::DurationRange::constant(ms(5));
    w.experiment.network.default.delay = ftsim_core::environment::delay::Delay::Uniform(step);
    w.experiment.network.default.order = w.order();
    if w.one_in(2) {
        w.experiment.network.default.duplicate = w.share();
    }
}

fn message_rules(w: &mut World) {
    w.experiment.network.default.order = w.order();
    if w.one_in(2) {
        link_condition(w);
    }
    let order = w.experiment.network.default.order;
    for _ in 0..w.rng.between(2, 6) {
        message_rule(w, order);
    }
}

fn message_rule(w: &mut World, order: Order) {
    w.experiment.network.default.order = order;
    let (from, to) = w.pair();
    let kind = (!w.one_in(3)).then(|| w.kind());
    let reasons = [DropReason::Override, DropReason::Loss, DropReason::Cut];
    let ack = serde_json::to_value(Msg::Ack(3)).expect("JSON");
    let fate = match w.rng.below(6) {
        0 => Fate::Drop(*w.rng.choose(&reasons).expect("three")),
        1 => Fate::delay(w.time(40)),
        2 => Fate::duplicate(w.time(40)),
        3 => Fate::content(Content::Garbled),
        4 => Fate::content(Content::Replaced(ack)),
        _ => Fate::Arrive(Arrival {
            after: Some(w.time(30)),
            copy_after: w.one_in(2).then(|| w.time(30)),
            content: w.one_in(2).then_some(Content::Garbled),
        }),
    };
    let nth = w.rng.between(1, 4);
    w.experiment.overrides.push(MessageRule { from, to, kind, nth, fate });
}

fn requests(w: &mut World) {
    repeat(w, 4, |w| {
        let (process, nth) = (w.process(), w.rng.between(1, 4));
        let errand = serde_json::to_value(Errand::Tell(50)).expect("JSON");
        if w.one_in(3) {
            w.experiment.masks.push(Mask { process, request: nth });
        } else {
            let after = w.one_in(2).then(|| w.time(50));
            let replace = w.one_in(2).then_some(errand);
            w.experiment.requests.push(RequestOverride { process, nth, after, replace });
        }
    });
    if w.one_in(3) {
        crash(w);
    }
}

fn adversaries(w: &mut World) {
    w.params.class = Class::Byzantine;
    repeat(w, 2, |w| {
        let (p, behaviour) = (w.process(), w.behaviour());
        let at_start = Trigger::At(Instant::ZERO);
        let trigger = if w.one_in(2) { at_start } else { w.trigger() };
        w.add(trigger, Action::Corrupt(p, behaviour));
    });
    if w.one_in(3) {
        crash(w);
    }
}

fn colluders(w: &mut World) {
    w.params.class = Class::Byzantine;
    let circle = w.set();
    for p in circle.iter() {
        let trigger = Trigger::At(Instant::ZERO + if w.one_in(2) { ms(0) } else { w.time(40) });
        w.add(trigger, Action::Corrupt(p, Behaviour::Collude(circle.clone())));
    }
}

fn heals(w: &mut World) {
    let modes = [LivenessMode::Gst, LivenessMode::HealAll, LivenessMode::Core];
    let mode = *w.rng.choose(&modes).expect("three");
    let at = Instant::ZERO + w.time(80) + ms(30);
    if !w.one_in(4) {
        w.experiment.liveness = Some(Liveness { mode, at });
        if mode == LivenessMode::Gst {
            w.experiment.network.stabilise_at = Some(at);
        }
    }
    w.experiment.network.default = w.link();
    match w.rng.below(4) {
        0 => repeat(w, 3, crash),
        1 => clocks(w),
        2 => slow_and_paused(w),
        _ => absent_and_corrupt(w),
    }
    let (condition, cut) = (w.link_condition(), w.cut());
    w.begin(condition);
    w.begin(Condition::Partition(cut));
    if w.one_in(2) {
        w.strike(Action::Heal);
    }
}

fn choices_and_fates(w: &mut World) {
    if w.one_in(2) {
        let group = w.set();
        w.experiment.fate_groups.push(group);
    }
    let rules = [TargetRule::Any, TargetRule::Minority, TargetRule::Majority, TargetRule::Leader];
    let of = *w.rng.choose(&rules).expect("four");
    let (start, crash, trigger) = (w.experiment.plan.faults.len(), w.crash(), w.trigger());
    let pause = w.one_in(2);
    for p in w.experiment.setting.processes() {
        let resume_after = Some(ms(20));
        let crash = Action::Crash(p, crash);
        let action = if pause { Action::Pause { process: p, resume_after } } else { crash };
        let leads = Action::IfLeads(p, Box::new(action.clone()));
        w.add(trigger.clone(), if of == TargetRule::Leader { leads } else { action });
    }
    let faults = start..w.experiment.plan.faults.len();
    let candidate_count = faults.len();
    w.experiment.choices.push(DrawnTarget { faults, candidate_count, of });
    w.experiment.detector.kind = DetectorKind::Perfect;
    w.experiment.detector.delay = w.range(10);
    w.experiment.detector.random_mistakes = Some(RandomMistakes {
        count: CountRange { min: 1, max: 2 },
        duration: w.range(30),
        until: Instant::ZERO + ms(90),
    });
}

/// One kind of random fault.
fn random_action(w: &mut World) -> RandomAction {
    let shapes = [
        PartitionShape::Halves,
        PartitionShape::Isolate,
        PartitionShape::OneWay,
        PartitionShape::Bridge,
        PartitionShape::RingOfMajorities,
    ];
    let (chance, short, long) = (w.chance(), w.range(15), w.range(60));
    let begin = |condition| RandomAction::Begin(condition, long);
    match w.rng.below(28) {
        0 => RandomAction::Crash { recover_after: None, announced: false },
        1 => RandomAction::Crash { recover_after: Some(long), announced: true },
        2 => RandomAction::Start,
        3 => RandomAction::Pause(long),
        4 => RandomAction::Corrupt(w.behaviour()),
        5 => RandomAction::Corrupt(Behaviour::Collude(w.set())),
        6 => RandomAction::CorruptState,
        7 => RandomAction::Damage(w.damage()),
        8 => RandomAction::Jump(short),
        9 => begin(RandomCondition::Partition(*w.rng.choose(&shapes).expect("five"))),
        10 => begin(RandomCondition::Loss(chance)),
        11 => begin(RandomCondition::Duplicate(chance)),
        12 => begin(RandomCondition::Delay(short)),
        13 => begin(RandomCondition::Late(short)),
        14 => begin(RandomCondition::Reorder(chance, ms(20))),
        15 => begin(RandomCondition::Replay(chance)),
        16 => begin(RandomCondition::Garble(chance)),
        17 => begin(RandomCondition::Bandwidth(5_000)),
        18 => begin(RandomCondition::Clog),
        19 => begin(RandomCondition::SendOmission(chance)),
        20 => begin(RandomCondition::ReceiveOmission(chance)),
        21 => begin(RandomCondition::Slow(3)),
        22 => begin(RandomCondition::SyncFails),
        23 => begin(RandomCondition::SlowSync(short)),
        24 => begin(RandomCondition::DiskFull),
        25 => begin(RandomCondition::Skew(short)),
        26 => begin(RandomCondition::Drift(300_000)),
        _ => begin(RandomCondition::Freeze),
    }
}

fn random_plans(w: &mut World) {
    let mut kinds: Vec<RandomKind> = Vec::new();
    for _ in 0..w.rng.between(2, 5) {
        let what = random_action(w);
        let count = CountRange { min: 0, max: 3 };
        let targets = if w.one_in(2) { w.set() } else { w.shuffled().into_iter().collect() };
        let occurrence = Occurrence { count, between: w.range(120), targets };
        let discriminant = |kind: &RandomKind| kind.what.to_string();
        let text = what.to_string();
        if kinds.iter().all(|kind| discriminant(kind) != text) {
            kinds.push(RandomKind { occurrence, what });
        }
    }
    let faulty_count_max = w.n() / 2;
    w.experiment.random = Some(RandomFaults { faulty_count_max, kinds, swarm: w.one_in(2) });
}

fn everything(w: &mut World) {
    // The last group is this one.
    for _ in 0..4 {
        let (_, change) = GROUPS[usize::try_from(w.rng.below(32)).expect("an index")];
        change(w);
    }
    w.experiment.sync_latency.max = w.experiment.sync_latency.max.max(micros(1));
}

/// Wrong suspicions alone, on links that do no wrong.
fn heartbeats(w: &mut World) {
    let heartbeat =
        Heartbeat { period: w.time(8) + ms(8), timeout: w.time(8) + ms(8), increment: w.time(8) };
    w.experiment.transport.heartbeat = Some(heartbeat);
    w.errands.count = 3;
}

fn random_colluders(w: &mut World) {
    w.params.class = Class::Byzantine;
    let all: ftsim_core::ProcessSet = w.shuffled().into_iter().collect();
    let circle = if w.one_in(2) { all.clone() } else { w.set() };
    let what = RandomAction::Corrupt(Behaviour::Collude(circle));
    let count = CountRange { min: 1, max: 3 };
    let occurrence = Occurrence { count, between: w.range(40), targets: all };
    let kinds = vec![RandomKind { occurrence, what }];
    w.experiment.random =
        Some(RandomFaults { faulty_count_max: w.n() - 1, kinds, swarm: w.one_in(3) });
}

/// Everything is doubled until somebody has heard something too often.
fn stops(w: &mut World) {
    w.experiment.limits.stop_at_violation = !w.one_in(3);
    w.experiment.network.default.duplicate = w.chance();
    w.experiment.network.default.loss = w.loss();
    w.experiment.limits.event_count_max = w.rng.between(50, 600);
}
