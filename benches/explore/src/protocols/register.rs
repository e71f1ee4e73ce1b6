//! A register that servers keep for clients: each client asks one server after the other.

use serde::{Deserialize, Serialize};

use crate::history::Call;
use crate::machine::{Data, Event, Machine, Out, Setup};

/// An operation: the client, and the number among its operations, from 1.
pub type OperationId = (u32, u8);

/// A message of a register.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Msg<I> {
    /// Client to server: write this.
    Put(OperationId, u8),
    /// Client to server: what is it?
    Get(OperationId),
    /// Server to client: it is written.
    PutOk(OperationId),
    /// Server to client: it is this.
    GetOk(OperationId, u8),
    /// Among servers.
    Internal(I),
}

/// A server.
pub trait Server: Clone + std::fmt::Debug + Eq + std::hash::Hash + Send + Sync + 'static {
    /// What servers say to each other.
    type Internal: Data;
    /// The server with this number.
    fn new(setup: &Setup, me: u32) -> Self;
    /// See [`Machine::heeds`].
    fn heeds(&self, from: u32, msg: &Msg<Self::Internal>) -> bool;
    /// See [`Machine::receive`].
    fn receive(
        &mut self,
        from: u32,
        msg: Msg<Self::Internal>,
        out: &mut impl Out<Msg<Self::Internal>>,
    );
    /// The value that it knows to be chosen for good.
    fn chosen(&self) -> Option<u8> {
        None
    }
}

/// A client: writes and reads as its script says, each operation at the next server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    me: u32,
    servers: u32,
    script: String,
    /// The number of its operation that has been called last.
    called: u8,
    is_waiting: bool,
}

impl Client {
    /// The value that a client writes in this operation of it.
    pub fn value(me: u32, servers: u32, operation: u8) -> u8 {
        u8::try_from(me - servers).expect("few clients") + 1 + 16 * (operation - 1)
    }

    fn next<I>(&mut self, out: &mut impl Out<Msg<I>>) {
        let next = self.script.as_bytes().get(usize::from(self.called)).copied();
        self.is_waiting = next.is_some();
        let Some(letter) = next else { return };
        let server = (self.me + u32::from(self.called)) % self.servers;
        self.called += 1;
        let id = (self.me, self.called);
        match letter {
            b'w' => {
                let value = Self::value(self.me, self.servers, self.called);
                out.tell(Event::Call(Call::Write(value)));
                out.send(server, Msg::Put(id, value));
            }
            _ => {
                out.tell(Event::Call(Call::Read));
                out.send(server, Msg::Get(id));
            }
        }
    }

    fn heeds<I>(&self, msg: &Msg<I>) -> bool {
        let (Msg::PutOk(id) | Msg::GetOk(id, _)) = msg else { return false };
        self.is_waiting && *id == (self.me, self.called)
    }
}

/// A process of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node<S> {
    /// It keeps the register.
    Server(S),
    /// It uses it.
    Client(Client),
}

impl<S: Server> Machine for Node<S> {
    type Msg = Msg<S::Internal>;

    fn count(setup: &Setup) -> u32 {
        setup.servers + u32::try_from(setup.clients.len()).expect("few clients")
    }

    fn new(setup: &Setup, me: u32) -> Self {
        let servers = setup.servers;
        match me.checked_sub(servers) {
            None => Self::Server(S::new(setup, me)),
            Some(index) => {
                let script = setup.clients[index as usize].clone();
                Self::Client(Client { me, servers, script, called: 0, is_waiting: false })
            }
        }
    }

    fn start(&mut self, out: &mut impl Out<Self::Msg>) {
        if let Self::Client(client) = self {
            client.next(out);
        }
    }

    fn heeds(&self, from: u32, msg: &Self::Msg) -> bool {
        match self {
            Self::Server(server) => server.heeds(from, msg),
            Self::Client(client) => client.heeds(msg),
        }
    }

    fn receive(&mut self, from: u32, msg: Self::Msg, out: &mut impl Out<Self::Msg>) {
        match self {
            Self::Server(server) => server.receive(from, msg, out),
            Self::Client(client) if client.heeds(&msg) => {
                if let Some(call) = Self::call(&msg) {
                    out.tell(Event::Call(call));
                }
                client.next(out);
            }
            Self::Client(_) => {}
        }
    }

    fn facts(&self) -> [Option<Event>; 2] {
        match self {
            Self::Server(server) => [server.chosen().map(Event::Chosen), None],
            Self::Client(_) => [None, None],
        }
    }

    const SAYS_CALLS: bool = true;

    fn call(msg: &Self::Msg) -> Option<Call> {
        match msg {
            Msg::Put(_, value) => Some(Call::Write(*value)),
            Msg::Get(_) => Some(Call::Read),
            Msg::PutOk(_) => Some(Call::Written),
            Msg::GetOk(_, value) => Some(Call::Got(*value)),
            Msg::Internal(_) => None,
        }
    }
}
