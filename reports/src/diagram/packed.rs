//! A diagram as JSON: a column of numbers for each field of the steps, their parts and the
//! messages. A run of twenty thousand steps would otherwise repeat the names of fields a million
//! times. `viewer/src/unpack.ts` reads it.

use serde::{Serialize, Serializer};

use super::texts::{TextId, Texts};
use super::{About, Diagram, DiagramMessage, DiagramStory, DiagramVerdict, Lane, Lost, Part};

/// The version of the format: of the names and meanings of its fields.
pub const VERSION: u32 = 1;

/// Stands for a text, a message or a lane that is not there.
const NONE: i64 = -1;

/// One run, with its texts.
#[derive(Serialize)]
struct Whole<'d> {
    version: u32,
    #[serde(flatten)]
    run: PackedRun<'d>,
    #[serde(flatten)]
    names: Names,
}

impl Serialize for Diagram {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut names = Names::default();
        let run = PackedRun::of(self, &mut names);
        Whole { version: VERSION, run, names }.serialize(s)
    }
}

/// Texts and names of events, each once; numbers elsewhere are indices into them.
#[derive(Default, Serialize)]
pub struct Names {
    /// The names of events.
    pub events: Vec<&'static str>,
    /// Texts.
    pub texts: Texts,
}

impl Names {
    fn event(&mut self, name: &'static str) -> i64 {
        let known = self.events.iter().position(|event| *event == name);
        known.unwrap_or_else(|| {
            self.events.push(name);
            self.events.len() - 1
        }) as i64
    }
}

/// A run in columns. Its texts are in [`Names`], which several runs can share.
#[derive(Serialize)]
pub struct PackedRun<'d> {
    about: &'d About,
    lanes: &'d [Lane],
    verdicts: &'d [DiagramVerdict],
    steps: Steps,
    parts: Parts,
    changes: Changes,
    messages: Messages,
    bands: Vec<PackedBand<'d>>,
    story: Option<&'d DiagramStory>,
    bound: Option<u64>,
}

/// The steps. The previous step of a lane is not stored: it is the last one before with this lane.
#[derive(Default, Serialize)]
struct Steps {
    /// The number, as the difference from that of the step before; so are times.
    number: Vec<i64>,
    at: Vec<i64>,
    /// −1 for the network as a whole.
    lane: Vec<i64>,
    /// How many steps ago its cause is; 0 if it has none.
    cause: Vec<usize>,
    /// How many of the parts, and of the changes of states, are its own: they are in its order.
    parts: Vec<usize>,
    changes: Vec<usize>,
}

/// The parts of all steps.
#[derive(Default, Serialize)]
struct Parts {
    event: Vec<i64>,
    /// −1 if it says only what its message says, and who sends or receives it.
    text: Vec<i64>,
    /// −1 if it is about none.
    message: Vec<i64>,
}

/// The changes that all steps make in states.
#[derive(Default, Serialize)]
struct Changes {
    field: Vec<TextId>,
    value: Vec<TextId>,
}

/// The messages. What few of them have is a list of those that have it.
#[derive(Default, Serialize)]
struct Messages {
    from: Vec<u32>,
    to: Vec<u32>,
    kind: Vec<TextId>,
    text: Vec<TextId>,
    /// The step, as the difference from that of the last message that was sent; `None`: nobody
    /// sent it.
    sent: Vec<Option<i64>>,
    /// The steps that delivered it, as differences from the same step as `sent`.
    heard: Vec<Vec<i64>>,
    /// Message, time, step after which it was lost, reason.
    lost: Vec<(usize, u64, usize, TextId)>,
    /// Message, time.
    arrives: Vec<(usize, u64)>,
    late: Vec<usize>,
    changed: Vec<usize>,
    replayed: Vec<usize>,
}

#[derive(Serialize)]
struct PackedBand<'d> {
    what: &'static str,
    text: TextId,
    lanes: &'d [u32],
    from: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<usize>,
}

