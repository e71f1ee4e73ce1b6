//! The messages that a process knows, and how long it still passes each of them on.

use std::slice;

use crate::spec::message_set::{MessageName, MessageSet};

/// The messages that a process knows.
///
/// With at most one message, which is the common case among a million processes, it takes 24 bytes
/// and no allocation.
#[derive(Clone, Debug, Default, Hash)]
pub enum Rumors {
    #[default]
    None,
    One(Rumor),
    Many(Box<Many>),
}

/// A message, and the interest in it: it is passed on, or *hot*, while this is above zero.
type Rumor = (MessageName, u32);

#[derive(Clone, Debug, Hash)]
pub struct Many {
    known: MessageSet,
    /// In the order in which they were learnt.
    hot: Vec<Rumor>,
}

impl Rumors {
    pub fn knows(&self, message: MessageName) -> bool {
        match self {
            Self::None => false,
            Self::One((known, _)) => *known == message,
            Self::Many(many) => many.known.contains(message),
        }
    }

    /// Learns a message that it does not know.
    pub fn learn(&mut self, message: MessageName, interest: u32) {
        match self {
            Self::None => *self = Self::One((message, interest)),
            Self::One((known, _)) => {
                let mut both = MessageSet::default();
                both.insert(*known);
                both.insert(message);
                let mut hot = self.entries().to_vec();
                hot.extend((interest > 0).then_some((message, interest)));
                *self = Self::Many(Box::new(Many { known: both, hot }));
            }
            Self::Many(many) => {
                many.known.insert(message);
                many.hot.extend((interest > 0).then_some((message, interest)));
            }
        }
    }

    /// The messages that are passed on.
    pub fn hot(&self) -> impl Iterator<Item = MessageName> + '_ {
        self.entries().iter().map(|(message, _)| *message)
    }

    /// Changes the interest in each hot message.
    pub fn cool(&mut self, mut change: impl FnMut(MessageName, &mut u32)) {
        match self {
            Self::None | Self::One((_, 0)) => {}
            Self::One((message, interest)) => change(*message, interest),
            Self::Many(many) => {
                many.hot.iter_mut().for_each(|(message, interest)| change(*message, interest));
                many.hot.retain(|(_, interest)| *interest > 0);
            }
        }
    }

    fn entries(&self) -> &[Rumor] {
        match self {
            Self::None | Self::One((_, 0)) => &[],
            Self::One(rumor) => slice::from_ref(rumor),
            Self::Many(many) => &many.hot,
        }
    }
}
