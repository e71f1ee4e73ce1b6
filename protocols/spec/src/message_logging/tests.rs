use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{Act, check, judge};

const P0: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

type History = Vec<Act<MessageLogging>>;

/// Runs the application by hand: what it announces, and what it sends.
struct World {
    applications: Vec<Application>,
    history: History,
}

impl World {
    fn new() -> Self {
        let applications = [P0, P1, P2].map(Application::new).into();
        Self { applications, history: Vec::new() }
    }

    fn act(&mut self, act: Act<MessageLogging>) {
        self.history.push(act);
    }

    fn indicate(&mut self, p: ProcessId, what: Indication) {
        self.act(Act::Indicate(p, what));
    }

    /// An input arrives at `p`, which does not deliver it yet.
    fn input(&mut self, p: ProcessId, number: u64, route: &[ProcessId]) -> Message {
        self.act(Act::Request(p, Request::Input { number, route: route.to_vec() }));
        Message::input(p, number, route.to_vec())
    }

    /// Delivers a message without consequences.
    fn begin(&mut self, message: &Message) -> Consequence {
        let p = message.to;
        let application = &mut self.applications[p.index()];
        let consequence = application.deliver(message);
        let (interval, value) = (application.interval(), application.value());
        self.indicate(p, Indication::Delivered { interval, message: message.clone(), value });
        consequence
    }

    /// Delivers a message and acts: the message that is sent, if one is.
    fn deliver(&mut self, message: &Message) -> Option<Message> {
        match self.begin(message) {
            Consequence::Send(next) => {
                self.indicate(message.to, Indication::Sent(next.clone()));
                Some(next)
            }
            Consequence::Output(output) => {
                self.indicate(message.to, Indication::Output(output));
                None
            }
        }
    }

    /// Delivers an input that `p` sends on to `to`.
    fn send(&mut self, p: ProcessId, number: u64, to: ProcessId) -> Message {
        let input = self.input(p, number, &[to]);
        self.deliver(&input).expect("a message")
    }

    /// `p` crashes and recovers, and has replayed nothing yet.
    fn restart(&mut self, p: ProcessId) {
        self.act(Act::Crash(p));
        self.act(Act::Recover(p));
        self.applications[p.index()] = Application::new(p);
    }

    fn resume(&mut self, p: ProcessId) {
        self.indicate(p, Indication::Resumed);
    }

    fn violated(&self) -> Vec<&'static str> {
        check(3, &self.history)
    }
}

#[test]
fn a_replay_in_the_same_order_is_good() {
    let mut world = World::new();
    let a = world.send(P0, 1, P2);
    let b = world.send(P1, 2, P2);
    world.deliver(&a);
    world.deliver(&b);
    world.restart(P2);
    world.deliver(&a);
    world.deliver(&b);
    world.resume(P2);
    assert_eq!(world.violated(), [] as [&str; 0]);
}

/// p0 and p1 send to p2, which sends to p1 because of the first message that it delivers.
fn two_orders() -> (World, Message, Message, Message) {
    let mut world = World::new();
    let input = world.input(P0, 1, &[P2, P1]);
    let a = world.deliver(&input).expect("a message");
    let b = world.send(P1, 2, P2);
    let effect = world.deliver(&a).expect("a message");
    (world, a, b, effect)
}

#[test]
fn in_the_other_order_whoever_has_heard_is_an_orphan() {
    let (mut world, a, b, effect) = two_orders();
    world.deliver(&effect);
    world.restart(P2);
    world.resume(P2);
    world.deliver(&b);
    world.deliver(&a);
    let expected = ["mlog.no-orphans", "mlog.no-orphans-after-recovery", "mlog.output-commit"];
    assert_eq!(world.violated(), expected);
}

#[test]
fn nobody_is_an_orphan_of_a_process_that_has_not_replayed_all_yet() {
    let (mut world, a, _, effect) = two_orders();
    world.deliver(&effect);
    world.restart(P2);
    assert_eq!(world.violated(), ["mlog.delivery"]);
    world.deliver(&a);
    world.resume(P2);
    assert_eq!(world.violated(), ["mlog.delivery"], "b waits");
}

