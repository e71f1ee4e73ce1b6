//! Histories made by hand: of clients p0 to p2, and servers p3 and p4.

use super::*;
use ftsim_core::Verdict;
use ftsim_core::bench::history::{Act, check, judge};

const CLIENTS: [ProcessId; 3] = [ProcessId(0), ProcessId(1), ProcessId(2)];
const SERVERS: [ProcessId; 2] = [ProcessId(3), ProcessId(4)];
const N: u32 = 5;
const NONE: [&str; 0] = [];
const UNWRITTEN: Attempt = Attempt { transaction: 0, number: 0 };

type History = Vec<Act<Transactions>>;

/// The first attempt at a transaction.
const fn first(transaction: Transaction) -> Attempt {
    Attempt { transaction, number: 1 }
}

const fn second(transaction: Transaction) -> Attempt {
    Attempt { transaction, number: 2 }
}

/// The client of a transaction.
fn client(attempt: Attempt) -> ProcessId {
    ProcessId(u32::try_from(attempt.transaction).unwrap() - 1)
}

fn runs(transaction: Transaction) -> Act<Transactions> {
    Act::Request(client(first(transaction)), Request::Run { transaction, work: Vec::new() })
}

fn began(attempt: Attempt) -> Act<Transactions> {
    Act::Indicate(client(attempt), Indication::Began(attempt))
}

fn locked(attempt: Attempt, server: usize, item: Item, version: Attempt) -> Act<Transactions> {
    let copy = ItemCopy { server: SERVERS[server], item };
    Act::Indicate(client(attempt), Indication::Locked { attempt, copy, version })
}

fn wrote(server: usize, attempt: Attempt, item: Item) -> Act<Transactions> {
    Act::Indicate(SERVERS[server], Indication::Wrote { attempt, item })
}

fn waits(server: usize, attempt: Attempt, others: &[Attempt]) -> Act<Transactions> {
    let others = others.to_vec();
    Act::Indicate(SERVERS[server], Indication::Waits { attempt, item: 0, others })
}

fn votes(server: usize, attempt: Attempt) -> Act<Transactions> {
    Act::Indicate(SERVERS[server], Indication::VotedYes(attempt))
}

fn victim(attempt: Attempt) -> Act<Transactions> {
    Act::Indicate(client(attempt), Indication::Victim(attempt))
}

fn commits(attempt: Attempt) -> Act<Transactions> {
    Act::Indicate(client(attempt), Indication::Committed(attempt))
}

fn aborts(attempt: Attempt) -> Act<Transactions> {
    Act::Indicate(client(attempt), Indication::Aborted(attempt))
}

/// A server decides what a client has decided.
fn at(server: usize, decision: Act<Transactions>) -> Act<Transactions> {
    match decision {
        Act::Indicate(_, what) => Act::Indicate(SERVERS[server], what),
        other => other,
    }
}

fn violated(history: &[Act<Transactions>]) -> Vec<&'static str> {
    check(N, history)
}

fn verdict(id: PropertyId, history: &[Act<Transactions>]) -> Verdict {
    let judged = judge(&Setting::of(N), history, true);
    judged.into_iter().find(|(name, _)| *name == id.0).unwrap().1
}

/// What a violation says.
fn told(id: PropertyId, history: &[Act<Transactions>]) -> String {
    match verdict(id, history) {
        Verdict::Violated(violation) => violation.message,
        other => panic!("{other:?}"),
    }
}

/// Two attempts begin, and each waits for the other at another server.
fn deadlock() -> History {
    let (one, two) = (first(1), first(2));
    let begun = [runs(1), runs(2), began(one), began(two)];
    let wait = [waits(0, one, &[two]), waits(1, two, &[one])];
    begun.into_iter().chain(wait).collect()
}

fn then(mut history: History, acts: impl IntoIterator<Item = Act<Transactions>>) -> History {
    history.extend(acts);
    history
}

// Deadlocks.

#[test]
fn who_waits_for_each_other_is_deadlocked() {
    let history = deadlock();
    assert_eq!(violated(&history), [DEADLOCK_FREE.0, RESOLUTION.0]);
    let cycle = "transactions 2.1, 1.1 each wait for the next, and the last for the first";
    assert_eq!(told(DEADLOCK_FREE, &history), cycle);
}

