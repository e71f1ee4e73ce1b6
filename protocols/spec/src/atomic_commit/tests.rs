//! Good and bad histories: each property refuses the ones that break it, and no other.

use ftsim_core::{Bench, ProcessId, Setting, Spec, Verdict};

use super::{
    AtomicCommit, COORDINATOR, INITIAL, Indication, PARTICIPANT, Request, TransactionWorkload,
    Vote, Work,
};
use crate::stub::{Answers, Stub, down, requests};
use ftsim_core::bench::history::{Act, judge};

type Event = Act<AtomicCommit>;

const C: ProcessId = ProcessId(0);
const P1: ProcessId = ProcessId(1);
const P2: ProcessId = ProcessId(2);

/// A coordinator and two participants.
fn setting() -> Setting {
    Setting { roles: vec![(COORDINATOR.into(), 1), (PARTICIPANT.into(), 2)], ..Setting::of(3) }
}

fn verdicts(history: &[Event]) -> Vec<(&'static str, Verdict)> {
    judge(&setting(), history, true)
}

fn violated(history: &[Event]) -> Vec<&'static str> {
    let bad = |(_, verdict): &(_, Verdict)| matches!(verdict, Verdict::Violated(_));
    verdicts(history).into_iter().filter(bad).map(|(id, _)| id).collect()
}

fn vacuous(history: &[Event]) -> Vec<&'static str> {
    let idle = |(_, verdict): &(_, Verdict)| *verdict == Verdict::HeldVacuously;
    verdicts(history).into_iter().filter(idle).map(|(id, _)| id).collect()
}

fn begin(transaction: u64) -> Event {
    Act::Request(C, Request::Begin(transaction))
}

fn perform(p: ProcessId, transaction: u64) -> Event {
    Act::Request(p, Request::Perform { transaction, work: Work::Write })
}

fn vote(p: ProcessId, vote: Vote) -> Event {
    Act::Indicate(p, Indication::Voted { transaction: 1, vote })
}

fn commit(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Committed(transaction))
}

fn abort(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Aborted(transaction))
}

fn read(p: ProcessId, transaction: u64, version: u64) -> Event {
    Act::Indicate(p, Indication::Read { transaction, version })
}

fn write(p: ProcessId, transaction: u64) -> Event {
    Act::Indicate(p, Indication::Wrote { transaction })
}

#[test]
fn a_commit_and_an_abort_by_all_are_good() {
    let committed = [
        begin(1),
        perform(P1, 1),
        read(P1, 1, INITIAL),
        write(P1, 1),
        vote(P1, Vote::Yes),
        vote(P2, Vote::ReadOnly),
        commit(C, 1),
        commit(P1, 1),
    ];
    assert_eq!(violated(&committed), [""; 0]);
    assert_eq!(vacuous(&committed), ["ac.nonblocking"]);
    let aborted = [
        begin(1),
        vote(P1, Vote::Yes),
        vote(P2, Vote::No),
        abort(P2, 1),
        abort(C, 1),
        abort(P1, 1),
        abort(P1, 1),
    ];
    assert_eq!(violated(&aborted), [""; 0]);
    assert_eq!(
        vacuous(&aborted),
        ["ac.commit-validity", "ac.non-triviality", "ac.nonblocking", "txn.one-copy"]
    );
}

#[test]
fn a_premise_that_never_came_true_exercises_nothing() {
    let all = [
        "ac.agreement",
        "ac.irrevocability",
        "ac.commit-validity",
        "ac.non-triviality",
        "ac.termination",
        "ac.nonblocking",
        "txn.one-copy",
    ];
    assert_eq!(vacuous(&[]), all);
    // One decision agrees with none, and nothing was to be committed.
    let alone = [abort(C, 1)];
    let but = ["ac.irrevocability", "ac.termination"];
    assert_eq!(vacuous(&alone), all.into_iter().filter(|id| !but.contains(id)).collect::<Vec<_>>());
    // One process is down, and the others have decided.
    let down = [abort(C, 1), abort(P1, 1), Act::Crash(P2)];
    let but = ["ac.agreement", "ac.irrevocability", "ac.nonblocking"];
    assert_eq!(vacuous(&down), all.into_iter().filter(|id| !but.contains(id)).collect::<Vec<_>>());
    // It was the only one that had heard of the transaction.
    let unheard = [perform(P2, 1), Act::Crash(P2)];
    assert_eq!(vacuous(&unheard), all);
}