#[test]
fn a_message_of_a_lost_interval_makes_an_orphan_of_its_receiver() {
    let (mut world, a, b, effect) = two_orders();
    world.restart(P2);
    world.resume(P2);
    world.deliver(&b);
    world.deliver(&a);
    world.begin(&effect);
    let expected = ["mlog.no-orphans", "mlog.no-orphans-after-recovery", "mlog.delivery"];
    assert_eq!(world.violated(), expected);
}

#[test]
fn an_orphan_that_rolls_back_is_one_no_longer() {
    let (mut world, a, b, effect) = two_orders();
    world.begin(&effect);
    world.restart(P2);
    world.resume(P2);
    world.indicate(P1, Indication::RolledBack { to: 1 });
    world.deliver(&b);
    let again = world.deliver(&a).expect("a message");
    assert_eq!(world.violated(), ["mlog.no-orphans", "mlog.delivery", "mlog.local-recovery"]);
    world.applications[1] = Application::new(P1);
    let input = Message::input(P1, 2, vec![P2]);
    assert_eq!(world.applications[1].deliver(&input), Consequence::Send(b));
    world.deliver(&again);
    assert_eq!(world.violated(), ["mlog.no-orphans", "mlog.local-recovery"]);
}

#[test]
fn a_replay_with_another_message_or_another_state_is_none() {
    let replayed = |first: usize, coin: u64| {
        let mut world = World::new();
        let messages = [world.send(P0, 1, P2), world.send(P1, 2, P2)];
        world.deliver(&messages[0]);
        world.deliver(&messages[1]);
        world.restart(P2);
        world.applications[2].mix(coin);
        world.begin(&messages[first]);
        world.violated().contains(&"mlog.replay")
    };
    assert!(replayed(1, 0) && replayed(0, 17));
}

#[test]
fn deliveries_after_the_replay_are_free() {
    let mut world = World::new();
    let a = world.send(P0, 1, P2);
    let b = world.send(P1, 2, P2);
    world.begin(&a);
    world.begin(&b);
    world.restart(P2);
    world.resume(P2);
    world.deliver(&b);
    world.deliver(&a);
    assert_eq!(world.violated(), [] as [&str; 0]);
}

#[test]
fn a_crash_in_the_midst_of_a_replay_forgets_nothing() {
    let mut world = World::new();
    let a = world.send(P0, 1, P2);
    let b = world.send(P1, 2, P2);
    world.deliver(&a);
    world.deliver(&b);
    world.restart(P2);
    world.deliver(&a);
    world.restart(P2);
    world.deliver(&a);
    let other = world.input(P2, 9, &[]);
    world.deliver(&other);
    assert_eq!(world.violated(), ["mlog.replay", "mlog.delivery"]);
}

#[test]
fn an_output_of_a_lost_state_cannot_be_taken_back() {
    let mut world = World::new();
    let input = world.input(P0, 1, &[]);
    world.deliver(&input);
    world.restart(P0);
    world.resume(P0);
    assert_eq!(world.violated(), ["mlog.output-commit"]);
    let mut never = World::new();
    let output = Output { job: Job { at: P0, number: 1 }, value: 3 };
    never.indicate(P0, Indication::Output(output));
    assert_eq!(never.violated(), ["mlog.output-commit"]);
}

#[test]
fn an_output_has_the_value_of_its_state() {
    let mut world = World::new();
    let input = world.input(P0, 1, &[]);
    let Consequence::Output(output) = world.begin(&input) else { panic!("an output") };
    let wrong = Output { value: output.value.wrapping_add(1), ..output };
    world.indicate(P0, Indication::Output(wrong));
    assert_eq!(world.violated(), ["mlog.output-commit", "mlog.delivery"]);
    world.history.pop();
    world.indicate(P0, Indication::Output(output));
    assert_eq!(world.violated(), [] as [&str; 0]);
}

#[test]
fn what_nobody_sent_what_is_for_another_and_what_is_known_is_not_delivered() {
    let mut stranger = World::new();
    stranger.begin(&Message::input(P0, 1, Vec::new()));
    assert_eq!(stranger.violated(), ["mlog.integrity", "mlog.delivery"]);

    let mut twice = World::new();
    let a = twice.send(P0, 1, P2);
    twice.deliver(&a);
    twice.deliver(&a);
    assert_eq!(twice.violated(), ["mlog.integrity"]);

    let mut astray = World::new();
    let a = astray.send(P0, 1, P2);
    astray.deliver(&a);
    let what = Indication::Delivered { interval: 1, message: a, value: 1 };
    astray.indicate(P1, what);
    assert!(astray.violated().contains(&"mlog.integrity"));

    let mut miscounted = World::new();
    let message = miscounted.input(P0, 1, &[P1]);
    miscounted.indicate(P0, Indication::Delivered { interval: u64::MAX, message, value: 1 });
    assert_eq!(miscounted.violated(), ["mlog.integrity"]);
}

