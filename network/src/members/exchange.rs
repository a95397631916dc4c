//! What two members compare of their lists, and how a list is cut into datagrams.
//!
//! A digest comes first: in a quiet network it is all that an exchange costs. Rumours die out by
//! chance before everybody heard them; the exchange makes sure.

use borsh::to_vec;
use hearsay_chain::hash::tagged;

use super::codec::{Claim, Standing};
use super::profile::SignedProfile;

/// Claims in one datagram: 43 bytes each, below 1,100.
const CLAIMS_A_PART: usize = 24;

/// Profiles that may be asked for in one datagram: 32 bytes each, and the answer, which is the
/// larger one, stays within six datagrams.
pub(crate) const MAX_WANTED: usize = 24;

/// The bytes of profiles in one datagram: as many as of everything else.
const PROFILE_BYTES: usize = super::codec::PACKET_BYTES;

/// The hash of those who are there. Who is down is left out: members forget the dead at times of
/// their own.
pub(crate) fn digest(claims: impl IntoIterator<Item = Claim>) -> [u8; 32] {
    let mut there: Vec<Claim> =
        claims.into_iter().filter(|claim| claim.standing != Standing::Down).collect();
    there.sort_by_key(|claim| claim.id);
    let bytes = to_vec(&there).expect("writing to a vector never fails");
    tagged("hearsay/member/digest/1", &[&bytes])
}

/// A list in datagrams; at least one, so that an empty list is said too.
pub(crate) fn parts(claims: &[Claim]) -> Vec<Vec<Claim>> {
    if claims.is_empty() {
        return vec![vec![]];
    }
    claims.chunks(CLAIMS_A_PART).map(<[Claim]>::to_vec).collect()
}

/// Profiles in datagrams.
pub(crate) fn pack(profiles: Vec<SignedProfile>) -> Vec<Vec<SignedProfile>> {
    let mut packs: Vec<Vec<SignedProfile>> = Vec::new();
    let mut room = 0;
    for profile in profiles.into_iter().take(MAX_WANTED) {
        let bytes = to_vec(&profile).map_or(0, |bytes| bytes.len());
        match packs.last_mut() {
            Some(pack) if bytes <= room => {
                room -= bytes;
                pack.push(profile);
            }
            _ => {
                room = PROFILE_BYTES.saturating_sub(bytes);
                packs.push(vec![profile]);
            }
        }
    }
    packs
}