#[test]
fn agreement_binds_the_crashed_too() {
    let votes = || [vote(P1, Vote::Yes), vote(P2, Vote::Yes)];
    let split: Vec<Event> =
        votes().into_iter().chain([commit(P1, 1), Act::Crash(P1), abort(P2, 1)]).collect();
    assert_eq!(violated(&split), ["ac.agreement"]);
    let two: Vec<Event> =
        votes().into_iter().chain([commit(P1, 1), commit(P2, 1), abort(C, 2)]).collect();
    assert_eq!(violated(&two), [""; 0]);
}

#[test]
fn a_decision_never_changes() {
    let changed = [abort(P1, 1), Act::Crash(P1), Act::Recover(P1), commit(P1, 1)];
    assert_eq!(violated(&changed), ["ac.irrevocability", "ac.commit-validity"]);
}

#[test]
fn a_commit_needs_every_vote() {
    let early =
        [vote(P1, Vote::Yes), commit(C, 1), vote(P2, Vote::Yes), commit(P1, 1), commit(P2, 1)];
    assert_eq!(violated(&early), ["ac.commit-validity"]);
    let refused = [vote(P1, Vote::Yes), vote(P2, Vote::No), commit(C, 1), commit(P1, 1)];
    assert_eq!(violated(&refused), ["ac.commit-validity"]);
}

#[test]
fn only_a_failure_excuses_the_abort_of_what_all_voted_for() {
    let timid =
        || [vote(P1, Vote::Yes), vote(P2, Vote::Yes), abort(C, 1), abort(P1, 1), abort(P2, 1)];
    assert_eq!(violated(&timid()), ["ac.non-triviality"]);
    let excused: Vec<Event> = timid().into_iter().chain([Act::Crash(C), Act::Recover(C)]).collect();
    assert_eq!(violated(&excused), [""; 0]);
    let silent = [vote(P1, Vote::ReadOnly), vote(P2, Vote::ReadOnly)];
    assert_eq!(violated(&silent), ["ac.non-triviality"]);
}

#[test]
fn termination_is_owed_once_all_are_up() {
    let blocked = || [begin(1), vote(P1, Vote::Yes), Act::Crash(C)];
    assert_eq!(violated(&blocked()), ["ac.nonblocking"]);
    assert!(vacuous(&blocked()).contains(&"ac.termination"));
    let repaired: Vec<Event> = blocked().into_iter().chain([Act::Recover(C)]).collect();
    assert_eq!(violated(&repaired), ["ac.termination", "ac.nonblocking"]);
    let decided: Vec<Event> = repaired.into_iter().chain([abort(C, 1), abort(P1, 1)]).collect();
    assert_eq!(violated(&decided), [""; 0]);
    assert!(!vacuous(&decided).contains(&"ac.termination"));
}

#[test]
fn no_crash_frees_a_process_that_is_up_again_from_deciding() {
    let both = ["ac.termination", "ac.nonblocking"];
    assert_eq!(violated(&[perform(P1, 1)]), both);
    let forgot = [perform(P1, 1), vote(P1, Vote::No), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&forgot), both);
    let prepared = [perform(P1, 1), vote(P1, Vote::Yes), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&prepared), both);
    let coordinator = || [begin(1), Act::Crash(C), Act::Recover(C)];
    assert_eq!(violated(&coordinator()), both);
    let asked_again = Act::Request(C, Request::Resolve(1));
    assert_eq!(violated(&[Act::Crash(C), Act::Recover(C), asked_again]), both);
    let resolved: Vec<Event> = coordinator().into_iter().chain([abort(C, 1)]).collect();
    assert_eq!(violated(&resolved), [""; 0]);
    let left = [perform(P1, 1), vote(P1, Vote::ReadOnly), Act::Crash(P1), Act::Recover(P1)];
    assert_eq!(violated(&left), [""; 0]);
}

