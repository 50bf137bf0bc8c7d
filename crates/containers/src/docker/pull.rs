//! The answer to a pull: a line of JSON for every step. Its status is 200 whatever comes of it; an error is a line, too.

mod layers;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::layers::Layers;
use super::error::DockerError;
use super::wire::{Answer, shortened};
use crate::registry::{Login, Progress};

/// The longest line.
const LONGEST: usize = 1024 * 1024;

/// The header by which the daemon is told who asks.
pub(super) fn header(login: &Login) -> String {
    let login = match login {
        Login::Password { user, password } => json!({"username": user, "password": password}),
        Login::IdentityToken(token) => json!({"identitytoken": token}),
    };
    BASE64_URL_SAFE.encode(login.to_string())
}

#[derive(Debug)]
pub(super) struct Pull<'a> {
    answer: Answer,
    rest: Vec<u8>,
    layers: Layers,
    progress: &'a watch::Sender<Progress>,
}

impl Pull<'_> {
    /// The pull with this answer, whose progress is written here.
    pub(super) fn new(answer: Answer, progress: &watch::Sender<Progress>) -> Pull<'_> {
        Pull { answer, rest: Vec::new(), layers: Layers::default(), progress }
    }

    /// Comes back when the image is there, or cannot be had. It may take as long as it likes, if it goes on.
    pub(super) async fn finish(mut self) -> Result<(), DockerError> {
        while let Some(piece) = self.answer.piece().await? {
            self.rest.extend_from_slice(&piece);
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.line(&line)?;
            }
            if self.rest.len() > LONGEST {
                return Err(self.nonsense(format!("a line is longer than {LONGEST} bytes")));
            }
        }
        let rest = std::mem::take(&mut self.rest);
        self.line(&rest)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), DockerError> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let said: Value = serde_json::from_slice(line).map_err(|error| self.nonsense(error.to_string()))?;
        match said["errorDetail"]["message"].as_str().or_else(|| said["error"].as_str()) {
            Some(error) => {
                let (socket, said) = (self.answer.socket().to_owned(), shortened(error.to_owned()));
                Err(DockerError::Refused { socket, status: self.answer.status().as_u16(), said })
            }
            None => {
                self.layers.take(&said);
                self.progress.send_replace(self.layers.progress());
                Ok(())
            }
        }
    }

    fn nonsense(&self, problem: String) -> DockerError {
        DockerError::Nonsense { socket: self.answer.socket().to_owned(), problem }
    }
}
