//! stateright: all states, each remembered by a fingerprint.

use std::borrow::Cow;
use std::time::Instant;

use stateright::actor::{
    Actor, ActorModel, ActorModelState, Envelope, Id, Network, Out as Effects,
};
use stateright::semantics::register::{Register, RegisterOp, RegisterRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use stateright::{Checker, Expectation, Model};

use super::Task;
use crate::history::Call;
use crate::judge::{Judge, Property};
use crate::machine::{Event, Machine, Out, Setup};
use crate::report::{Report, Verdict, watch};

/// A machine as an actor.
#[derive(Clone)]
struct Host<M>(M);

/// What is sent: by a machine, or a note of what it has told, to nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Sent<M> {
    Message(M),
    Told(Call),
}

impl<M: Machine> Actor for Host<M> {
    type Msg = Sent<M::Msg>;
    type Timer = ();
    type State = M;
    type Storage = ();
    type Random = bool;

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Effects<Self>) -> M {
        let mut machine = self.0.clone();
        machine.start(out);
        machine
    }

    fn on_msg(
        &self,
        _: Id,
        state: &mut Cow<'_, M>,
        from: Id,
        msg: Self::Msg,
        out: &mut Effects<Self>,
    ) {
        let from = u32::try_from(usize::from(from)).expect("few processes");
        if let Sent::Message(msg) = msg
            && state.heeds(from, &msg)
        {
            state.to_mut().receive(from, msg, out);
        }
    }

    fn on_random(&self, _: Id, state: &mut Cow<'_, M>, choice: &bool, out: &mut Effects<Self>) {
        state.to_mut().choose(*choice, out);
    }
}

impl<M: Machine> Out<M::Msg> for Effects<Host<M>> {
    fn send(&mut self, to: u32, msg: M::Msg) {
        Effects::send(self, Id::from(to as usize), Sent::Message(msg));
    }

    fn tell(&mut self, event: Event) {
        if let (false, Event::Call(call)) = (M::SAYS_CALLS, event) {
            Effects::send(self, Id::from(usize::MAX), Sent::Told(call));
        }
    }

    fn ask(&mut self) {
        self.choose_random("choice", vec![false, true]);
    }
}

type Mail<'a, M> = Envelope<&'a Sent<<M as Machine>::Msg>>;
type Tester = LinearizabilityTester<Id, Register<u8>>;
type State<M, H> = ActorModelState<Host<M>, H>;
type System<M, H> = ActorModel<Host<M>, Setup, H>;

/// What is called when this is sent, or returns if it is a note.
fn sent<M: Machine>(_: &Setup, history: &Tester, message: Mail<'_, M>) -> Option<Tester> {
    let call = match message.msg {
        Sent::Message(msg) => M::call(msg).filter(|call| !call.is_return())?,
        Sent::Told(call) => *call,
    };
    Some(noted(history, message.src, call))
}

/// What returns when this is received.
fn received<M: Machine>(_: &Setup, history: &Tester, message: Mail<'_, M>) -> Option<Tester> {
    let Sent::Message(msg) = message.msg else { return None };
    let call = M::call(msg).filter(|call| call.is_return())?;
    Some(noted(history, message.dst, call))
}

fn noted(history: &Tester, client: Id, call: Call) -> Tester {
    let mut history = history.clone();
    // A history that cannot be is remembered as such.
    let _ = match call {
        Call::Write(value) => history.on_invoke(client, RegisterOp::Write(value)),
        Call::Read => history.on_invoke(client, RegisterOp::Read),
        Call::Written => history.on_return(client, RegisterRet::WriteOk),
        Call::Got(value) => history.on_return(client, RegisterRet::ReadOk(value)),
    }
    .map(|_| ());
    history
}

fn holds<M: Machine, H>(state: &State<M, H>, property: Property) -> bool
where
    H: Clone + std::fmt::Debug + std::hash::Hash,
{
    let mut judge = Judge::new(property);
    state
        .actor_states
        .iter()
        .flat_map(|machine| machine.facts())
        .flatten()
        .all(|f| judge.note(0, f))
}

fn system<M: Machine, H>(setup: &Setup, history: H) -> System<M, H>
where
    H: Clone + std::fmt::Debug + std::hash::Hash,
{
    ActorModel::new(setup.clone(), history)
        .actors((0..M::count(setup)).map(|me| Host(M::new(setup, me))))
        .init_network(Network::new_unordered_nonduplicating([]))
}

/// Searches all states. For linearizability, the history so far is a part of the state.
pub fn search<M: Machine>(task: &Task) -> Report {
    match task.property {
        Property::Linearizability => {
            let tester = LinearizabilityTester::new(Register(0));
            let system = system::<M, Tester>(&task.setup, tester)
                .property(Expectation::Always, "linearizable", |_, state| {
                    state.history.serialized_history().is_some()
                })
                .record_msg_out(sent::<M>)
                .record_msg_in(received::<M>);
            check(system, task)
        }
        Property::Commit => {
            let system =
                system::<M, ()>(&task.setup, ())
                    .property(Expectation::Always, "commit", |_, s| holds(s, Property::Commit));
            check(system, task)
        }
        Property::Agreement => {
            let system = system::<M, ()>(&task.setup, ()).property(
                Expectation::Always,
                "agreement",
                |_, s| holds(s, Property::Agreement),
            );
            check(system, task)
        }
    }
}

/// Searches all states of a model, depth first.
pub fn check<S>(model: S, task: &Task) -> Report
where
    S: Model + Send + Sync + 'static,
    S::State: Clone + std::fmt::Debug + std::hash::Hash + PartialEq + Send + Sync + 'static,
    S::Action: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static,
{
    let started = Instant::now();
    watch(task.limit, started);
    let checker = model.checker().threads(task.threads as usize).spawn_dfs().join();
    let elapsed = started.elapsed();
    let is_violated = !checker.discoveries().is_empty();
    let verdict = if is_violated { Verdict::Violated } else { Verdict::Held };
    let (states, steps) = (checker.unique_state_count() as u64, checker.state_count() as u64);
    Report { states, steps, ..Report::new(verdict, elapsed) }
}
