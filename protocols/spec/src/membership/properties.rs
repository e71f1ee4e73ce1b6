//! The properties of groups whose members change.

use std::collections::BTreeMap;

use ftsim_core::{End, Observation, Observed, ProcessId, ProcessSet, Property, Setting, Violation};

use super::{Grouped, Indication, Request, RequestNumber, View, ViewNumber};

pub(crate) fn announced<'a, S: Grouped>(event: &Observed<'a, S>) -> Option<&'a Indication> {
    match event.what {
        Observation::Indication(indication) => S::group_indication(indication),
        _ => None,
    }
}

pub(crate) fn asked<'a, S: Grouped>(event: &Observed<'a, S>) -> Option<&'a Request> {
    match event.what {
        Observation::Request(request) => S::group_request(request),
        _ => None,
    }
}

/// `grp.self-inclusion`: remembers the number of the view that each process has installed last, and
/// who has been left out.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct SelfInclusion {
    last: BTreeMap<ProcessId, ViewNumber>,
    out: ProcessSet,
    views: u64,
}

impl<S: Grouped> Property<S> for SelfInclusion {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let p = event.process;
        let view = match announced(event) {
            Some(Indication::Installs(view)) => view,
            Some(Indication::Leaves) => {
                self.out.insert(p);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let number = view.number;
        self.views += 1;
        if self.out.contains(p) {
            let how = format!("{p} installed view {number} after it had been left out");
            return Err(Violation::by([p], how));
        }
        if !view.contains(p) {
            let how = format!("{p} installed view {number} and is not a member of it");
            return Err(Violation::by([p], how));
        }
        match self.last.insert(p, number) {
            Some(last) if last >= number => {
                let how = format!("{p} installed view {number} after view {last}");
                Err(Violation::by([p], how))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.views
    }
}

/// `grp.view-agreement`, also uniform: remembers who has installed which view.
#[derive(Clone, Debug, Hash)]
pub(super) struct ViewAgreement {
    is_uniform: bool,
    installed: BTreeMap<ViewNumber, Vec<(ProcessSet, ProcessId)>>,
    comparisons: u64,
}

impl ViewAgreement {
    pub(super) fn among_all(setting: &Setting) -> Self {
        Self { is_uniform: true, ..Self::among_correct(setting) }
    }

    pub(super) fn among_correct(setting: &Setting) -> Self {
        let View { number, members } = View::initial(setting);
        let founders = members.iter().map(|p| (members.clone(), p)).collect();
        let installed = BTreeMap::from([(number, founders)]);
        Self { is_uniform: false, installed, comparisons: 0 }
    }

    /// Two of these processes that have installed different views with one number.
    fn differing(
        number: ViewNumber,
        installed: &[(ProcessSet, ProcessId)],
        counts: impl Fn(ProcessId) -> bool,
    ) -> Result<(), Violation> {
        let mut all = installed.iter().filter(|(_, p)| counts(*p));
        let Some((members, p)) = all.next() else { return Ok(()) };
        match all.find(|(others, _)| others != members) {
            None => Ok(()),
            Some((others, q)) => {
                let how = format!("view {number} is {members} at {p}, and {others} at {q}");
                Err(Violation::by([*p, *q], how))
            }
        }
    }
}

impl<S: Grouped> Property<S> for ViewAgreement {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let Some(Indication::Installs(View { number, members })) = announced(event) else {
            return Ok(());
        };
        let installed = self.installed.entry(*number).or_default();
        self.comparisons += u64::from(!installed.is_empty());
        installed.push((members.clone(), event.process));
        if self.is_uniform {
            return Self::differing(*number, installed, |_| true);
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let counts = |p| self.is_uniform || end.is_correct(p);
        self.installed.iter().try_for_each(|(number, all)| Self::differing(*number, all, counts))
    }

    fn exercised(&self) -> u64 {
        self.comparisons
    }
}

/// What a process is to the group.
#[derive(Clone, Debug, Hash)]
enum Place {
    Outside,
    Member(View),
    Left,
}

/// `grp.completeness`: remembers the view of each process, and who asked to join and to leave.
#[derive(Clone, Debug, Hash)]
pub(super) struct Completeness {
    /// For each process, in the order of their ids.
    places: Vec<Place>,
    /// For each process: all members of all views that it has installed.
    seen: Vec<ProcessSet>,
    joining: ProcessSet,
    leaving: ProcessSet,
    needs_majority: bool,
    /// Known at the end: who had to be in, and who had to be out.
    obligations: u64,
}

impl Completeness {
    pub(super) fn new(setting: &Setting) -> Self {
        let first = View::initial(setting);
        let place = |p| match first.contains(p) {
            true => Place::Member(first.clone()),
            false => Place::Outside,
        };
        Self {
            places: setting.processes().map(place).collect(),
            seen: vec![ProcessSet::new(); setting.n as usize],
            joining: ProcessSet::new(),
            leaving: ProcessSet::new(),
            needs_majority: false,
            obligations: 0,
        }
    }

    fn announce(&mut self, p: ProcessId, indication: &Indication) {
        match indication {
            Indication::Installs(view) => {
                self.seen[p.index()].extend(view.members.iter());
                self.places[p.index()] = Place::Member(view.clone());
            }
            Indication::Leaves => self.places[p.index()] = Place::Left,
            Indication::NeedsMajority => self.needs_majority = true,
            Indication::Serves(_) | Indication::Refuses(_) | Indication::NeedsMembers(_) => {}
        }
    }

    /// The correct processes that are to stay members, with their views.
    fn staying<'a>(&'a self, end: &'a End<'_>) -> impl Iterator<Item = (ProcessId, &'a View)> {
        (0..).map(ProcessId).zip(&self.places).filter_map(|(p, place)| match place {
            Place::Member(view) if end.is_correct(p) && !self.leaving.contains(p) => {
                Some((p, view))
            }
            _ => None,
        })
    }

    /// Whether the last of these views can be changed.
    fn can_change(&self, staying: &[(ProcessId, &View)], end: &End<'_>) -> bool {
        let last = staying.iter().map(|(_, view)| *view).max_by_key(|view| view.number);
        let is_changeable = |View { members, .. }: &View| {
            let up = members.iter().filter(|p| end.is_correct(*p)).count();
            !self.needs_majority || 2 * up > members.len()
        };
        last.is_some_and(is_changeable)
    }

    /// The correct newcomers that are to be members. Not those that were, and are left out again:
    /// whether that was right is a question of accuracy.
    fn newcomers(&self, staying: &[(ProcessId, &View)], end: &End<'_>) -> Vec<ProcessId> {
        let is_in = |q| staying.iter().any(|(_, view)| view.contains(q));
        let was_in = |q| end.correct().any(|p| self.seen[p.index()].contains(q));
        let joining = self.joining.iter().filter(|q| end.is_correct(*q));
        joining.filter(|q| !self.leaving.contains(*q) && (is_in(*q) || !was_in(*q))).collect()
    }

    /// Why a process should not be in a view.
    fn fault(&self, q: ProcessId, end: &End<'_>) -> Option<&'static str> {
        match (end.is_correct(q), self.leaving.contains(q)) {
            (false, _) => Some("has crashed"),
            (true, true) => Some("asked to leave"),
            (true, false) => None,
        }
    }
}

impl<S: Grouped> Property<S> for Completeness {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        if let Some(indication) = announced(event) {
            self.announce(event.process, indication);
        }
        match asked(event) {
            Some(Request::Join) => drop(self.joining.insert(event.process)),
            Some(Request::Leave) => drop(self.leaving.insert(event.process)),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: &End<'_>) -> Result<(), Violation> {
        let staying: Vec<_> = self.staying(end).collect();
        if !self.can_change(&staying, end) {
            return Ok(());
        }
        let newcomers = self.newcomers(&staying, end);
        let out = (0..)
            .map(ProcessId)
            .zip(&self.places)
            .filter(|(q, place)| self.fault(*q, end).is_some() || matches!(place, Place::Left));
        let obligations = (newcomers.len() + out.count()) as u64;
        for (p, view) in &staying {
            for q in view.members.iter() {
                if let Some(fault) = self.fault(q, end) {
                    let how = format!("{q} {fault} and is still in the view of {p}");
                    return Err(Violation::by([*p, q], how));
                }
            }
            if let Some(q) = newcomers.iter().find(|q| !view.contains(**q)) {
                let how = format!("{q} asked to join and is not in the view of {p}");
                return Err(Violation::by([*p, *q], how));
            }
        }
        if let Some(q) = newcomers.iter().find(|q| staying.iter().all(|(p, _)| p != *q)) {
            return Err(Violation::by(
                [*q],
                format!("{q} asked to join and has installed no view"),
            ));
        }
        let last = staying.iter().map(|(_, view)| *view).max_by_key(|view| view.number);
        let is_in = |q: ProcessId| last.is_some_and(|view| view.contains(q));
        let thinks_so = |q: ProcessId| matches!(self.places[q.index()], Place::Member(_));
        if let Some(q) = end.correct().find(|q| thinks_so(*q) && !is_in(*q)) {
            let how = format!("{q} is out of the group and does not know it");
            return Err(Violation::by([q], how));
        }
        self.obligations = obligations;
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.obligations
    }
}

/// The view that each process is in.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Views(BTreeMap<ProcessId, View>);

impl Views {
    pub(crate) fn new(setting: &Setting) -> Self {
        let first = View::initial(setting);
        Self(first.members.iter().map(|p| (p, first.clone())).collect())
    }

    pub(crate) fn follow<S: Grouped>(&mut self, event: &Observed<'_, S>) {
        match announced(event) {
            Some(Indication::Installs(view)) => drop(self.0.insert(event.process, view.clone())),
            Some(Indication::Leaves) => drop(self.0.remove(&event.process)),
            _ => {}
        }
    }

    pub(crate) fn of(&self, p: ProcessId) -> Option<&View> {
        self.0.get(&p)
    }
}

/// `grp.accuracy`: remembers the views, who has crashed and who asked to leave.
#[derive(Clone, Debug, Hash)]
pub(super) struct Accuracy {
    views: Views,
    excused: ProcessSet,
    left_out: u64,
}

impl Accuracy {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { views: Views::new(setting), excused: ProcessSet::new(), left_out: 0 }
    }

    /// Compares a view with the one that this process had before.
    fn compare(&mut self, p: ProcessId, view: &View) -> Result<(), Violation> {
        let Some(before) = self.views.of(p) else { return Ok(()) };
        for q in before.members.iter().filter(|q| !view.contains(*q)) {
            self.left_out += 1;
            if !self.excused.contains(q) {
                let number = view.number;
                let how = format!(
                    "{q} is left out of view {number}, which {p} installs, and has neither \
                     crashed nor asked to leave"
                );
                return Err(Violation::by([p, q], how));
            }
        }
        Ok(())
    }
}

impl<S: Grouped> Property<S> for Accuracy {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        let p = event.process;
        let is_excuse = matches!(event.what, Observation::Crash)
            || matches!(asked(event), Some(Request::Leave));
        if is_excuse {
            self.excused.insert(p);
        }
        let verdict = match announced(event) {
            Some(Indication::Installs(view)) => self.compare(p, view),
            _ => Ok(()),
        };
        self.views.follow(event);
        verdict
    }

    fn exercised(&self) -> u64 {
        self.left_out
    }
}

/// `grp.one-primary-view`: remembers which views have served, in their order, and which had when a
/// request came.
#[derive(Clone, Debug, Hash)]
pub(super) struct OnePrimary {
    views: Views,
    served: Vec<View>,
    /// How many views had served when this was asked.
    asked: BTreeMap<(ProcessId, RequestNumber), usize>,
    requests: u64,
}

impl OnePrimary {
    pub(super) fn new(setting: &Setting) -> Self {
        let (views, served, asked) = (Views::new(setting), Vec::new(), BTreeMap::new());
        Self { views, served, asked, requests: 0 }
    }