impl<'d> PackedRun<'d> {
    /// A diagram in columns.
    pub fn of(diagram: &'d Diagram, names: &mut Names) -> Self {
        let mut packer = Packer { diagram, names, known: vec![None; diagram.texts.len()] };
        let (parts, changes) = packer.parts_and_changes();
        let (steps, messages) = (steps(diagram), packer.messages());
        let bands = diagram.bands.iter().map(|band| PackedBand {
            what: band.what,
            text: packer.text(band.text),
            lanes: &band.lanes,
            from: band.from,
            until: band.until,
        });
        let bands = bands.collect();
        let Diagram { about, lanes, verdicts, story, bound, .. } = diagram;
        let (story, bound) = (story.as_ref(), *bound);
        Self { about, lanes, verdicts, steps, parts, changes, messages, bands, story, bound }
    }
}

fn steps(diagram: &Diagram) -> Steps {
    let mut steps = Steps::default();
    let (mut number, mut at) = (0, 0);
    for (index, step) in diagram.steps.iter().enumerate() {
        let next = (step.number as i64, step.at as i64);
        steps.number.push(next.0.wrapping_sub(number));
        steps.at.push(next.1.wrapping_sub(at));
        (number, at) = next;
        steps.lane.push(step.lane.map_or(NONE, i64::from));
        steps.cause.push(step.cause.map_or(0, |cause| index - cause));
        steps.parts.push(step.parts.len());
        steps.changes.push(step.state.len());
    }
    steps
}

struct Packer<'d, 'n> {
    diagram: &'d Diagram,
    names: &'n mut Names,
    /// For each text of the diagram, its index in the page.
    known: Vec<Option<TextId>>,
}

impl Packer<'_, '_> {
    /// The index in the page of a text of the diagram. Texts that no one asks for are left out.
    fn text(&mut self, id: TextId) -> TextId {
        let known = self.known[id.index()];
        *self.known[id.index()]
            .insert(known.unwrap_or_else(|| self.names.texts.intern(self.diagram.texts.get(id))))
    }

    fn parts_and_changes(&mut self) -> (Parts, Changes) {
        let (mut parts, mut changes) = (Parts::default(), Changes::default());
        for step in &self.diagram.steps {
            for part in &step.parts {
                parts.event.push(self.names.event(part.event));
                let is_usual = says_its_message(self.diagram, part);
                parts.text.push(if is_usual { NONE } else { self.text(part.text).index() as i64 });
                parts.message.push(part.message.map_or(NONE, |message| message as i64));
            }
            for change in &step.state {
                changes.field.push(self.text(change.0));
                changes.value.push(self.text(change.1));
            }
        }
        (parts, changes)
    }

    fn messages(&mut self) -> Messages {
        let mut messages = Messages::default();
        let mut base = 0;
        for (index, message) in self.diagram.messages.iter().enumerate() {
            messages.from.push(message.from);
            messages.to.push(message.to);
            messages.kind.push(self.text(message.kind));
            messages.text.push(self.text(message.text));
            let sent = message.sent.map(|sent| sent as i64);
            messages.sent.push(sent.map(|sent| sent - base));
            base = sent.unwrap_or(base);
            messages.heard.push(message.heard.iter().map(|step| *step as i64 - base).collect());
            if let Some(Lost { at, after, reason }) = message.lost {
                messages.lost.push((index, at, after, self.text(reason)));
            }
            messages.arrives.extend(message.arrives.map(|at| (index, at)));
            let DiagramMessage { late, changed, replayed, .. } = *message;
            messages.late.extend(late.then_some(index));
            messages.changed.extend(changed.then_some(index));
            messages.replayed.extend(replayed.then_some(index));
        }
        messages
    }
}

/// Whether a part says no more than its message does: `Vote(1) to p2`, `Vote(1) from p0`.
fn says_its_message(diagram: &Diagram, part: &Part) -> bool {
    let Some(message) = part.message.map(|message| &diagram.messages[message]) else {
        return false;
    };
    let (link, lane) = match part.event {
        "send" | "drop" | "carry" => (" to ", message.to),
        "deliver" => (" from ", message.from),
        _ => return false,
    };
    let Some(lane) = diagram.lanes.get(lane as usize) else { return false };
    let rest = diagram.texts.get(part.text).strip_prefix(diagram.texts.get(message.text));
    rest.and_then(|rest| rest.strip_prefix(link)) == Some(lane.name.as_str())
}