#[test]
fn a_cycle_of_three_is_one_and_a_chain_is_none() {
    let [one, two, three] = [1, 2, 3].map(first);
    let chain = vec![
        began(one),
        began(two),
        began(three),
        waits(0, one, &[two]),
        waits(1, two, &[three]),
        waits(1, one, &[three, two]),
    ];
    assert_eq!(violated(&chain), NONE);
    let cycle = then(chain, [waits(0, three, &[one])]);
    assert_eq!(violated(&cycle), [DEADLOCK_FREE.0]);
}

#[test]
fn edges_end_with_the_wait_the_attempt_or_its_server() {
    let (one, two) = (first(1), first(2));
    let back = || waits(1, two, &[one]);
    let ends: [(&str, Vec<Act<Transactions>>); 7] = [
        ("waits no longer", vec![waits(0, one, &[])]),
        ("has the lock", vec![locked(one, 0, 0, UNWRITTEN)]),
        ("votes", vec![votes(0, one)]),
        ("commits", vec![commits(one)]),
        ("aborts", vec![aborts(one)]),
        ("server crashes", vec![Act::Crash(SERVERS[0]), Act::Recover(SERVERS[0])]),
        ("client crashes", vec![Act::Crash(CLIENTS[0]), Act::Recover(CLIENTS[0])]),
    ];
    let begun = || vec![began(one), began(two), waits(0, one, &[two])];
    assert_eq!(violated(&then(begun(), [back()])), [DEADLOCK_FREE.0]);
    for (how, end) in ends {
        let history = then(then(begun(), end), [back()]);
        assert!(!violated(&history).contains(&DEADLOCK_FREE.0), "{how}");
    }
}

/// What servers still believe of an attempt that is over, or of a lock that it has, is no wait.
#[test]
fn what_only_a_server_believes_is_no_edge() {
    let (one, two) = (first(1), first(2));
    let back = waits(1, two, &[one]);
    let late = [began(two), waits(0, one, &[two]), back.clone()];
    assert_eq!(violated(&late), NONE, "never begun");
    let has =
        [began(one), began(two), locked(one, 0, 0, UNWRITTEN), waits(0, one, &[two]), back.clone()];
    assert_eq!(violated(&has), NONE, "has the lock");
    let over = [began(one), began(two), aborts(one), waits(0, one, &[two]), back.clone()];
    assert_eq!(violated(&over), NONE, "aborted");
    // Begun again, the attempt has another name.
    let again =
        [began(one), began(two), waits(0, one, &[two]), aborts(one), began(second(1)), back];
    assert_eq!(violated(&again), NONE, "begun again");
}

#[test]
fn a_deadlock_that_is_broken_is_resolved_if_all_commit() {
    let one_gives_in = then(deadlock(), [aborts(first(1)), commits(first(2)), began(second(1))]);
    assert_eq!(violated(&one_gives_in), [DEADLOCK_FREE.0, RESOLUTION.0]);
    let starves = "p0 was to run transaction 1, which never committed";
    assert_eq!(told(RESOLUTION, &one_gives_in), starves);
    assert_eq!(violated(&then(one_gives_in, [commits(second(1))])), [DEADLOCK_FREE.0]);
}

#[test]
fn an_unresolved_deadlock_is_named_though_another_transaction_is_open_too() {
    let history = then(vec![runs(3)], deadlock());
    let cycle = "transactions 1.1, 2.1 each wait for the next, and the last for the first";
    assert_eq!(told(RESOLUTION, &history), cycle);
}

#[test]
fn only_its_client_answers_a_transaction() {
    let open = vec![runs(1), began(first(1)), at(0, commits(first(1)))];
    assert_eq!(violated(&open), [RESOLUTION.0]);
    // Asked once more after a crash, it is not open again.
    let answered = then(open, [commits(first(1)), runs(1)]);
    assert_eq!(violated(&answered), NONE);
}

#[test]
fn nothing_is_due_while_a_process_is_down() {
    for p in (0..N).map(ProcessId) {
        let down = then(deadlock(), [votes(0, first(3)), Act::Crash(p)]);
        assert!(!violated(&down).contains(&RESOLUTION.0), "{p}");
        assert!(!violated(&down).contains(&TERMINATION.0), "{p}");
        assert!(matches!(verdict(RESOLUTION, &down), Verdict::HeldVacuously), "{p}");
        let up = then(down, [Act::Recover(p)]);
        assert!(violated(&up).contains(&RESOLUTION.0), "{p}");
        assert!(violated(&up).contains(&TERMINATION.0), "{p}");
    }
}

