//! Nobody signs for a correct process: authors sign letters, liars relay them, readers verify.

use std::collections::BTreeSet;

use ftsim_core::adversary::Behaviour;
use ftsim_core::fault::{Action, Fault};
use ftsim_core::model::adversary::{CustomAdversary, Liar};
use ftsim_core::outcome::trace::TraceEvent;
use ftsim_core::{
    Ask, Bound, Cx, Duration, Experiment, Invalid, Links, Model, Mutant, Never, Observation,
    Observed, Part, Process, ProcessId, ProcessSet, Property, PropertyEntry, PropertyId, Protocol,
    Runner, Setting, Signed, Spec, Verdict, Violation, Workload,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scripted::at;

/// Who reads it, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Letter {
    to: ProcessId,
    word: u64,
}

/// Letters are written, and believed to be their authors'.
struct Post;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
enum Indication {
    Wrote(Letter),
    Believes(ProcessId, Letter),
}

/// What the correct authors wrote, and how often they were believed.
#[derive(Clone, Debug, Hash)]
struct NoForgery {
    authors: ProcessSet,
    written: BTreeSet<(ProcessId, Letter)>,
    believed: u64,
}

impl Property<Post> for NoForgery {
    fn observe(&mut self, event: &Observed<'_, Post>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Indication::Wrote(letter)) => {
                self.written.insert((event.process, letter.clone()));
            }
            Observation::Indication(Indication::Believes(author, letter)) => {
                self.believed += 1;
                let written = self.written.contains(&(*author, letter.clone()));
                if self.authors.contains(*author) && !written {
                    let message = format!("{author} never wrote {letter:?}");
                    return Err(Violation::by([event.process], message));
                }
            }
            _ => {}
        }
        Ok(())
    }
    fn exercised(&self) -> u64 {
        self.believed
    }
}

/// What a relay said was believed, although its own correct code did not write it.
#[derive(Clone, Debug, Hash)]
struct RelaysAreHonest(ProcessSet);

impl Property<Post> for RelaysAreHonest {
    fn observe(&mut self, event: &Observed<'_, Post>) -> Result<(), Violation> {
        match event.what {
            Observation::Indication(Indication::Believes(author, letter))
                if self.0.contains(*author) && letter.word != OWN_WORD =>
            {
                Err(Violation::by([event.process], "a lie with a valid signature"))
            }
            _ => Ok(()),
        }
    }
    fn exercised(&self) -> u64 {
        1
    }
}

const NO_FORGERY: PropertyId = PropertyId("test.no-forgery");
const HONEST: PropertyId = PropertyId("test.relays-are-honest");
/// What relays write.
const OWN_WORD: u64 = 500;

impl Spec for Post {
    const NAME: &'static str = "post";
    const PROPERTIES: &'static [PropertyEntry<Self>] = &[
        PropertyEntry::safety(
            NO_FORGERY,
            "what is believed to be a correct author's was written by it",
            |setting| {
                let authors = setting.role("author").collect();
                Box::new(NoForgery { authors, written: BTreeSet::new(), believed: 0 })
            },
        ),
        PropertyEntry::safety(HONEST, "relays write what they were asked to", |setting| {
            Box::new(RelaysAreHonest(setting.role("relay").collect()))
        }),
    ];
    type Request = Letter;
    type Indication = Indication;
    type WorkloadSettings = Params;
    type Workload = Writers;
    fn workload(_: &Params, setting: &Setting) -> Result<Writers, Invalid> {
        let authors = setting.role("author").map(|p| (p, 100 + u64::from(p.0)));
        let relays = setting.role("relay").map(|p| (p, OWN_WORD));
        Ok(Writers(relays.chain(authors).collect()))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Params {}

/// Everybody writes two letters to p3.
#[derive(Clone, Debug, Hash)]
struct Writers(Vec<(ProcessId, u64)>);

impl Workload<Post> for Writers {
    fn on_start(&mut self, ask: &mut Ask<'_, Post>) {
        for (p, word) in &self.0 {
            for after in [0, 20] {
                let letter = Letter { to: ProcessId(3), word: *word };
                ask.request(*p, Duration::from_millis(after), letter);
            }
        }
    }
}

/// Signs what it is asked to write, in a layer of its own.
#[derive(Clone, Debug, Hash)]
struct Pen;

/// A signed letter, and a copy of it that is not signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Draft {
    signed: Signed<Letter>,
    copy: Letter,
}