#[test]
fn nothing_gets_stuck() {
    let mut undelivered = World::new();
    undelivered.send(P0, 1, P2);
    assert_eq!(undelivered.violated(), ["mlog.delivery"]);
    undelivered.act(Act::Crash(P2));
    assert_eq!(undelivered.violated(), [] as [&str; 0]);

    let mut silent = World::new();
    let input = silent.input(P0, 1, &[]);
    silent.begin(&input);
    assert_eq!(silent.violated(), ["mlog.delivery"]);

    let mut replaying = World::new();
    replaying.restart(P0);
    assert_eq!(replaying.violated(), ["mlog.delivery"]);
    replaying.resume(P0);
    assert_eq!(replaying.violated(), [] as [&str; 0]);
}

#[test]
fn who_has_not_crashed_does_not_roll_back() {
    let mut world = World::new();
    world.indicate(P1, Indication::RolledBack { to: 7 });
    assert_eq!(world.violated(), ["mlog.local-recovery"]);
}

#[test]
fn a_property_is_exercised_by_what_it_speaks_of() {
    let vacuous = |world: &World| {
        let verdicts = judge(&Setting::of(3), &world.history, true).into_iter();
        let idle = verdicts.filter(|(_, verdict)| *verdict == Verdict::HeldVacuously);
        idle.map(|(id, _)| id).collect::<Vec<_>>()
    };
    let mut world = World::new();
    assert_eq!(vacuous(&world).len(), MessageLogging::PROPERTIES.len());
    let a = world.send(P0, 1, P2);
    world.deliver(&a);
    let of_recoveries =
        ["mlog.no-orphans", "mlog.no-orphans-after-recovery", "mlog.replay", "mlog.local-recovery"];
    assert_eq!(vacuous(&world), of_recoveries);
    world.restart(P2);
    world.deliver(&a);
    world.resume(P2);
    assert_eq!(vacuous(&world), [] as [&str; 0]);
}

#[test]
fn a_job_is_answered_by_its_output_at_the_last_process() {
    let request = |route: &[ProcessId]| Request::Input { number: 3, route: route.to_vec() };
    let asked = MessageLogging::operation(P0, &request(&[P1, P2])).expect("an operation");
    let output = Output { job: Job { at: P0, number: 3 }, value: 5 };
    let answered = |p| MessageLogging::answers(p, &Indication::Output(output)).collect::<Vec<_>>();
    assert_eq!(answered(P2), [asked]);
    assert_ne!(answered(P1), [asked]);
    let alone = MessageLogging::operation(P0, &request(&[])).expect("an operation");
    assert_eq!(answered(P0), [alone]);
    assert!(!MessageLogging::is_probe(&Indication::Output(output)));
    assert!(MessageLogging::is_probe(&Indication::Resumed));
}

#[test]
fn the_order_of_deliveries_determines_the_state() {
    let inputs = [1, 2].map(|number| Message::input(P0, number, vec![P1]));
    let after = |order: [usize; 2]| {
        let mut application = Application::new(P0);
        let sent = order.map(|index| application.deliver(&inputs[index]));
        (application, sent)
    };
    assert_eq!(after([0, 1]), after([0, 1]));
    assert_ne!(after([0, 1]).0, after([1, 0]).0);
    assert_ne!(after([0, 1]).1[1], after([1, 0]).1[1]);
}

#[test]
fn an_input_is_delivered_unless_its_process_crashes() {
    let mut world = World::new();
    world.input(P0, 1, &[]);
    assert_eq!(world.violated(), ["mlog.delivery"]);
    world.restart(P0);
    world.resume(P0);
    assert_eq!(world.violated(), [""; 0]);
    let again = world.input(P0, 2, &[]);
    world.deliver(&again);
    assert_eq!(world.violated(), [""; 0]);
    world.indicate(P0, Indication::RolledBack { to: 0 });
    assert!(world.violated().contains(&"mlog.delivery"), "it is undone, and not done again");
}