#[test]
fn a_victim_was_on_a_cycle() {
    let of_a_deadlock = then(deadlock(), [victim(first(1))]);
    assert!(!violated(&of_a_deadlock).contains(&NO_PHANTOM.0));
    // Others may have broken the cycle while the probe came back.
    let too_late = then(deadlock(), [aborts(first(2)), victim(first(1))]);
    assert!(!violated(&too_late).contains(&NO_PHANTOM.0));
}

#[test]
fn a_phantom_is_no_deadlock() {
    let [one, two, three] = [1, 2, 3].map(first);
    let waiter = [began(one), began(two), waits(0, one, &[two]), victim(one)];
    assert_eq!(violated(&waiter), [NO_PHANTOM.0]);
    let says = "p0 aborts transaction 1.1, which was on no cycle";
    assert_eq!(told(NO_PHANTOM, &waiter), says);
    // Who waits for a deadlock is not on its cycle.
    let behind = then(deadlock(), [began(three), waits(0, three, &[two, one]), victim(three)]);
    assert!(violated(&behind).contains(&NO_PHANTOM.0));
    // Nor is the next attempt of who was.
    let again = then(deadlock(), [aborts(one), began(second(1)), victim(second(1))]);
    assert!(violated(&again).contains(&NO_PHANTOM.0));
    // The edges never existed at the same time.
    let apart = [
        began(one),
        began(two),
        waits(0, one, &[two]),
        waits(0, one, &[]),
        waits(1, two, &[one]),
        victim(one),
    ];
    assert_eq!(violated(&apart), [NO_PHANTOM.0]);
}

#[test]
fn what_never_came_up_holds_vacuously() {
    let idle: [Act<Transactions>; 0] = [];
    for entry in Transactions::PROPERTIES {
        assert!(matches!(verdict(entry.id, &idle), Verdict::HeldVacuously), "{}", entry.id.0);
    }
    let no_victim = [runs(1), began(first(1)), commits(first(1))];
    assert!(matches!(verdict(DEADLOCK_FREE, &no_victim), Verdict::Held));
    assert!(matches!(verdict(RESOLUTION, &no_victim), Verdict::Held));
    assert!(matches!(verdict(NO_PHANTOM, &no_victim), Verdict::HeldVacuously));
}

// Commitment.

#[test]
fn decisions_on_an_attempt_are_the_same_and_those_on_two_attempts_need_not_be() {
    let (one, again) = (first(1), second(1));
    let repeated = [commits(one), at(0, commits(one)), commits(one), aborts(again)];
    assert_eq!(violated(&repeated), NONE);
    assert_eq!(violated(&[commits(one), at(0, aborts(one))]), [AGREEMENT.0]);
    assert_eq!(violated(&[at(0, aborts(one)), at(0, commits(one))]), [AGREEMENT.0]);
}

#[test]
fn a_commit_needs_the_vote_of_every_server_at_which_there_are_locks() {
    let one = first(1);
    let locks = || vec![locked(one, 0, 0, UNWRITTEN), locked(one, 1, 0, UNWRITTEN)];
    let decided = || [commits(one), at(0, commits(one)), at(1, commits(one))];
    let half = then(then(locks(), [votes(0, one)]), decided());
    assert_eq!(violated(&half), [COMMIT_VALIDITY.0]);
    let all = then(then(locks(), [votes(0, one), votes(1, one)]), decided());
    assert_eq!(violated(&all), NONE);
    let late = then(locks(), [votes(0, one), at(0, commits(one)), votes(1, one)]);
    assert!(violated(&late).contains(&COMMIT_VALIDITY.0));
}

#[test]
fn who_has_voted_decides_and_owes_nothing_by_voting_again() {
    let one = first(1);
    assert_eq!(violated(&[votes(0, one)]), [TERMINATION.0]);
    assert_eq!(violated(&[votes(0, one), commits(one)]), [TERMINATION.0]);
    let recovers = [Act::Crash(SERVERS[0]), Act::Recover(SERVERS[0]), votes(0, one)];
    let history = then(vec![votes(0, one), at(0, aborts(one))], recovers);
    assert_eq!(violated(&history), NONE);
}

