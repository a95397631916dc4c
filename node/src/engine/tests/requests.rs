//! What peers may ask, and what it costs them to say what is not so.

use hearsay_chain::{BlockId, GenesisId};
use hearsay_network::wire::{MAX_BODIES, Request, Response, Standing};

use super::desk::{Desk, peer, penalises};
use crate::engine::{Effect, Input};

fn standing(desk: &Desk) -> Standing {
    Standing {
        genesis: desk.engine.chain().rules().id(),
        tip: BlockId([9; 32]),
        height: 3,
        final_height: 0,
        first_body: 1,
    }
}

#[test]
fn a_peer_that_stands_on_another_genesis_lies_whether_it_asks_or_answers() {
    let mut desk = Desk::new();
    let foreign = Standing { genesis: GenesisId([7; 32]), ..standing(&desk) };
    desk.give(Input::Joined(peer(1)));
    let (said, effects) = desk.request(peer(1), Request::Standing(foreign));
    assert_eq!(said, None);
    assert!(penalises(&effects));
    let effects = desk.give(Input::Joined(peer(2)));
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Ask { id, request: Request::Standing(_), .. } => Some(*id),
        _ => None,
    });
    let result = Ok(Response::Standing(foreign));
    let answer = Input::Response { from: peer(2), id: asked.unwrap(), result };
    assert!(penalises(&desk.give(answer)));
}

#[test]
fn who_asks_for_bodies_or_where_a_node_stands_without_end_is_refused_and_comes_to_no_harm() {
    let mut desk = Desk::new();
    desk.give(Input::Joined(peer(1)));
    let (stands, tip) = (standing(&desk), desk.engine.chain().tip().id);
    for request in [Request::Standing(stands), Request::Bodies(vec![tip; MAX_BODIES])] {
        let answers: Vec<_> = (0..200).map(|_| desk.request(peer(1), request.clone())).collect();
        assert!(answers[0].0.is_some() && answers[199].0.is_none(), "{request:?}");
        assert!(answers.iter().all(|(_, effects)| !penalises(effects)));
    }
}
