//! A service of a primary and its backups, as required by Budhiraja, Marzullo, Schneider and Toueg
//! (1993).
//!
//! Pb1 to Pb4 of *The primary-backup approach*, in terms of facts that servers and clients
//! announce. Pb4 has parameters: the first server announces how many outages, and of what length,
//! it allows for.

use std::collections::BTreeMap;

use ftsim_core::{
    Duration, Instant, Observation, Observed, ProcessId, ProcessSet, Property, PropertyEntry,
    PropertyId, Standing, Violation,
};
use serde::Serialize;

use super::service::clients::ServiceWorkload;
use super::service::properties::{acked_survives, exactly_once, linearizable, liveness};
use super::service::{Command, Facts, Indication, Service};

/// The problem of providing a service with one primary at a time.
pub type PrimaryBackupService = Service<Fact>;

/// A fact about their state that servers and clients announce.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Fact {
    /// A server considers itself primary from now on.
    BecomesPrimary,
    /// A primary considers itself primary for this long from now on, unless it announces this
    /// again; if it hangs, it announces nothing when the time is over.
    HoldsLease(Duration),
    /// A server no longer considers itself primary.
    ResignsPrimary,
    /// A server begins to process a request that has reached it.
    Processes(Command),
    /// A client sends, or sends again, its request with this number.
    Transmits {
        /// The number of the request.
        number: u64,
        /// The servers to which it sends the request.
        to: ProcessSet,
    },
    /// The service promises to lose requests in at most this many outages, none longer than this.
    Promises {
        /// k.
        outages: u32,
        /// Δ.
        longest: Duration,
    },
}

/// Pb1.
pub const ONE_PRIMARY: PropertyId = PropertyId("pb.one-primary");
/// Pb2.
pub const ONE_DESTINATION: PropertyId = PropertyId("pb.one-destination");
/// Pb3.
pub const IDLE_BACKUP: PropertyId = PropertyId("pb.idle-backup");
/// Pb4.
pub const BOFO: PropertyId = PropertyId("pb.bofo");

impl Facts for Fact {
    type Workload = ServiceWorkload;

    const SPEC: &'static str = "primary-backup service";
    const PROPERTIES: &'static [PropertyEntry<Service<Self>>] = &[
        PropertyEntry::safety(
            ONE_PRIMARY,
            "at any time at most one server considers itself primary",
            |_| Box::new(OnePrimary::default()),
        ),
        PropertyEntry::safety(
            ONE_DESTINATION,
            "each client sends a request to at most one server at a time, and it reaches no other",
            |_| Box::new(OneDestination::default()),
        ),
        PropertyEntry::safety(
            IDLE_BACKUP,
            "a request that reaches a server which is not primary is not processed",
            |_| Box::new(IdleBackup::default()),
        ),
        PropertyEntry::safety(
            BOFO,
            "requests are lost in no more and no longer outages than the service promises",
            |_| Box::new(Bofo::default()),
        )
        .if_claimed(),
        acked_survives(Standing::Core),
        exactly_once(Standing::Core),
        linearizable(Standing::Core),
        liveness(Standing::Claim),
    ];
    const HAS_LEADER: bool = true;

    fn leads(&self) -> Option<bool> {
        match self {
            Self::BecomesPrimary => Some(true),
            Self::ResignsPrimary => Some(false),
            _ => None,
        }
    }

    fn phrase(&self) -> Option<String> {
        Some(match self {
            Self::BecomesPrimary => "becomes primary".to_owned(),
            Self::HoldsLease(rest) => format!("holds its lease for {rest}"),
            Self::ResignsPrimary => "resigns as primary".to_owned(),
            Self::Processes(command) => format!("begins {command:?}"),
            Self::Transmits { number, to } => format!("transmits #{number} to {to}"),
            Self::Promises { outages: 1, longest } => {
                format!("promises at most one outage, no longer than {longest}")
            }
            Self::Promises { outages, longest } => {
                format!("promises at most {outages} outages, none longer than {longest}")
            }
        })
    }
}

fn fact<'a>(event: &Observed<'a, PrimaryBackupService>) -> Option<&'a Fact> {
    match event.what {
        Observation::Indication(Indication::Fact(fact)) => Some(fact),
        _ => None,
    }
}

/// The servers that consider themselves primary, and until when; never a process that is down.
#[derive(Clone, Debug, Default, Hash)]
struct Primaries(BTreeMap<ProcessId, Instant>);

