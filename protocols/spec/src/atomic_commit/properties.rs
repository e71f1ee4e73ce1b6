//! The properties of atomic commitment, each with its checker.

use std::collections::{BTreeMap, BTreeSet};

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::{AtomicCommit, Decision, Indication, PARTICIPANT, Request, Transaction, Vote};
use crate::one_copy::OneCopy;

fn decision(event: &Observed<'_, AtomicCommit>) -> Option<(Transaction, Decision)> {
    match event.what {
        Observation::Indication(Indication::Committed(t)) => Some((*t, Decision::Commit)),
        Observation::Indication(Indication::Aborted(t)) => Some((*t, Decision::Abort)),
        _ => None,
    }
}

fn vote(event: &Observed<'_, AtomicCommit>) -> Option<(Transaction, Vote)> {
    match event.what {
        Observation::Indication(Indication::Voted { transaction, vote }) => {
            Some((*transaction, *vote))
        }
        _ => None,
    }
}

/// AC1: remembers the decisions of all processes.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Agreement {
    committed: BTreeMap<Transaction, ProcessSet>,
    aborted: BTreeMap<Transaction, ProcessSet>,
    /// Decisions on a transaction that another process had decided before.
    exercised: u64,
}

impl Property<AtomicCommit> for Agreement {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        let Some((transaction, decision)) = decision(event) else { return Ok(()) };
        let me = event.process;
        let (same, other, did, against) = match decision {
            Decision::Commit => (&mut self.committed, &self.aborted, "committed", "aborted"),
            Decision::Abort => (&mut self.aborted, &self.committed, "aborted", "committed"),
        };
        let same = same.entry(transaction).or_default();
        same.insert(me);
        self.exercised += u64::from(same.len() > 1);
        let Some(q) = other.get(&transaction).and_then(|by| by.iter().find(|q| *q != me)) else {
            return Ok(());
        };
        let message = format!("{me} {did} transaction {transaction}, which {q} had {against}");
        Err(Violation::by([me, q], message))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// AC2: remembers the first decision of each process on each transaction.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Irrevocable {
    decided: BTreeMap<(ProcessId, Transaction), Decision>,
}

impl Property<AtomicCommit> for Irrevocable {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        let Some((transaction, decision)) = decision(event) else { return Ok(()) };
        let p = event.process;
        let first = *self.decided.entry((p, transaction)).or_insert(decision);
        if first == decision {
            return Ok(());
        }
        let message =
            format!("{p} decided {first:?} on transaction {transaction}, now {decision:?}");
        Err(Violation::by([p], message))
    }

    fn exercised(&self) -> u64 {
        self.decided.len() as u64
    }
}

/// The votes on each transaction.
#[derive(Clone, Debug, Hash)]
struct Votes {
    voters: ProcessSet,
    /// The participants that voted Yes or only read.
    in_favour: BTreeMap<Transaction, ProcessSet>,
    against: BTreeMap<Transaction, ProcessSet>,
}

impl Votes {
    fn new(setting: &Setting) -> Self {
        let voters = setting.role(PARTICIPANT).collect();
        Self { voters, in_favour: BTreeMap::new(), against: BTreeMap::new() }
    }

    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) {
        if let Some((transaction, vote)) = vote(event) {
            let votes = match vote {
                Vote::Yes | Vote::ReadOnly => &mut self.in_favour,
                Vote::No => &mut self.against,
            };
            votes.entry(transaction).or_default().insert(event.process);
        }
    }

    /// A participant that has not voted for this transaction, and what it did instead.
    fn objection(&self, transaction: Transaction) -> Option<(ProcessId, &'static str)> {
        let cast = |votes: &BTreeMap<Transaction, ProcessSet>, p| {
            votes.get(&transaction).is_some_and(|by| by.contains(p))
        };
        self.voters.iter().find_map(|p| match (cast(&self.against, p), cast(&self.in_favour, p)) {
            (true, _) => Some((p, "voted No")),
            (false, false) => Some((p, "has not voted")),
            (false, true) => None,
        })
    }
}

/// AC3: remembers the votes, and checks them when a process commits.
#[derive(Clone, Debug, Hash)]
pub(super) struct CommitValidity {
    votes: Votes,
    commits: u64,
}

impl CommitValidity {
    pub fn new(setting: &Setting) -> Self {
        Self { votes: Votes::new(setting), commits: 0 }
    }
}

impl Property<AtomicCommit> for CommitValidity {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        self.votes.observe(event);
        let Some((transaction, Decision::Commit)) = decision(event) else { return Ok(()) };
        self.commits += 1;
        let Some((q, did)) = self.votes.objection(transaction) else { return Ok(()) };
        let p = event.process;
        Err(Violation::by(
            [p, q],
            format!("{p} committed transaction {transaction}, but {q} {did}"),
        ))
    }

    fn exercised(&self) -> u64 {
        self.commits
    }
}

/// AC4: at the end, checks the transactions that every participant voted for. A message that takes
/// longer than the bound is a failure, too: timeouts must be longer than the bound allows.
#[derive(Clone, Debug, Hash)]
pub(super) struct NonTriviality {
    votes: Votes,
    committed: BTreeSet<Transaction>,
    aborted: BTreeMap<Transaction, ProcessId>,
    exercised: u64,
}