#[test]
fn a_commit_after_a_dirty_read_is_no_single_copy() {
    let dirty = [
        write(P1, 1),
        read(P1, 2, 1),
        abort(P1, 1),
        Act::Indicate(P1, Indication::Voted { transaction: 2, vote: Vote::Yes }),
        Act::Indicate(P2, Indication::Voted { transaction: 2, vote: Vote::Yes }),
        commit(P1, 2),
        commit(P2, 2),
    ];
    assert_eq!(violated(&dirty), ["txn.one-copy"]);
}

#[test]
fn absurd_content_is_judged_not_obeyed() {
    let stranger = ProcessId(u32::MAX);
    let absurd = [commit(stranger, u64::MAX), read(stranger, u64::MAX, u64::MAX - 1)];
    assert_eq!(violated(&absurd), ["ac.commit-validity", "txn.one-copy"]);
}

/// The first participant decides transactions 1 and 2, leaves 3, votes on 4 and 5; nobody else says
/// anything.
#[derive(Clone, Debug, Hash)]
struct FirstDecides;

impl Answers for FirstDecides {
    type Spec = AtomicCommit;
    const ROLES: &'static [&'static str] = &[COORDINATOR, PARTICIPANT];

    fn to(p: ProcessId, request: &Request) -> Vec<Indication> {
        let Request::Perform { transaction, .. } = *request else { return vec![] };
        let voted = |vote| Indication::Voted { transaction, vote };
        let says = match transaction {
            1 => Indication::Committed(1),
            2 => Indication::Aborted(2),
            3 => voted(Vote::ReadOnly),
            4 => voted(Vote::Yes),
            _ => voted(Vote::No),
        };
        if p == P1 { vec![says] } else { vec![] }
    }
}

fn bench(workload: &str) -> Bench {
    let roles = [(COORDINATOR, 1), (PARTICIPANT, 2)];
    Bench::with_roles::<Stub<FirstDecides>>(&roles).workload(workload)
}

fn requested(workload: &str) -> Vec<String> {
    requests(&bench(workload).run(1))
}