// A single copy.

/// The servers in turn: the attempt locks the item, reads this version, and overwrites it.
fn writes(attempt: Attempt, item: Item, version: Attempt) -> Vec<Act<Transactions>> {
    let at = |server| [wrote(server, attempt, item), locked(attempt, server, item, version)];
    [0, 1].into_iter().flat_map(at).collect()
}

fn ends(attempt: Attempt) -> Vec<Act<Transactions>> {
    let at_servers = [0, 1].map(|server| at(server, commits(attempt)));
    [votes(0, attempt), votes(1, attempt), commits(attempt)].into_iter().chain(at_servers).collect()
}

#[test]
fn one_transaction_after_the_other_is_serial() {
    let [one, two, three] = [1, 2, 3].map(first);
    let history = [
        writes(one, 0, UNWRITTEN),
        ends(one),
        writes(two, 0, one),
        ends(two),
        vec![locked(three, 1, 0, two), commits(three)],
    ];
    let history = history.concat();
    assert!(!violated(&history).contains(&ONE_COPY.0));
}

#[test]
fn updates_get_lost_if_two_read_the_same_version() {
    let (one, two) = (first(1), first(2));
    let history = [writes(one, 0, UNWRITTEN), writes(two, 0, UNWRITTEN), ends(one), ends(two)];
    assert_eq!(violated(&history.concat()), [ONE_COPY.0]);
}

#[test]
fn what_was_read_and_then_aborted_is_dirt() {
    let (one, two) = (first(1), first(2));
    let dirty = [writes(one, 0, UNWRITTEN), writes(two, 0, one), ends(two)].concat();
    assert_eq!(violated(&then(dirty.clone(), [aborts(one)])), [ONE_COPY.0]);
    assert!(!violated(&then(dirty, ends(one))).contains(&ONE_COPY.0));
}

/// Each copy alone has a serial history: they have no reader or writer in common.
#[test]
fn who_writes_one_copy_alone_is_found_out_by_who_reads_another() {
    let (one, two) = (first(1), first(2));
    let history = [
        locked(one, 0, 1, UNWRITTEN),
        wrote(0, one, 0),
        locked(two, 1, 0, UNWRITTEN),
        wrote(1, two, 1),
        votes(0, one),
        votes(1, two),
        commits(one),
        at(0, commits(one)),
        commits(two),
        at(1, commits(two)),
    ];
    assert_eq!(violated(&history), [ONE_COPY.0]);
    let cycle = "transactions 2.1, 1.1 must each come before the next, and the last before the \
                 first";
    assert_eq!(told(ONE_COPY, &history), cycle);
}

#[test]
fn a_stale_copy_may_be_read_if_all_that_is_read_is_as_old() {
    let (one, two) = (first(1), first(2));
    let stale = vec![wrote(0, one, 0), votes(0, one), commits(one), at(0, commits(one))];
    let reads = [locked(two, 1, 0, UNWRITTEN), votes(1, two), commits(two), at(1, commits(two))];
    assert_eq!(violated(&then(stale, reads)), NONE);
}

/// p3 loses the first write in a crash, and another transaction commits before it is repeated.
#[test]
fn a_write_counts_where_it_was_repeated() {
    let (one, two) = (first(1), first(2));
    let lost = vec![wrote(0, one, 0), Act::Crash(SERVERS[0]), Act::Recover(SERVERS[0])];
    let history = [lost, writes(two, 0, UNWRITTEN), ends(two), writes(one, 0, two), ends(one)];
    assert_eq!(violated(&history.concat()), NONE);
}

/// p3 recovers prepared, and announces its write again when p4's copy has been written by another.
#[test]
fn a_write_that_recovers_is_not_a_new_one() {
    let (one, two) = (first(1), first(2));
    let decided = [
        votes(0, one),
        votes(1, one),
        commits(one),
        at(1, commits(one)),
        Act::Crash(SERVERS[0]),
        wrote(1, two, 0),
        locked(two, 1, 0, one),
        Act::Recover(SERVERS[0]),
        votes(0, one),
        wrote(0, one, 0),
        at(0, commits(one)),
        wrote(0, two, 0),
        locked(two, 0, 0, one),
    ];
    let history = then(then(writes(one, 0, UNWRITTEN), decided), ends(two));
    assert_eq!(violated(&history), NONE);
}