impl Process for Pen {
    type Spec = Post;
    type Msg = Draft;
    type Timer = Never;
    type Record = Never;
    fn on_request(&mut self, letter: Letter, cx: &mut Cx<Self>) {
        cx.indicate(Indication::Wrote(letter.clone()));
        let draft = Draft { signed: cx.sign(letter.clone()), copy: letter };
        cx.send_to(cx.role("relay"), draft);
    }
    fn on_message(&mut self, _: ProcessId, _: Draft, _: &mut Cx<Self>) {}
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Msg {
    /// To a relay.
    Written(Draft),
    /// From a relay, which has signed it too.
    Relayed { letter: Signed<Signed<Letter>>, copy: Letter },
}

#[derive(Clone, Debug, Hash)]
struct Clerk {
    /// Reads the copy, and takes the signatures on trust.
    trusting: bool,
}

const PEN: Part<Clerk, Pen> = Part { msg: Msg::Written, timer: |t| t, record: |r| r };

impl Process for Clerk {
    type Spec = Post;
    type Msg = Msg;
    type Timer = Never;
    type Record = Never;

    fn on_request(&mut self, letter: Letter, cx: &mut Cx<Self>) {
        for said in cx.layer(&PEN, |cx| Pen.on_request(letter, cx)) {
            cx.indicate(said);
        }
    }

    fn on_message(&mut self, from: ProcessId, msg: Msg, cx: &mut Cx<Self>) {
        match msg {
            Msg::Written(Draft { signed, copy }) => {
                let letter = cx.sign(signed);
                cx.send_to(cx.role("author"), Msg::Relayed { letter, copy });
            }
            Msg::Relayed { letter, copy } => {
                let inner = letter.verify(cx).filter(|_| letter.signer() == from);
                let Some(inner) = inner else { return };
                let believed = if self.trusting { Some(&copy) } else { inner.verify(cx) };
                if let Some(believed) = believed {
                    cx.indicate(Indication::Believes(inner.signer(), believed.clone()));
                }
            }
        }
    }
}

/// Puts a letter of its own under an author's name, with the only signature that it can make.
fn forge(msg: &Msg, liar: &mut Liar<'_>) -> Vec<Msg> {
    let Msg::Relayed { letter, .. } = msg else { return vec![msg.clone()] };
    let author = ProcessId(2);
    let lie = Letter { to: liar.to(), word: liar.rng().bits() };
    let mut form = serde_json::to_value(liar.sign(lie.clone())).expect("a form");
    form["signer"] = author.to_string().into();
    let inner: Signed<Letter> = serde_json::from_value(form).expect("a signed letter");
    assert_eq!((inner.signer(), letter.signer()), (author, liar.me()));
    vec![Msg::Relayed { letter: liar.sign(inner), copy: lie }]
}

const TRUSTING: Mutant = Mutant::code("trusting", "believes what nobody signed", NO_FORGERY);

impl Protocol for Clerk {
    const NAME: &'static str = "clerk";
    const SUMMARY: &'static str = "writes, relays and reads letters";
    const SOURCE: &'static str = "none";
    fn model(_: &Self::Params, _: &Setting) -> Model {
        Model::ASYNCHRONOUS.byzantine(Bound::ALL_BUT_ONE).over(Links::FairLoss)
    }
    const ROLES: &'static [&'static str] = &["relay", "author"];
    const ADVERSARIES: &'static [CustomAdversary<Msg>] =
        &[CustomAdversary { name: "forger", summary: "signs for p2", says: forge }];
    type Params = Params;
    fn new(_: &Params, setting: &Setting, _: ProcessId) -> Self {
        Self { trusting: setting.runs(&TRUSTING) }
    }
}

fn set(ids: &[u32]) -> ProcessSet {
    ids.iter().copied().map(ProcessId).collect()
}

/// So many relays, which lie like this, and authors up to p3.
fn office(relays: u32, behaviour: &Behaviour, mutant: Option<&'static Mutant>) -> Runner {
    let roles = vec![("relay".into(), relays), ("author".into(), 4 - relays)];
    let mut experiment = Experiment::new(Setting { roles, mutant, ..Setting::of(4) });
    for relay in 0..relays {
        let action = Action::Corrupt(ProcessId(relay), behaviour.clone());
        experiment.plan.faults.push(Fault { trigger: at(0), action });
    }
    Runner::new::<Clerk>(experiment, Params {}, &Params {}).expect("a valid office")
}