impl NonTriviality {
    pub fn new(setting: &Setting) -> Self {
        Self {
            votes: Votes::new(setting),
            committed: BTreeSet::new(),
            aborted: BTreeMap::new(),
            exercised: 0,
        }
    }
}

impl Property<AtomicCommit> for NonTriviality {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        self.votes.observe(event);
        match decision(event) {
            Some((transaction, Decision::Commit)) => {
                self.committed.insert(transaction);
            }
            Some((transaction, Decision::Abort)) => {
                self.aborted.entry(transaction).or_insert(event.process);
            }
            None => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        if !end.failure_free {
            return Ok(());
        }
        let wanted = |t: &&Transaction| self.votes.objection(**t).is_none();
        for transaction in self.votes.in_favour.keys().filter(wanted) {
            self.exercised += 1;
            let all = format!("nothing failed and all voted for transaction {transaction}");
            if let Some(p) = self.aborted.get(transaction) {
                return Err(Violation::by([*p], format!("{all}, yet {p} aborted it")));
            }
            if !self.committed.contains(transaction) {
                return Err(Violation::by([], format!("{all}, yet nobody committed it")));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// The condition under which processes owe decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Premise {
    /// Every process is up at the end.
    AllRepaired,
    /// None; exercised only if a process stays down.
    SomeDown,
}

/// AC5 and nonblocking termination: remembers the decisions owed.
///
/// A process owes a decision once it has heard of a transaction, however often it crashes. A
/// participant that has only read and says so owes none (Mohan, Lindsay and Obermarck 1986).
#[derive(Clone, Debug, Hash)]
pub(super) struct Termination {
    premise: Premise,
    process_count: usize,
    owed: BTreeSet<(ProcessId, Transaction)>,
    decided: BTreeSet<(ProcessId, Transaction)>,
    prepared: BTreeSet<(ProcessId, Transaction)>,
    exercised: u64,
}

impl Termination {
    pub fn new(premise: Premise, setting: &Setting) -> Self {
        Self {
            premise,
            process_count: setting.n as usize,
            owed: BTreeSet::new(),
            decided: BTreeSet::new(),
            prepared: BTreeSet::new(),
            exercised: 0,
        }
    }

    fn owe(&mut self, process: ProcessId, transaction: Transaction) {
        if !self.decided.contains(&(process, transaction)) {
            self.owed.insert((process, transaction));
        }
    }
}

impl Property<AtomicCommit> for Termination {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(
                Request::Perform { transaction: t, .. } | Request::Begin(t) | Request::Resolve(t),
            ) => self.owe(p, *t),
            Observation::Indication(Indication::Voted { transaction, vote: Vote::Yes }) => {
                self.prepared.insert((p, *transaction));
                self.owe(p, *transaction);
            }
            Observation::Indication(Indication::Voted { transaction, vote: Vote::ReadOnly }) => {
                self.owed.remove(&(p, *transaction));
            }
            Observation::Indication(Indication::Committed(t) | Indication::Aborted(t)) => {
                self.owed.remove(&(p, *t));
                self.decided.insert((p, *t));
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let correct = |debt: &&(ProcessId, Transaction)| end.is_correct(debt.0);
        let all_up = end.correct().count() == self.process_count;
        if self.premise == Premise::AllRepaired && !all_up {
            return Ok(());
        }
        if all_up == (self.premise == Premise::AllRepaired) {
            let debts = self.decided.iter().chain(&self.owed).filter(correct);
            self.exercised = debts.count() as u64;
        }
        let Some((p, transaction)) = self.owed.iter().find(correct) else { return Ok(()) };
        let voted = self.prepared.contains(&(*p, *transaction));
        let state = if voted { "voted Yes on" } else { "heard of" };
        Err(Violation::by([*p], format!("{p} {state} transaction {transaction} and never decided")))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// One-copy serialisability: every participant holds one item, named after it.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Serialisable {
    history: OneCopy<ProcessId>,
}

impl Property<AtomicCommit> for Serialisable {
    fn observe(&mut self, event: &Observed<'_, AtomicCommit>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Indication(Indication::Read { transaction, version }) => {
                self.history.read(*transaction, p, *version);
                return Ok(());
            }
            Observation::Indication(Indication::Wrote { transaction }) => {
                self.history.write(*transaction, p);
                return Ok(());
            }
            Observation::Indication(Indication::Committed(t)) => self.history.commit(*t),
            Observation::Indication(Indication::Aborted(t)) => self.history.abort(*t),
            _ => return Ok(()),
        }
        self.history.judge().map_err(|anomaly| Violation::by([p], anomaly.to_string()))
    }

    fn finish(&mut self, _: &End<'_>) -> Result<(), Violation> {
        self.history.judge_all().map_err(|anomaly| Violation::by([], anomaly.to_string()))
    }

    fn exercised(&self) -> u64 {
        self.history.committed_count() as u64
    }
}