    fn serve(&mut self, p: ProcessId, number: RequestNumber) -> Result<(), Violation> {
        let Some(view) = self.views.of(p) else { return Ok(()) };
        self.requests += 1;
        let before = self.asked.remove(&(p, number)).unwrap_or(self.served.len());
        let has_common = |other: &View| other.members.iter().any(|q| view.contains(q));
        let mut later = self.served[..before].iter().filter(|other| other.number >= view.number);
        if let Some(other) = later.find(|other| !has_common(other)) {
            let how = format!("{p} serves in view {view:?} after view {other:?} has served");
            return Err(Violation::by([p], how));
        }
        if !self.served.contains(view) {
            self.served.push(view.clone());
        }
        Ok(())
    }
}

impl<S: Grouped> Property<S> for OnePrimary {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        self.views.follow(event);
        if let Some(Request::Serve(number)) = asked(event) {
            self.asked.insert((event.process, *number), self.served.len());
        }
        match announced(event) {
            Some(Indication::Serves(number)) => self.serve(event.process, *number),
            Some(Indication::Refuses(number)) => {
                self.asked.remove(&(event.process, *number));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.requests
    }
}

/// `grp.viable`: remembers the views, and how many members each process promises to need.
#[derive(Clone, Debug, Hash)]
pub(super) struct Viable {
    views: Views,
    needs: BTreeMap<ProcessId, u32>,
    requests: u64,
}

impl Viable {
    pub(super) fn new(setting: &Setting) -> Self {
        Self { views: Views::new(setting), needs: BTreeMap::new(), requests: 0 }
    }

    fn serve(&mut self, p: ProcessId) -> Result<(), Violation> {
        self.requests += 1;
        let Some(view) = self.views.of(p) else {
            return Err(Violation::by([p], format!("{p} serves and is not a member")));
        };
        let (count, needs) = (view.members.len(), self.needs.get(&p).copied().unwrap_or(1));
        if count >= needs as usize {
            return Ok(());
        }
        let how = format!("{p} serves in view {view:?}, and {needs} members are needed");
        Err(Violation::by([p], how))
    }
}

impl<S: Grouped> Property<S> for Viable {
    fn observe(&mut self, event: &Observed<'_, S>) -> Result<(), Violation> {
        self.views.follow(event);
        match announced(event) {
            Some(Indication::NeedsMembers(count)) => drop(self.needs.insert(event.process, *count)),
            Some(Indication::Serves(_)) => return self.serve(event.process),
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.requests
    }
}