impl Primaries {
    fn follow(&mut self, event: &Observed<'_, PrimaryBackupService>) {
        let (p, Self(primaries)) = (event.process, self);
        match (fact(event), event.what) {
            (Some(Fact::BecomesPrimary), _) => drop(primaries.insert(p, Instant::MAX)),
            (Some(Fact::HoldsLease(rest)), _) => {
                primaries.entry(p).and_modify(|until| *until = event.at + *rest);
            }
            (Some(Fact::ResignsPrimary), _) | (_, Observation::Crash) => drop(primaries.remove(&p)),
            _ => {}
        }
    }

    fn at(&self, now: Instant) -> ProcessSet {
        self.0.iter().filter(|(_, until)| now < **until).map(|(p, _)| *p).collect()
    }
}

/// Pb1: remembers the primaries.
#[derive(Clone, Debug, Default, Hash)]
struct OnePrimary {
    primaries: Primaries,
    terms: u64,
}

impl Property<PrimaryBackupService> for OnePrimary {
    fn observe(&mut self, event: &Observed<'_, PrimaryBackupService>) -> Result<(), Violation> {
        if fact(event).is_none() && !matches!(event.what, Observation::Crash) {
            return Ok(());
        }
        self.primaries.follow(event);
        self.terms += u64::from(fact(event) == Some(&Fact::BecomesPrimary));
        let primaries = self.primaries.at(event.at);
        if primaries.len() <= 1 {
            return Ok(());
        }
        let message = format!("{primaries} consider themselves primary at one time");
        Err(Violation::by(primaries.iter(), message))
    }

    fn exercised(&self) -> u64 {
        self.terms
    }
}

/// Pb2: checks each transmission, and that each processed request was sent to the server that
/// processes it. A request that no client has announced is not judged here.
#[derive(Clone, Debug, Default, Hash)]
struct OneDestination {
    /// The servers to which each request was sent.
    addressed: BTreeMap<Command, ProcessSet>,
    transmissions: u64,
}

