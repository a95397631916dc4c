//! Gossipsub's RPCs and identify's message, as protobuf: written by hand, as a program that is made
//! for them refuses to write what must not be.

use libp2p::identity::PublicKey;

use super::negotiate::varint;

/// A field of bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field with a number in it.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// An RPC with its length.
pub(super) fn framed(rpc: &[u8]) -> Vec<u8> {
    [varint(rpc.len() as u64), rpc.to_vec()].concat()
}

/// Subscribes to a topic, or no longer.
pub(super) fn subscription(topic: &str, subscribes: bool) -> Vec<u8> {
    field(1, &[number(1, subscribes.into()), field(2, topic.as_bytes())].concat())
}

/// Publishes an anonymous message.
pub(super) fn message(topic: &str, data: &[u8]) -> Vec<u8> {
    field(2, &[field(2, data), field(4, topic.as_bytes())].concat())
}

/// Publishes a message that names an author, which no message may here.
pub(super) fn authored(topic: &str, data: &[u8]) -> Vec<u8> {
    field(2, &[field(1, b"nobody"), field(2, data), field(4, topic.as_bytes())].concat())
}

fn ids(field_number: u64, ids: &[[u8; 20]]) -> Vec<u8> {
    ids.iter().flat_map(|id| field(field_number, id)).collect()
}

fn control(kind: u64, entry: &[u8]) -> Vec<u8> {
    field(3, &field(kind, entry))
}

/// Announces messages on a topic.
pub(super) fn ihave(topic: &str, messages: &[[u8; 20]]) -> Vec<u8> {
    control(1, &[field(1, topic.as_bytes()), ids(2, messages)].concat())
}

/// Asks for messages.
pub(super) fn iwant(messages: &[[u8; 20]]) -> Vec<u8> {
    control(2, &ids(1, messages))
}

/// Declines messages.
pub(super) fn idontwant(messages: &[[u8; 20]]) -> Vec<u8> {
    control(5, &ids(1, messages))
}

/// Grafts to a topic, so many times.
pub(super) fn grafts(topic: &str, times: usize) -> Vec<u8> {
    field(3, &field(3, &field(1, topic.as_bytes())).repeat(times))
}

/// Prunes from a topic, so many times, asking to be left alone for so many seconds.
pub(super) fn prunes(topic: &str, times: usize, backoff: u64) -> Vec<u8> {
    let entry = [field(1, topic.as_bytes()), number(3, backoff)].concat();
    field(3, &field(4, &entry).repeat(times))
}

/// What identify says of a peer, with its length.
pub(super) fn identify(key: &PublicKey, version: &str, protocols: &[String]) -> Vec<u8> {
    let mut info = field(1, &key.encode_protobuf());
    for protocol in protocols {
        info.extend(field(3, protocol.as_bytes()));
    }
    info.extend(field(5, version.as_bytes()));
    info.extend(field(6, b"hostile/1"));
    framed(&info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpc_is_written_as_protobuf_has_it() {
        assert_eq!(subscription("a", true), [0x0a, 5, 0x08, 1, 0x12, 1, b'a']);
        assert_eq!(message("a", &[9]), [0x12, 6, 0x12, 1, 9, 0x22, 1, b'a']);
        assert_eq!(grafts("a", 2), [0x1a, 10, 0x1a, 3, 0x0a, 1, b'a', 0x1a, 3, 0x0a, 1, b'a']);
        assert_eq!(idontwant(&[[7; 20]])[..6], [0x1a, 24, 0x2a, 22, 0x0a, 20]);
        assert_eq!(framed(&[1; 300])[..2], [0xac, 2]);
    }
}
