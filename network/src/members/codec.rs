//! What foca and the machine say to each other: foca's packets as values.
//!
//! A packet that foca writes is read back here, and goes on the wire without its header, as the
//! envelope around it names source and destination. A packet from the wire is judged claim by claim
//! and written anew for foca, so that foca sees nothing that was not judged.

use borsh::{BorshDeserialize, BorshSerialize, io};
use bytes::{Buf, BufMut};
use foca::{Codec, Header, Incarnation, Member, Message, State};

use super::identity::Id;

/// The most that a packet of foca's may take, in bytes: with an envelope around it (about 180) it
/// stays below the 1,400 of a datagram.
pub(crate) const PACKET_BYTES: usize = 1_100;

/// What a packet is for. Only these of foca's messages travel: joining and reviving go another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Word {
    Ping(u8),
    Ack(u8),
    PingReq { target: Id, number: u8 },
    IndirectPing { origin: Id, number: u8 },
    IndirectAck { target: Id, number: u8 },
    ForwardedAck { origin: Id, number: u8 },
    Gossip,
}

/// What is said of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) enum Standing {
    Alive,
    Suspect,
    Down,
}

/// Somebody says this of a member: foca's update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Claim {
    pub(crate) id: Id,
    pub(crate) incarnation: Incarnation,
    pub(crate) standing: Standing,
}

/// The bytes of a packet broke foca's format: a fault of ours, as only foca writes them.
#[derive(Debug, thiserror::Error)]
#[error("a packet of the state machine: {0}")]
pub(crate) struct CodecError(#[from] io::Error);

impl From<State> for Standing {
    fn from(state: State) -> Self {
        match state {
            State::Alive => Self::Alive,
            State::Suspect => Self::Suspect,
            State::Down => Self::Down,
        }
    }
}

impl From<Standing> for State {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Alive => Self::Alive,
            Standing::Suspect => Self::Suspect,
            Standing::Down => Self::Down,
        }
    }
}

impl From<&Member<Id>> for Claim {
    fn from(member: &Member<Id>) -> Self {
        Self {
            id: *member.id(),
            incarnation: member.incarnation(),
            standing: member.state().into(),
        }
    }
}

impl From<Claim> for Member<Id> {
    fn from(claim: Claim) -> Self {
        Self::new(claim.id, claim.incarnation, claim.standing.into())
    }
}

impl Word {
    fn of(message: &Message<Id>) -> Option<Self> {
        Some(match *message {
            Message::Ping(number) => Self::Ping(number),
            Message::Ack(number) => Self::Ack(number),
            Message::PingReq { target, probe_number: number } => Self::PingReq { target, number },
            Message::IndirectPing { origin, probe_number: number } => {
                Self::IndirectPing { origin, number }
            }
            Message::IndirectAck { target, probe_number: number } => {
                Self::IndirectAck { target, number }
            }
            Message::ForwardedAck { origin, probe_number: number } => {
                Self::ForwardedAck { origin, number }
            }
            Message::Gossip => Self::Gossip,
            Message::Announce | Message::Feed | Message::Broadcast | Message::TurnUndead => {
                return None;
            }
        })
    }

    fn message(self) -> Message<Id> {
        match self {
            Self::Ping(number) => Message::Ping(number),
            Self::Ack(number) => Message::Ack(number),
            Self::PingReq { target, number } => Message::PingReq { target, probe_number: number },
            Self::IndirectPing { origin, number } => {
                Message::IndirectPing { origin, probe_number: number }
            }
            Self::IndirectAck { target, number } => {
                Message::IndirectAck { target, probe_number: number }
            }
            Self::ForwardedAck { origin, number } => {
                Message::ForwardedAck { origin, probe_number: number }
            }
            Self::Gossip => Message::Gossip,
        }
    }

    /// The third member that the message names, if it names one.
    pub(crate) const fn third(&self) -> Option<&Id> {
        match self {
            Self::PingReq { target: id, .. }
            | Self::IndirectPing { origin: id, .. }
            | Self::IndirectAck { target: id, .. }
            | Self::ForwardedAck { origin: id, .. } => Some(id),
            Self::Ping(_) | Self::Ack(_) | Self::Gossip => None,
        }
    }
}

/// Foca's header: source, its incarnation, destination, message.
type Head = (Id, Incarnation, Id, Word);