#[test]
fn each_transaction_works_at_all_participants_and_is_then_to_be_committed() {
    let one = [
        "0s p1 Perform { transaction: 1, work: Write }",
        "0s p2 Perform { transaction: 1, work: Write }",
        "0s p0 Begin(1)",
    ];
    assert_eq!(requested("{}"), one);
    let two = requested(
        r#"{"transactions": 2, "every": "5ms", "no": [["p1", 2]],
            "reads": [["p2", 1], ["p1", 2]]}"#,
    );
    let expected = [
        "0s p1 Perform { transaction: 1, work: Write }",
        "0s p2 Perform { transaction: 1, work: Read }",
        "0s p0 Begin(1)",
        "5ms p1 Perform { transaction: 2, work: Fail }",
        "5ms p2 Perform { transaction: 2, work: Write }",
        "5ms p0 Begin(2)",
    ];
    assert_eq!(two, expected);
    assert_eq!(requested(r#"{"transactions": 0}"#), [""; 0]);
}

#[test]
fn a_transaction_fails_or_only_reads_as_often_as_is_probable() {
    let count = |vote_no: &str, read_only: &str| {
        let workload =
            format!(r#"{{"transactions": 100, "vote_no": {vote_no}, "read_only": {read_only}}}"#);
        let requested = requested(&workload);
        ["Fail", "Read", "Write"]
            .map(|work| requested.iter().filter(|line| line.contains(work)).count())
    };
    assert_eq!(count("0.0", "0.0"), [0, 0, 200]);
    assert_eq!(count("0.0", "1.0"), [0, 200, 0]);
    assert_eq!(count("1.0", "1.0"), [200, 0, 0]);
    let [fail, read, write] = count("0.5", "0.5");
    assert!((70..130).contains(&fail), "about a half of 200 is not {fail}");
    assert!((30..70).contains(&read), "about a quarter of 200 is not {read}");
    assert_eq!(fail + read + write, 200);
}

#[test]
fn the_clients_of_who_is_back_ask_for_what_it_has_neither_decided_nor_left() {
    let five = bench(r#"{"transactions": 5, "every": "1ms"}"#);
    let back = |process| {
        let requested = requests(&down(five.clone(), process, 50, 60).run(1));
        requested.into_iter().filter(|line| line.contains("Resolve")).collect::<Vec<_>>()
    };
    assert_eq!(back(1), ["60ms p1 Resolve(4)", "60ms p1 Resolve(5)"]);
    let all = |p| (1..=5).map(|t| format!("60ms {p} Resolve({t})")).collect::<Vec<_>>();
    assert_eq!(back(2), all("p2"));
    assert_eq!(back(0), all("p0"));
}

#[test]
fn the_workload_refuses_what_cannot_be() {
    let refused = |settings: TransactionWorkload, setting: Setting| {
        AtomicCommit::workload(&settings, &setting).err().map(|invalid| invalid.key)
    };
    let of = |transactions| TransactionWorkload { transactions, ..Default::default() };
    let roles = |coordinators, participants| Setting {
        roles: vec![(COORDINATOR.into(), coordinators), (PARTICIPANT.into(), participants)],
        ..Setting::of(coordinators + participants)
    };
    assert_eq!(refused(of(1), roles(1, 1)), None);
    assert_eq!(refused(of(1), roles(1, 0)).as_deref(), Some("transactions"));
    assert_eq!(refused(of(1), roles(0, 1)).as_deref(), Some("transactions"));
    // Each transaction makes a request to each of the three, and a run holds a million.
    assert_eq!(refused(of(333_333), setting()), None);
    assert_eq!(refused(of(333_334), setting()).as_deref(), Some("transactions"));
    let pairs = |no, reads| refused(TransactionWorkload { no, reads, ..of(2) }, setting());
    assert_eq!(pairs(vec![(P1, 1), (P2, 2)], vec![(P1, 1), (P2, 2)]), None);
    for wrong in [(P1, 0), (P1, 3), (C, 1), (ProcessId(3), 1)] {
        assert_eq!(pairs(vec![wrong], vec![]).as_deref(), Some("no"), "{wrong:?}");
        assert_eq!(pairs(vec![], vec![wrong]).as_deref(), Some("reads"), "{wrong:?}");
    }
    let certain = TransactionWorkload { vote_no: 1.0, read_only: 1.0, ..of(1) };
    assert_eq!(refused(certain.clone(), setting()), None);
    let more = TransactionWorkload { vote_no: 1.01, ..certain.clone() };
    assert_eq!(refused(more, setting()).as_deref(), Some("vote_no"));
    let less = TransactionWorkload { read_only: -0.01, ..certain };
    assert_eq!(refused(less, setting()).as_deref(), Some("read_only"));
}

#[test]
fn a_transaction_is_answered_by_the_decision_of_the_process_that_was_asked() {
    let begun = AtomicCommit::operation(C, &Request::Begin(7)).expect("an operation");
    let answered = |p, what| AtomicCommit::answers(p, &what).collect::<Vec<_>>();
    assert_eq!(answered(C, Indication::Committed(7)), [begun]);
    assert_eq!(answered(C, Indication::Aborted(7)), [begun]);
    assert_ne!(answered(C, Indication::Aborted(8)), [begun]);
    assert_ne!(answered(P1, Indication::Committed(7)), [begun]);
    assert_eq!(answered(C, Indication::Voted { transaction: 7, vote: Vote::ReadOnly }), []);
    let work = Request::Perform { transaction: 7, work: Work::Write };
    assert_eq!(AtomicCommit::operation(P1, &work), None);
    assert_eq!(AtomicCommit::operation(C, &Request::Resolve(7)), None);
}

#[test]
fn clients_see_decisions_and_who_leaves() {
    let voted = |vote| Indication::Voted { transaction: 1, vote };
    let announced = [Indication::Committed(1), Indication::Aborted(1), voted(Vote::ReadOnly)];
    assert!(!announced.iter().any(AtomicCommit::is_probe));
    let probes = [
        voted(Vote::Yes),
        voted(Vote::No),
        Indication::Read { transaction: 1, version: INITIAL },
        Indication::Wrote { transaction: 1 },
    ];
    assert!(probes.iter().all(AtomicCommit::is_probe));
}
