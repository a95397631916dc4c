//! What spreads beside foca's updates, each signed by whom it speaks for: profiles, accusations and
//! farewells. foca carries them on its packets with the same budget as its updates.

use borsh::{BorshDeserialize, BorshSerialize, io};
use foca::{BroadcastHandler, Incarnation, Invalidates};
use hearsay_chain::ids::GenesisId;
use libp2p::identity::Keypair;

use super::identity::Id;
use super::profile::{Key, SignedProfile};
use super::seal::{self, Signature};

const ACCUSATION: &str = "hearsay/member/accusation/1";
const LEAVE: &str = "hearsay/member/leave/1";

/// One member suspects another, and says why. As each is signed, accusers can be counted.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Accusation {
    pub(crate) accuser: Key,
    pub(crate) subject: Id,
    pub(crate) incarnation: Incarnation,
    /// The accuser's connection to it broke, and it did not answer by another way: stronger than a
    /// probe without an answer, which a slow member or a bad path explains too.
    pub(crate) lost_link: bool,
    signature: Signature,
}

impl Accusation {
    pub(crate) fn sign(
        keypair: &Keypair,
        genesis: &GenesisId,
        accuser: Key,
        (subject, incarnation): (Id, Incarnation),
        lost_link: bool,
    ) -> Self {
        let body = Self::text(&subject, incarnation, lost_link);
        let signature = seal::sign(keypair, ACCUSATION, genesis, &body);
        Self { accuser, subject, incarnation, lost_link, signature }
    }

    fn text(subject: &Id, incarnation: Incarnation, lost_link: bool) -> Vec<u8> {
        let generation = subject.generation.to_le_bytes();
        let tail = [u8::from(lost_link)];
        [subject.key.0.as_slice(), &generation, &incarnation.to_le_bytes(), &tail].concat()
    }

    pub(crate) fn verify(&self, genesis: &GenesisId) -> bool {
        let body = Self::text(&self.subject, self.incarnation, self.lost_link);
        seal::verify(&self.accuser, ACCUSATION, genesis, &body, &self.signature)
    }
}

/// A member goes, by its own will.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Leave {
    pub(crate) member: Id,
    signature: Signature,
}

impl Leave {
    pub(crate) fn sign(keypair: &Keypair, genesis: &GenesisId, member: Id) -> Self {
        let signature = seal::sign(keypair, LEAVE, genesis, &member.generation.to_le_bytes());
        Self { member, signature }
    }

    pub(crate) fn verify(&self, genesis: &GenesisId) -> bool {
        let body = self.member.generation.to_le_bytes();
        seal::verify(&self.member.key, LEAVE, genesis, &body, &self.signature)
    }
}

/// Something signed that spreads.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Rumour {
    Profile(SignedProfile),
    Accusation(Accusation),
    Leave(Leave),
}

impl Rumour {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to a vector never fails")
    }

    fn topic(&self) -> Topic {
        match self {
            Self::Profile(signed) => Topic::Profile(signed.profile.peer),
            Self::Accusation(accusation) => {
                Topic::Accusation { by: accusation.accuser, about: accusation.subject.key }
            }
            Self::Leave(leave) => Topic::Leave(leave.member.key),
        }
    }
}

/// What a rumour is about: a newer one about the same takes the place of the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Profile(Key),
    Accusation { by: Key, about: Key },
    Leave(Key),
}

impl Invalidates for Topic {
    fn invalidates(&self, other: &Self) -> bool {
        self == other
    }
}

/// Tells foca what a rumour is about. Whether it is true and new is known before foca sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Topics;

impl BroadcastHandler<Id> for Topics {
    type Key = Topic;
    type Error = io::Error;

    fn receive_item(&mut self, data: &[u8], _: Option<&Id>) -> Result<Option<Topic>, io::Error> {
        Ok(Some(borsh::from_slice::<Rumour>(data)?.topic()))
    }
}
