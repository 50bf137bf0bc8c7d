//! Answers in pieces: JSON objects whose long lists are written item by item, when somebody reads on.
//!
//! So an answer of any length takes the memory of one piece. Comes in: members of an object, in order. Goes out:
//! [`Pieces`].

use axum::body::Bytes;
use serde::Serialize;

/// Pieces are joined until they have this size.
const PIECE_BYTES: usize = 64 * 1024;

/// The bytes of an answer, one piece after the other.
pub(crate) type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// A JSON object that is being put together.
pub(crate) struct Object {
    pieces: Pieces,
    empty: bool,
}

impl Object {
    pub(crate) fn new() -> Self {
        Object { pieces: Box::new(std::iter::once(b"{".to_vec())), empty: true }
    }

    /// A member that is written as a whole.
    pub(crate) fn member(self, name: &str, value: &impl Serialize) -> Self {
        let json = json(value);
        self.named(name, std::iter::once(json))
    }

    /// All members of something that is an object itself.
    pub(crate) fn members(mut self, object: &impl Serialize) -> Self {
        let json = json(object);
        let inner = json.strip_prefix(b"{").and_then(|json| json.strip_suffix(b"}")).unwrap_or_default();
        if inner.is_empty() {
            return self;
        }
        let text = if self.empty { inner.to_vec() } else { [b",", inner].concat() };
        self.empty = false;
        self.then(std::iter::once(text))
    }

    /// A member that is an object.
    pub(crate) fn object(self, name: &str, object: Object) -> Self {
        self.named(name, object.into_pieces())
    }

    /// A list, each item JSON of its own.
    pub(crate) fn list(self, name: &str, items: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        self.named(name, list(items.map(|item| -> Pieces { Box::new(std::iter::once(item)) })))
    }

    /// A list of objects that have lists themselves.
    pub(crate) fn objects(self, name: &str, items: impl Iterator<Item = Object> + Send + 'static) -> Self {
        self.named(name, list(items.map(Object::into_pieces)))
    }

    pub(crate) fn into_pieces(self) -> Pieces {
        self.then(std::iter::once(b"}".to_vec())).pieces
    }

    fn named(mut self, name: &str, value: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        let comma = if self.empty { "" } else { "," };
        self.empty = false;
        let key = format!("{comma}\"{name}\":").into_bytes();
        self.then(std::iter::once(key).chain(value))
    }

    fn then(self, more: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        Object { pieces: Box::new(self.pieces.chain(more)), ..self }
    }
}

fn list(items: impl Iterator<Item = Pieces> + Send + 'static) -> Pieces {
    let separated = items.enumerate().flat_map(|(position, item)| {
        let comma = (position > 0).then(|| b",".to_vec());
        comma.into_iter().chain(item)
    });
    Box::new(std::iter::once(b"[".to_vec()).chain(separated).chain(std::iter::once(b"]".to_vec())))
}

pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data: text keys, and nothing that JSON cannot hold")
}

/// Small pieces joined to bigger ones.
pub(crate) fn joined(mut pieces: Pieces) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let mut joined = Vec::with_capacity(PIECE_BYTES);
        while joined.len() < PIECE_BYTES {
            let Some(piece) = pieces.next() else { break };
            joined.extend_from_slice(&piece);
        }
        (!joined.is_empty()).then(|| joined.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(object: Object) -> String {
        String::from_utf8(object.into_pieces().flatten().collect()).unwrap()
    }

    #[test]
    fn what_comes_out_is_json() {
        let numbers = (1..4).map(|number| json(&number));
        let inner = || Object::new().list("none", std::iter::empty());
        let object = Object::new()
            .members(&serde_json::json!({}))
            .member("a", &"b")
            .members(&serde_json::json!({"c": 1}))
            .list("numbers", numbers)
            .object("inner", inner())
            .objects("two", (0..2).map(move |_| inner()));
        let expected = r#"{"a":"b","c":1,"numbers":[1,2,3],"inner":{"none":[]},"two":[{"none":[]},{"none":[]}]}"#;
        assert_eq!(text(object), expected);
        assert_eq!(text(Object::new()), "{}");
        assert_eq!(text(Object::new().members(&serde_json::json!({"c": 1})).member("d", &2)), r#"{"c":1,"d":2}"#);
    }

    #[test]
    fn pieces_are_made_when_they_are_asked_for() {
        let made = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = made.clone();
        let items = (0..1000).map(move |_| {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            vec![b'1'; 10_000]
        });
        let mut pieces = joined(Object::new().list("long", items).into_pieces());
        assert!(pieces.next().is_some_and(|piece| piece.len() < 2 * PIECE_BYTES));
        assert!(made.load(std::sync::atomic::Ordering::Relaxed) < 10);
        assert_eq!(pieces.map(|piece| piece.len()).sum::<usize>() / 1_000_000, 9);
    }
}
