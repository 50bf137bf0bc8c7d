//! The head of an HTTP/1 response: how it went, where else to ask, and where the body ends. Pure.
//!
//! In: a whole head. Out: what matters of it, or which rule it breaks. A number is digits and nothing else: a peer that
//! writes it otherwise means something that we would have to guess.

use std::str::FromStr;

use super::Violation;

/// The parts of a head that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Head {
    pub(in super::super) status: u16,
    pub(in super::super) location: Option<String>,
    /// Known where bodies are kept.
    pub(in super::super) content_type: Option<String>,
}

/// The content of a head.
pub(super) enum Parsed {
    /// An interim response (1xx, but not a switch of protocols) is passed over: another head follows.
    Interim,
    /// The answer.
    Final {
        head: Head,
        framing: Framing,
        /// Set if the connection can be used again, by what the head says.
        persists: bool,
    },
}

/// The way in which the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    Nothing,
    /// By its length.
    Length(u64),
    /// By its last chunk.
    Chunked,
    /// By the end of the connection.
    UntilEnd,
}

/// Reads a head; `typed` if what the body is matters.
pub(super) fn parse(head: &[u8], typed: bool) -> Result<Parsed, Violation> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let status = status(first).ok_or(Violation::StatusLine)?;
    if (100..200).contains(&status) && status != 101 {
        return Ok(Parsed::Interim);
    }
    let fields = Fields::of(lines, typed)?;
    let framing = fields.framing(status);
    let persistence = fields.connection.unwrap_or_else(|| Persistence::of_version(first));
    let persists = status != 101 && persistence == Persistence::KeepAlive;
    let head = Head { status, location: fields.location, content_type: fields.content_type };
    Ok(Parsed::Final { head, framing, persists })
}

/// `HTTP/1.1 200 OK`
fn status(line: &str) -> Option<u16> {
    let (minor_version, rest) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    let code =
        rest.trim_start_matches(' ').split(' ').next().filter(|code| code.len() == 3 && minor_version.len() == 1)?;
    number::<u8>(minor_version)?;
    number(code).filter(|code| *code >= 100)
}

/// Digits and nothing else: what `parse` takes may have a sign.
fn number<N: FromStr>(digits: &str) -> Option<N> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// `5`, or `5, 5` where a proxy on the way has joined two lines.
fn content_length(value: &str) -> Option<u64> {
    let mut lengths = value.split(',').map(|length| number::<u64>(trimmed(length)));
    let first = lengths.next()??;
    lengths.all(|other| other == Some(first)).then_some(first)
}

/// Without the blanks that HTTP allows around a value.
fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// The fields that matter.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    location: Option<String>,
    content_type: Option<String>,
    /// Set if the type of the body matters.
    typed: bool,
    /// The persistence that `Connection` declares, if any.
    connection: Option<Persistence>,
}

/// The fate of a connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Persistence {
    Close,
    KeepAlive,
}

impl Persistence {
    /// As `Connection` declares it, where closing goes before all else.
    fn of(value: &str) -> Option<Persistence> {
        let says = |token: &str| value.split(',').any(|own| own.trim().eq_ignore_ascii_case(token));
        let keeps = || says("keep-alive").then_some(Persistence::KeepAlive);
        says("close").then_some(Persistence::Close).or_else(keeps)
    }

    /// As the version of a status line has it.
    fn of_version(first: &str) -> Persistence {
        if first.starts_with("HTTP/1.1") { Persistence::KeepAlive } else { Persistence::Close }
    }
}

impl Fields {
    fn of<'a>(lines: impl Iterator<Item = &'a str>, typed: bool) -> Result<Fields, Violation> {
        let mut fields = Fields { typed, ..Fields::default() };
        let unfolded = lines.filter(|line| !line.starts_with([' ', '\t']));
        for (name, value) in unfolded.filter_map(|line| line.split_once(':')) {
            fields.take(trimmed(name), trimmed(value))?;
        }
        Ok(fields)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Violation> {
        if name.eq_ignore_ascii_case("content-length") {
            let length = content_length(value).ok_or(Violation::ContentLength)?;
            if self.length.replace(length).is_some_and(|earlier| earlier != length) {
                return Err(Violation::ContentLength);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = value.rsplit(',').next().unwrap_or_default();
            self.chunked = last.trim().eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            self.connection = Persistence::of(value);
        } else if name.eq_ignore_ascii_case("location") && self.location.is_none() {
            self.location = Some(value.to_owned());
        } else if self.typed && name.eq_ignore_ascii_case("content-type") {
            self.content_type = Some(value.to_owned());
        }
        Ok(())
    }

    fn framing(&self, status: u16) -> Framing {
        match (status, self.chunked, self.length) {
            (101 | 204 | 304, _, _) => Framing::Nothing,
            (_, true, _) => Framing::Chunked,
            (_, false, Some(length)) => Framing::Length(length),
            (_, false, None) => Framing::UntilEnd,
        }
    }
}
