//! For tests: requests as they stand on the wire, well formed or not.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Server;

/// A response as it stands on the wire.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

impl Server {
    pub(crate) fn url(&self) -> String {
        self.addr.to_string()
    }

    /// Sends a request as it is, and reads until the server closes.
    pub(crate) async fn raw(&self, request: &[u8]) -> Response {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        // The server may refuse, and close, before it has read everything.
        let _ = socket.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no response: {text:?}"));
        Response { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Sends a request line such as `GET /` with these headers.
    pub(crate) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        self.raw(format!("{text}\r\n{body}").as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(&format!("GET {path}"), &[("host", "localhost")], "").await
    }

    /// Posts a body as a JSON-RPC client does.
    pub(crate) async fn post(&self, body: &str) -> Response {
        let headers = [("host", "localhost"), ("content-type", "application/json")];
        self.send("POST /", &headers, body).await
    }

    /// Calls a method, whatever its parameters.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Response {
        let request = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": method, "params": params
        });
        self.post(&request.to_string()).await
    }

    /// Asks for a WebSocket, with these headers in addition. Returns the answer's status too.
    pub(crate) async fn upgrade(&self, headers: &[(&str, &str)]) -> (u16, WebSocket) {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        let mut request = "GET / HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                           sec-websocket-version: 13\r\n\
                           sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            .to_owned();
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        socket.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), WebSocket(socket))
    }
}

/// Just enough of RFC 6455 for short text messages.
pub(crate) struct WebSocket(TcpStream);

impl WebSocket {
    /// Sends a message of at most 125 bytes, masked with zeros.
    pub(crate) async fn send(&mut self, text: &str) {
        assert!(text.len() <= 125, "longer messages have another form");
        let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    /// Receives a message of at most 65,535 bytes. Pings are skipped.
    pub(crate) async fn receive(&mut self) -> Value {
        loop {
            let kind = self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => self.0.read_u16().await.unwrap(),
                short => u16::from(short),
            };
            let mut payload = vec![0; usize::from(length)];
            self.0.read_exact(&mut payload).await.unwrap();
            match kind {
                0x81 => return serde_json::from_slice(&payload).unwrap(),
                0x89 => {}
                other => panic!("neither a text nor a ping: {other:#x}"),
            }
        }
    }
}