impl Property<PrimaryBackupService> for OneDestination {
    fn observe(&mut self, event: &Observed<'_, PrimaryBackupService>) -> Result<(), Violation> {
        match fact(event) {
            Some(Fact::Transmits { number, to }) => {
                self.transmissions += 1;
                let client = event.process;
                let addressed = self.addressed.entry(Command { client, number: *number });
                addressed.or_default().extend(to.iter());
                if to.len() > 1 {
                    let message = format!("{client} sent its request {number} to {to} at once");
                    return Err(Violation::by([client], message));
                }
            }
            Some(Fact::Processes(command)) => {
                let server = event.process;
                let addressed = self.addressed.get(command);
                if addressed.is_some_and(|addressed| !addressed.contains(server)) {
                    let message = format!("{command} reached {server}, which it did not address");
                    return Err(Violation::by([command.client, server], message));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.transmissions
    }
}

/// Pb3: remembers the primaries.
#[derive(Clone, Debug, Default, Hash)]
struct IdleBackup {
    primaries: Primaries,
    processed: u64,
}

impl Property<PrimaryBackupService> for IdleBackup {
    fn observe(&mut self, event: &Observed<'_, PrimaryBackupService>) -> Result<(), Violation> {
        self.primaries.follow(event);
        let Some(Fact::Processes(command)) = fact(event) else { return Ok(()) };
        self.processed += 1;
        let server = event.process;
        if self.primaries.at(event.at).contains(server) {
            return Ok(());
        }
        Err(Violation::by([server], format!("{server} processed {command}, and is no primary")))
    }

    fn exercised(&self) -> u64 {
        self.processed
    }
}

/// Pb4: remembers when lost requests were sent. A transmission is lost if the client sends the
/// request again.
#[derive(Clone, Debug, Default, Hash)]
struct Bofo {
    promise: Option<(u32, Duration)>,
    /// Unanswered requests, and when each was sent last.
    under_way: BTreeMap<Command, Instant>,
    /// The times at which lost requests were sent.
    lost: Vec<Instant>,
}

impl Bofo {
    /// The least number of outages, none longer than `longest`, that cover all lost requests: each
    /// outage begins at the first request that the earlier ones do not cover.
    fn outages(&self, longest: Duration) -> u32 {
        let mut sent = self.lost.clone();
        sent.sort_unstable();
        let (mut count, mut covered_until) = (0u32, None);
        for at in sent {
            if covered_until.is_none_or(|until| at > until) {
                count += 1;
                covered_until = Some(at + longest);
            }
        }
        count
    }

    fn judge(&self, latest: Command) -> Result<(), Violation> {
        let Some((promised, longest)) = self.promise else { return Ok(()) };
        let outages = self.outages(longest);
        if outages <= promised {
            return Ok(());
        }
        let lost = self.lost.len();
        let message = format!(
            "{latest} is the last of {lost} lost requests that make at least {outages} outages of \
             {longest}; {promised} were promised at the most"
        );
        Err(Violation::by([latest.client], message))
    }
}

impl Property<PrimaryBackupService> for Bofo {
    fn observe(&mut self, event: &Observed<'_, PrimaryBackupService>) -> Result<(), Violation> {
        if let Observation::Indication(Indication::Response { number, .. }) = event.what {
            self.under_way.remove(&Command { client: event.process, number: *number });
        }
        match fact(event) {
            Some(Fact::Promises { outages, longest }) => self.promise = Some((*outages, *longest)),
            Some(Fact::Transmits { number, .. }) => {
                let command = Command { client: event.process, number: *number };
                if let Some(lost) = self.under_way.insert(command, event.at) {
                    self.lost.push(lost);
                    return self.judge(command);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        if self.promise.is_some() { self.lost.len() as u64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Operation, Outcome, Request};
    use ftsim_core::bench::history::{Act, check, judge};
    use ftsim_core::{Setting, Spec, Verdict};

    const S0: ProcessId = ProcessId(0);
    const S1: ProcessId = ProcessId(1);
    const C2: ProcessId = ProcessId(2);

    type Acts = Vec<Act<PrimaryBackupService>>;

    fn says(p: ProcessId, fact: Fact) -> Act<PrimaryBackupService> {
        Act::Indicate(p, Indication::Fact(fact))
    }

    fn sends(number: u64, to: &[ProcessId]) -> Act<PrimaryBackupService> {
        says(C2, Fact::Transmits { number, to: to.iter().copied().collect() })
    }

    fn processes(server: ProcessId) -> Act<PrimaryBackupService> {
        says(server, Fact::Processes(Command { client: C2, number: 1 }))
    }

    #[test]
    fn one_primary_after_the_other_is_good() {
        let resigns = [
            says(S0, Fact::BecomesPrimary),
            processes(S0),
            says(S0, Fact::ResignsPrimary),
            says(S1, Fact::BecomesPrimary),
        ];
        assert_eq!(check(3, &resigns), [] as [&str; 0]);
        let dies = [says(S0, Fact::BecomesPrimary), Act::Crash(S0), says(S1, Fact::BecomesPrimary)];
        assert_eq!(check(3, &dies), [] as [&str; 0]);
    }

    #[test]
    fn two_primaries_at_one_time_are_refused() {
        let two = [says(S0, Fact::BecomesPrimary), says(S1, Fact::BecomesPrimary)];
        assert_eq!(check(3, &two), ["pb.one-primary"]);
    }

    #[test]
    fn a_primary_with_a_lease_is_none_when_it_is_over() {
        // Event k happens at k milliseconds: the lease is given at 1 and over at 1 + 2.
        let lease = Fact::HoldsLease(Duration::from_millis(2));
        let early = [
            says(S0, Fact::BecomesPrimary),
            says(S0, lease.clone()),
            says(S1, Fact::BecomesPrimary),
        ];
        assert_eq!(check(3, &early), ["pb.one-primary"]);
        let late = [
            says(S0, Fact::BecomesPrimary),
            says(S0, lease),
            sends(1, &[S0]),
            says(S1, Fact::BecomesPrimary),
        ];
        assert_eq!(check(3, &late), [] as [&str; 0]);
        let hung = late.into_iter().chain([processes(S0)]).collect::<Vec<_>>();
        assert_eq!(check(3, &hung), ["pb.idle-backup"]);
    }

    #[test]
    fn a_request_to_two_servers_is_refused() {
        assert_eq!(check(3, &[sends(1, &[S0]), sends(1, &[S1])]), [] as [&str; 0]);
        assert_eq!(check(3, &[sends(1, &[S0, S1])]), ["pb.one-destination"]);
    }

    #[test]
    fn a_request_that_reaches_a_server_which_its_client_does_not_address_is_refused() {
        let reaches = |server: ProcessId, addressed: &[ProcessId]| {
            let sends = addressed.iter().map(|to| sends(1, &[*to]));
            let acts = [says(server, Fact::BecomesPrimary)].into_iter().chain(sends);
            check(3, &acts.chain([processes(server)]).collect::<Vec<_>>())
        };
        assert_eq!(reaches(S1, &[S0, S1]), [] as [&str; 0], "the second is a repetition");
        assert_eq!(reaches(S1, &[S0]), ["pb.one-destination"]);
    }

    #[test]
    fn a_backup_that_processes_a_request_is_refused() {
        let before = [processes(S0)];
        assert_eq!(check(3, &before), ["pb.idle-backup"]);
        let after = [says(S0, Fact::BecomesPrimary), says(S0, Fact::ResignsPrimary), processes(S0)];
        assert_eq!(check(3, &after), ["pb.idle-backup"]);
    }

    /// Request 1 is sent at 1 ms, 2 ms and 3 ms, and so lost at 1 ms and at 2 ms; answered at 4 ms.
    fn lost_twice(outages: u32, longest: Duration) -> Acts {
        let invoke = Request::Invoke { number: 1, key: 0, operation: Operation::Read };
        let outcome = Outcome::Value(0);
        vec![
            says(S0, Fact::Promises { outages, longest }),
            sends(1, &[S0]),
            sends(1, &[S1]),
            sends(1, &[S1]),
            Act::Request(C2, invoke),
            Act::Indicate(C2, Indication::Response { number: 1, outcome }),
        ]
    }

    #[test]
    fn requests_are_lost_in_no_more_and_no_longer_outages_than_promised() {
        let ms = Duration::from_millis;
        assert_eq!(check(3, &lost_twice(1, ms(1))), [] as [&str; 0]);
        assert_eq!(check(3, &lost_twice(2, Duration::ZERO)), [] as [&str; 0]);
        assert_eq!(check(3, &lost_twice(1, Duration::from_micros(999))), ["pb.bofo"]);
        assert_eq!(check(3, &lost_twice(0, ms(1000))), ["pb.bofo"]);
    }

    #[test]
    fn an_answered_request_is_no_lost_one() {
        let mut twice = lost_twice(1, Duration::from_millis(1));
        twice.extend([sends(1, &[S0])]);
        assert_eq!(check(3, &twice), [] as [&str; 0]);
    }

    fn exercised(history: &[Act<PrimaryBackupService>]) -> Vec<&'static str> {
        let verdicts = judge(&Setting::of(3), history, true).into_iter();
        verdicts.filter(|(_, v)| *v != Verdict::HeldVacuously).map(|(id, _)| id).collect()
    }

    #[test]
    fn a_property_is_exercised_by_what_it_speaks_of() {
        assert_eq!(exercised(&[]), [] as [&str; 0]);
        let serves = [says(S0, Fact::BecomesPrimary), says(S0, Fact::ResignsPrimary)];
        assert_eq!(exercised(&serves), ["pb.one-primary"]);
        assert_eq!(exercised(&[says(S0, Fact::ResignsPrimary)]), [] as [&str; 0]);
        assert_eq!(exercised(&[sends(1, &[S0])]), ["pb.one-destination"]);
        let processed = [says(S0, Fact::BecomesPrimary), processes(S0)];
        assert_eq!(exercised(&processed), ["pb.one-primary", "pb.idle-backup"]);
        let lost = lost_twice(1, Duration::from_millis(1));
        assert!(exercised(&lost).contains(&"pb.bofo"));
        assert!(!exercised(&lost[1..]).contains(&"pb.bofo"), "nothing is promised");
        assert!(!exercised(&lost[..2]).contains(&"pb.bofo"), "nothing is lost");
    }

    #[test]
    fn a_server_leads_while_it_is_primary() {
        let leads = |fact| PrimaryBackupService::leads(&Indication::Fact(fact));
        assert_eq!(leads(Fact::BecomesPrimary), Some(true));
        assert_eq!(leads(Fact::ResignsPrimary), Some(false));
        assert_eq!(leads(Fact::HoldsLease(Duration::ZERO)), None);
        assert_eq!(PrimaryBackupService::leads(&Indication::Serves), None);
    }
}