/// A packet of foca's as it stands between foca and the machine.
#[derive(Clone, Debug)]
pub(crate) struct FocaPacket {
    pub(crate) src: Id,
    pub(crate) incarnation: Incarnation,
    pub(crate) dst: Id,
    pub(crate) word: Word,
    pub(crate) claims: Vec<Claim>,
    pub(crate) rumours: Vec<Vec<u8>>,
}

impl FocaPacket {
    /// The bytes for [`foca::Foca::handle_data`]. Rumours are not among them: the machine handles
    /// those itself.
    pub(crate) fn to_foca(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let count = u16::try_from(self.claims.len()).unwrap_or(u16::MAX);
        // Writing to a vector never fails.
        let _ = (self.src, self.incarnation, self.dst, self.word).serialize(&mut bytes);
        bytes.extend(count.to_be_bytes());
        for claim in self.claims.iter().take(count.into()) {
            let _ = claim.serialize(&mut bytes);
        }
        bytes
    }

    /// Reads what foca wants sent; none if it is not in foca's format.
    pub(crate) fn from_foca(mut data: &[u8]) -> Option<Self> {
        let (src, incarnation, dst, word) = Head::deserialize(&mut data).ok()?;
        let mut claims = Vec::new();
        if data.len() >= 2 {
            for _ in 0..data.get_u16() {
                claims.push(Claim::deserialize(&mut data).ok()?);
            }
        }
        let mut rumours = Vec::new();
        while data.len() > 2 {
            let length = usize::from(data.get_u16());
            let (rumour, rest) = data.split_at_checked(length)?;
            rumours.push(rumour.to_vec());
            data = rest;
        }
        Some(Self { src, incarnation, dst, word, claims, rumours })
    }
}

/// The format in which foca writes what it wants sent, and reads what it is given. It never leaves
/// the process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Local;

fn put(bytes: &[u8], mut buf: impl BufMut) -> Result<(), CodecError> {
    if buf.remaining_mut() < bytes.len() {
        return Err(io::Error::from(io::ErrorKind::WriteZero).into());
    }
    buf.put_slice(bytes);
    Ok(())
}

impl Codec<Id> for Local {
    type Error = CodecError;

    fn encode_header(&mut self, header: &Header<Id>, buf: impl BufMut) -> Result<(), CodecError> {
        let word = Word::of(&header.message)
            .ok_or_else(|| io::Error::other("a message that the machine does without"))?;
        put(&borsh::to_vec(&(header.src, header.src_incarnation, header.dst, word))?, buf)
    }

    fn decode_header(&mut self, buf: impl Buf) -> Result<Header<Id>, CodecError> {
        let (src, src_incarnation, dst, word) = Head::deserialize_reader(&mut buf.reader())?;
        Ok(Header { src, src_incarnation, dst, message: word.message() })
    }

    fn encode_member(&mut self, member: &Member<Id>, buf: impl BufMut) -> Result<(), CodecError> {
        put(&borsh::to_vec(&Claim::from(member))?, buf)
    }

    fn decode_member(&mut self, buf: impl Buf) -> Result<Member<Id>, CodecError> {
        Ok(Claim::deserialize_reader(&mut buf.reader())?.into())
    }
}

#[cfg(test)]
mod tests {
    use foca::Codec;

    use super::super::profile::Key;
    use super::*;

    #[test]
    fn a_packet_for_foca_reads_back_as_foca_reads_it() {
        let id = |key, generation| Id { key: Key([key; 32]), generation };
        let claim = Claim { id: id(3, 3), incarnation: 4, standing: Standing::Suspect };
        let packet = FocaPacket {
            src: id(1, 1),
            incarnation: 7,
            dst: id(2, 2),
            word: Word::PingReq { target: id(3, 3), number: 9 },
            claims: vec![claim],
            rumours: vec![],
        };
        let bytes = packet.to_foca();
        let mut data = bytes.as_slice();
        let header = Local.decode_header(&mut data).unwrap();
        assert_eq!(header.src_incarnation, 7);
        assert_eq!(header.message, packet.word.message());
        let back = FocaPacket::from_foca(&bytes).unwrap();
        assert_eq!((back.word, back.claims), (packet.word, packet.claims));
        assert!(FocaPacket::from_foca(&bytes[..bytes.len() - 1]).is_none());
    }
}
