//! What a server numbers: tickets, in whose order it grants requests, and grants, whose numbers are
//! the tokens by which a resource knows the latest of them (Gray & Cheriton 1989).

use std::collections::BTreeMap;

use ftsim_core::{Observation, Observed, ProcessId, Property, Violation};

use super::{EntryNumber, Indication, MutualExclusion, Request, Ticket, Token};

/// ME3 by tickets: remembers those of the requests that were not granted yet.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct TicketOrder {
    waiting: BTreeMap<ProcessId, (EntryNumber, Option<Ticket>)>,
    /// Entries while another process waited with a ticket.
    obligations: u64,
}

impl TicketOrder {
    /// The first ticket that a process hears of counts.
    fn hear(&mut self, p: ProcessId, number: EntryNumber, heard: Ticket) {
        if let Some((wanted, ticket)) = self.waiting.get_mut(&p)
            && *wanted == number
        {
            ticket.get_or_insert(heard);
        }
    }

    fn enter(&mut self, p: ProcessId) -> Result<(), Violation> {
        let Some((_, Some(own))) = self.waiting.remove(&p) else { return Ok(()) };
        let others = self.waiting.iter().filter_map(|(q, (_, ticket))| Some((*q, (*ticket)?)));
        let first = others.min_by_key(|(_, ticket)| *ticket);
        self.obligations += u64::from(first.is_some());
        match first {
            Some((q, ticket)) if ticket < own => Err(Violation::by(
                [p, q],
                format!("{p} entered with ticket {own}, and {q} waits with ticket {ticket}"),
            )),
            _ => Ok(()),
        }
    }
}

impl Property<MutualExclusion> for TicketOrder {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        let p = event.process;
        match event.what {
            Observation::Request(Request::Enter(number)) => {
                self.waiting.insert(p, (*number, None));
            }
            Observation::Indication(Indication::Queued(number, ticket)) => {
                self.hear(p, *number, *ticket);
            }
            Observation::Indication(Indication::Entered(_)) => return self.enter(p),
            Observation::Crash => {
                self.waiting.remove(&p);
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// Remembers the highest token that each resource has seen.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Fenced {
    seen: BTreeMap<ProcessId, Token>,
    writes: u64,
}

impl Property<MutualExclusion> for Fenced {
    fn observe(&mut self, event: &Observed<'_, MutualExclusion>) -> Result<(), Violation> {
        let Observation::Indication(Indication::Applied(token)) = event.what else { return Ok(()) };
        let p = event.process;
        let highest = self.seen.entry(p).or_insert(*token);
        self.writes += 1;
        if *token < *highest {
            let how = format!("{p} applied a write with token {token} after one with {highest}");
            return Err(Violation::by([p], how));
        }
        *highest = *token;
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.writes
    }
}
