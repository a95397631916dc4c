//! Tests of profiles.

use proptest::prelude::*;

use super::*;

const GENESIS: GenesisId = GenesisId([7; 32]);

fn pair(seed: u8) -> Keypair {
    crate::identity(&[seed; 32])
}

fn profile(seed: u8) -> Profile {
    Profile {
        peer: Key::of_pair(&pair(seed)).unwrap(),
        generation: 1_700_000_000_000,
        number: 3,
        role: Role::Relay,
        version: "hearsay/0.1.0".into(),
        name: "n7".into(),
        addresses: vec!["/ip4/127.0.0.1/tcp/4000".parse().unwrap()],
        neighbours: vec![Short([1; 4]), Short([2; 4])],
    }
}

fn signed(seed: u8) -> SignedProfile {
    SignedProfile::sign(profile(seed), &GENESIS, &pair(seed))
}

#[test]
fn a_key_and_its_peer_id_name_each_other() {
    let peer = pair(1).public().to_peer_id();
    let key = Key::of(&peer).unwrap();
    assert_eq!(key.to_peer_id(), peer);
    assert_eq!(key.short().0[..], key.0[..4]);
    // Of no key at all: a hash.
    let hashed = PeerId::from_bytes(&[[0x12, 0x20].as_slice(), &[9; 32]].concat()).unwrap();
    assert_eq!(Key::of(&hashed), None);
}

#[test]
fn a_signed_profile_survives_the_wire() {
    let signed = signed(1);
    let read = SignedProfile::decode(&signed.encode()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.verify(&GENESIS), Ok(()));
}

#[test]
fn nobody_speaks_for_another_or_in_another_network() {
    let mut other = signed(1);
    other.profile.peer = Key::of_pair(&pair(2)).unwrap();
    assert_eq!(other.verify(&GENESIS), Err(ProfileError::Forged));
    let mut changed = signed(1);
    changed.profile.number += 1;
    assert_eq!(changed.verify(&GENESIS), Err(ProfileError::Forged));
    assert_eq!(signed(1).verify(&GenesisId([8; 32])), Err(ProfileError::Forged));
    // A key that is no point of the curve.
    let mut no_key = signed(1);
    no_key.profile.peer = Key([0xff; 32]);
    assert_eq!(no_key.verify(&GENESIS), Err(ProfileError::Forged));
}

#[test]
fn too_much_is_left_out_before_signing() {
    let long: Multiaddr = format!("/dns4/{}.com/tcp/1", "a".repeat(90)).parse().unwrap();
    let short: Multiaddr = "/ip4/127.0.0.1/tcp/4000".parse().unwrap();
    let fitted = Profile {
        version: "é\u{1b}[31m".repeat(30),
        addresses: [long].into_iter().chain(std::iter::repeat_n(short.clone(), 9)).collect(),
        neighbours: (0..90u8).rev().flat_map(|n| [Short([n; 4]); 2]).collect(),
        ..profile(1)
    }
    .fitted();
    assert_eq!(fitted.version, "[31m".repeat(8));
    assert_eq!(fitted.addresses, vec![short; MAX_ADDRESSES]);
    assert_eq!(fitted.neighbours, (0..32u8).map(|n| Short([n; 4])).collect::<Vec<_>>());
    let signed = SignedProfile::sign(fitted, &GENESIS, &pair(1));
    assert_eq!(SignedProfile::decode(&signed.encode()), Ok(signed));
}

#[test]
fn the_largest_profile_is_as_large_as_said() {
    let address =
        format!("/ip6/2a00:1450:4001:82a:1:2:3:4/tcp/65535/p2p/{}", pair(1).public().to_peer_id());
    let largest = Profile {
        version: "v".repeat(MAX_TEXT),
        name: "n".repeat(MAX_TEXT),
        addresses: vec![address.parse().unwrap(); MAX_ADDRESSES],
        neighbours: (0..MAX_NEIGHBOURS as u8).map(|n| Short([n; 4])).collect(),
        ..profile(1)
    };
    let slack = MAX_ADDRESSES * (MAX_ADDRESS_BYTES - largest.addresses[0].len());
    let signed = SignedProfile::sign(largest.clone(), &GENESIS, &pair(1));
    assert_eq!(signed.profile, largest);
    assert_eq!(signed.encode().len() + slack, MAX_PROFILE_BYTES);
    let bytes = [0; MAX_PROFILE_BYTES + 1];
    assert_eq!(SignedProfile::decode(&bytes), Err(ProfileError::TooLong));
}

#[test]
fn what_is_beyond_the_bounds_cannot_be_read() {
    let excesses: [fn(&mut Profile); 6] = [
        |profile| profile.version = "v".repeat(MAX_TEXT + 1),
        |profile| profile.name = "\u{1b}[2J".into(),
        |profile| profile.name = "a b".into(),
        |profile| profile.addresses = vec![Multiaddr::empty(); MAX_ADDRESSES + 1],
        |profile| profile.neighbours = vec![Short([1; 4]); 2],
        |profile| profile.neighbours = (0..33u8).map(|n| Short([n; 4])).collect(),
    ];
    for excess in excesses {
        let mut beyond = signed(1);
        excess(&mut beyond.profile);
        assert_eq!(SignedProfile::decode(&beyond.encode()), Err(ProfileError::Malformed));
    }
}

#[test]
fn a_later_profile_is_told_by_generation_then_number() {
    let (old, new) = (profile(1), Profile { number: 4, ..profile(1) });
    assert!(old.age() < new.age());
    assert!(new.age() < Profile { generation: new.generation + 1, number: 0, ..new }.age());
}

#[test]
fn a_profile_gives_the_addresses_that_are_of_use() {
    let mut told = profile(1);
    told.addresses.push("/ip4/8.8.8.8/tcp/1".parse().unwrap());
    told.addresses.push("/ip4/0.0.0.0/tcp/1".parse().unwrap());
    assert_eq!(told.usable_addresses(Reach::Loopback), told.addresses[..2]);
    assert_eq!(told.usable_addresses(Reach::Public), told.addresses[1..2]);
}

proptest! {
    #[test]
    fn garbage_is_no_profile_and_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..700),
        at in 0usize..700, flip in 1u8..,
    ) {
        prop_assert!(SignedProfile::decode(&bytes).is_err());
        let mut damaged = signed(1).encode();
        let at = at % damaged.len();
        damaged[at] ^= flip;
        if let Ok(read) = SignedProfile::decode(&damaged) {
            prop_assert_eq!(read.encode(), damaged, "one byte string for each value");
            prop_assert_eq!(read.verify(&GENESIS), Err(ProfileError::Forged));
        }
    }
}
