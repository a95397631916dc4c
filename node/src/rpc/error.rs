//! What a method answers instead of its result.

use jsonrpsee::types::{ErrorObject, ErrorObjectOwned};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::api::Refused;
use crate::handle::Stopping;
use crate::lab::LabError;
use crate::snapshots::SnapshotError;

/// An error of the node's own. Code and reason are stable; the message is for people.
///
/// Its form in JSON-RPC is `{"code": …, "message": …, "data": {"reason": …}}`. JSON-RPC's own
/// errors come beside these: -32700 for what is not JSON, -32600 for what is no request, -32601 for
/// an unknown method, -32602 for parameters of the wrong form, -32007 for an oversized request,
/// -32010 for an oversized batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RpcError {
    /// Code 1001. The transaction can never be valid, here or elsewhere.
    #[error("{message}")]
    Rejected {
        /// A stable word.
        reason: String,
        /// A sentence.
        message: String,
    },
    /// Code 1002. The node does not take the transaction now; another node, or this one later, may.
    #[error("{message}")]
    Refused {
        /// A stable word.
        reason: String,
        /// A sentence.
        message: String,
    },
    /// Code 1003. What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Code 1004. The node is shutting down.
    #[error("the node is stopping")]
    Stopping,
    /// Code 1005. The node has too much to do to answer in time. A transaction may have been taken
    /// nevertheless.
    #[error("the node is too busy to answer; ask again later")]
    Busy,
}

#[derive(Serialize, Deserialize)]
struct Data {
    reason: String,
}

impl RpcError {
    /// The number that stands for it on the wire.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            RpcError::Rejected { .. } => 1001,
            RpcError::Refused { .. } => 1002,
            RpcError::NotFound(_) => 1003,
            RpcError::Stopping => 1004,
            RpcError::Busy => 1005,
        }
    }

    /// The kind of error as a word, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            RpcError::Rejected { .. } => "rejected",
            RpcError::Refused { .. } => "refused",
            RpcError::NotFound(_) => "not-found",
            RpcError::Stopping => "stopping",
            RpcError::Busy => "busy",
        }
    }

    /// Why, as a stable word: the pool's, or else the kind.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            RpcError::Rejected { reason, .. } | RpcError::Refused { reason, .. } => reason,
            RpcError::NotFound(_) | RpcError::Stopping | RpcError::Busy => self.kind(),
        }
    }

    /// The error that an error object carries, if it is one of these.
    #[must_use]
    pub fn from_object(object: &ErrorObject<'_>) -> Option<Self> {
        let message = object.message().to_owned();
        let data = object.data().and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
        let reason = data.map_or_else(String::new, |data| data.reason);
        match object.code() {
            1001 => Some(RpcError::Rejected { reason, message }),
            1002 => Some(RpcError::Refused { reason, message }),
            1003 => Some(RpcError::NotFound(message)),
            1004 => Some(RpcError::Stopping),
            1005 => Some(RpcError::Busy),
            _ => None,
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data = Data { reason: error.reason().to_owned() };
        ErrorObject::owned(error.code(), error.to_string(), Some(data))
    }
}

impl From<Stopping> for RpcError {
    fn from(_: Stopping) -> Self {
        RpcError::Stopping
    }
}

impl From<SnapshotError> for RpcError {
    fn from(error: SnapshotError) -> Self {
        RpcError::Refused { reason: error.reason().to_owned(), message: error.to_string() }
    }
}

impl From<LabError> for RpcError {
    fn from(error: LabError) -> Self {
        RpcError::Refused { reason: error.reason().to_owned(), message: error.to_string() }
    }
}

impl From<Refused> for RpcError {
    fn from(refused: Refused) -> Self {
        let Refused { invalid, reason, message } = refused;
        if invalid {
            RpcError::Rejected { reason, message }
        } else {
            RpcError::Refused { reason, message }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_reasons_never_change() {
        let text = |text: &str| text.to_owned();
        let (reason, message) = (text("bad-signature"), text("the signature does not hold"));
        for (error, json) in [
            (
                RpcError::Rejected { reason: reason.clone(), message: message.clone() },
                r#"{"code":1001,"message":"the signature does not hold","data":{"reason":"bad-signature"}}"#,
            ),
            (
                RpcError::Refused { reason: text("pool-full"), message: text("full") },
                r#"{"code":1002,"message":"full","data":{"reason":"pool-full"}}"#,
            ),
            (
                RpcError::NotFound(text("no block 9")),
                r#"{"code":1003,"message":"no block 9","data":{"reason":"not-found"}}"#,
            ),
            (
                RpcError::Stopping,
                r#"{"code":1004,"message":"the node is stopping","data":{"reason":"stopping"}}"#,
            ),
            (
                RpcError::Busy,
                r#"{"code":1005,"message":"the node is too busy to answer; ask again later","data":{"reason":"busy"}}"#,
            ),
        ] {
            let object = ErrorObjectOwned::from(error.clone());
            assert_eq!(serde_json::to_string(&object).unwrap(), json);
            assert_eq!(RpcError::from_object(&object), Some(error));
        }
    }

    #[test]
    fn an_error_of_json_rpc_itself_is_none_of_these() {
        let object = ErrorObject::owned(-32602, "Invalid params", None::<()>);
        assert_eq!(RpcError::from_object(&object), None);
    }

    #[test]
    fn a_refusal_keeps_its_reason_and_says_whether_it_is_for_ever() {
        for invalid in [true, false] {
            let refused =
                Refused { invalid, reason: "r".to_owned(), message: "a sentence".to_owned() };
            let error = RpcError::from(refused);
            assert_eq!(error.code(), if invalid { 1001 } else { 1002 });
            assert_eq!((error.reason(), error.to_string().as_str()), ("r", "a sentence"));
        }
    }
}