/// Of so many seeds: how many violate each property, and how many letters were believed.
fn outcome(mut office: Runner, seeds: u64) -> [u64; 3] {
    let (mut forged, mut lies, mut believed) = (0, 0, 0);
    for seed in 1..=seeds {
        let outcome = office.run(seed);
        assert_eq!(outcome.panicked, None);
        for judged in outcome.judged {
            let violated = u64::from(matches!(judged.verdict, Verdict::Violated(_)));
            match judged.id {
                NO_FORGERY => (forged, believed) = (forged + violated, believed + judged.exercised),
                _ => lies += violated,
            }
        }
    }
    [forged, lies, believed]
}

/// Every behaviour; whether it says nothing, and whether it changes what it says.
fn behaviours() -> [(Behaviour, bool, bool); 10] {
    [
        (Behaviour::Silent, true, false),
        (Behaviour::Withhold(set(&[1])), false, false),
        (Behaviour::Delay(Duration::from_millis(30)), false, false),
        (Behaviour::Equivocate, false, true),
        (Behaviour::Mutate, false, true),
        (Behaviour::Replay, false, false),
        (Behaviour::Collude(set(&[0, 1])), false, true),
        // p2 does not collude, whatever the others say.
        (Behaviour::Collude(set(&[0, 1, 2])), false, true),
        (Behaviour::Custom("forger".into()), false, true),
        (Behaviour::Random, false, true),
    ]
}

#[test]
fn no_correct_process_verifies_what_a_correct_signer_did_not_sign() {
    for (behaviour, silent, _) in behaviours() {
        let relays = if matches!(behaviour, Behaviour::Collude(_)) { 2 } else { 1 };
        let [forged, _, believed] = outcome(office(relays, &behaviour, None), 2_000);
        assert_eq!(forged, 0, "{behaviour}");
        let is_forger = behaviour == Behaviour::Custom("forger".into());
        assert_eq!(believed == 0, silent || is_forger, "{behaviour}");
    }
}

#[test]
fn who_does_not_verify_is_deceived() {
    for (behaviour, _, lies) in behaviours() {
        let [forged, ..] = outcome(office(1, &behaviour, Some(&TRUSTING)), 200);
        assert_eq!(forged > 20, lies, "{behaviour}: {forged} of 200");
    }
}

#[test]
fn a_liar_signs_its_own_lies() {
    for behaviour in [Behaviour::Equivocate, Behaviour::Mutate, Behaviour::Random] {
        let [_, lies, _] = outcome(office(1, &behaviour, None), 200);
        assert!(lies > 20, "{behaviour}: {lies} of 200");
    }
}

/// How many letters were believed to be p1's that p1 has never sent.
fn signed_for_p1(behaviour: &Behaviour) -> usize {
    let mut office = office(2, behaviour, None);
    let mut count = 0;
    for seed in 1..=200 {
        let (_, trace) = office.record(seed);
        let own = trace.entries.iter().filter_map(|entry| match &entry.what {
            TraceEvent::Send { message, .. } if entry.process == Some(ProcessId(1)) => {
                Some(message)
            }
            _ => None,
        });
        let own: Vec<_> = own.collect();
        let believed = trace.entries.iter().filter_map(|entry| match &entry.what {
            TraceEvent::Indicate { what, .. } => {
                what.strip_prefix("Believes(p1, ")?.strip_suffix(')')
            }
            _ => None,
        });
        let is_own = |letter: &str| own.iter().any(|m| m.contains(&format!("{letter} signed p1")));
        count += believed.filter(|letter| !is_own(letter)).count();
    }
    count
}

#[test]
fn only_those_who_collude_sign_for_each_other() {
    assert!(signed_for_p1(&Behaviour::Collude(set(&[0, 1]))) > 0);
    // p0 is told what they do, but is none of them.
    assert_eq!(signed_for_p1(&Behaviour::Collude(set(&[1, 3]))), 0);
    assert_eq!(signed_for_p1(&Behaviour::Mutate), 0);
    assert_eq!(signed_for_p1(&Behaviour::Random), 0);
}
