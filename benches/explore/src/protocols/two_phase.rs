//! Two-phase commit: a coordinator, process 0, and participants that may vote either way.
//!
//! Source: Gray (1978), *Notes on data base operating systems*. No process fails. The coordinator
//! asks all, waits for all votes, and tells all: commit if each has voted Yes.

use serde::{Deserialize, Serialize};

use crate::machine::{Event, Machine, Out, Setup};

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Msg {
    /// Coordinator to participant: vote.
    Prepare,
    /// Participant to coordinator: Yes if true.
    Vote(bool),
    /// Coordinator to participant: commit if true.
    Decision(bool),
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TwoPhase {
    /// It collects the votes.
    Coordinator {
        /// The number of participants.
        participants: u32,
        /// Votes that have not come.
        missing: u32,
        /// How many were Yes.
        yes: u32,
        /// Whether it overlooks one No.
        is_broken: bool,
    },
    /// It votes.
    Participant {
        /// What it will vote, if that is settled.
        will: Option<bool>,
        /// What it has voted.
        voted: Option<bool>,
        /// How it has ended.
        ended: Option<bool>,
    },
}

impl Machine for TwoPhase {
    type Msg = Msg;

    fn count(setup: &Setup) -> u32 {
        setup.servers + 1
    }

    fn new(setup: &Setup, me: u32) -> Self {
        let participants = setup.servers;
        match me.checked_sub(1) {
            None => Self::Coordinator {
                participants,
                missing: participants,
                yes: 0,
                is_broken: setup.is_broken,
            },
            Some(index) => {
                let will = setup.votes.map(|votes| votes >> index & 1 == 1);
                Self::Participant { will, voted: None, ended: None }
            }
        }
    }

    fn start(&mut self, out: &mut impl Out<Msg>) {
        if let Self::Coordinator { participants, .. } = self {
            (1..=*participants).for_each(|p| out.send(p, Msg::Prepare));
        }
    }

    fn heeds(&self, _: u32, _: &Msg) -> bool {
        true
    }

    fn receive(&mut self, _: u32, msg: Msg, out: &mut impl Out<Msg>) {
        match (self, msg) {
            (Self::Coordinator { participants, missing, yes, is_broken }, Msg::Vote(vote)) => {
                *missing -= 1;
                *yes += u32::from(vote);
                if *missing == 0 {
                    let commits = *yes + u32::from(*is_broken) >= *participants;
                    (1..=*participants).for_each(|p| out.send(p, Msg::Decision(commits)));
                }
            }
            (process @ Self::Participant { .. }, Msg::Prepare) => match process {
                Self::Participant { will: Some(vote), .. } => {
                    let vote = *vote;
                    process.choose(vote, out);
                }
                _ => out.ask(),
            },
            (Self::Participant { ended, .. }, Msg::Decision(commit)) => {
                *ended = Some(commit);
                out.tell(Event::Ended(commit));
            }
            _ => {}
        }
    }

    fn choose(&mut self, choice: bool, out: &mut impl Out<Msg>) {
        if let Self::Participant { voted, .. } = self {
            *voted = Some(choice);
            out.tell(Event::Voted(choice));
            out.send(0, Msg::Vote(choice));
        }
    }

    fn facts(&self) -> [Option<Event>; 2] {
        match self {
            Self::Coordinator { .. } => [None, None],
            Self::Participant { voted, ended, .. } => {
                [voted.map(Event::Voted), ended.map(Event::Ended)]
            }
        }
    }
}
