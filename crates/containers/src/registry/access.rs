//! The proof of who asks, as a registry wants it: nothing, a password, or a token that it lets another server give out.
//! Pure: it is told the time.

use std::fmt::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Deserialize;
use urls::{Scheme, Url};

use super::challenge::Challenge;
use super::error::Reason;
use super::login::Login;

/// The life of a token that says nothing about it.
const TOKEN_LIFE: Duration = Duration::from_secs(60);
/// A token is used no more when it has only this part of its life left.
const LAST_PART: u32 = 10;

/// The access of one pull to its repository.
#[derive(Clone, Debug)]
pub(super) struct Access {
    login: Option<Login>,
    repository: String,
    proof: Proof,
}

#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Password(HeaderValue),
    Token { header: HeaderValue, until: Duration },
}

/// A registry's refusal (401).
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its `WWW-Authenticate`.
    pub(super) headers: Vec<String>,
    /// Its words.
    pub(super) said: String,
}

/// The way to go on after a refusal.
#[derive(Debug)]
pub(super) enum Step {
    /// Ask the registry again.
    Again,
    /// Get a token first.
    Token(TokenRequest),
}

/// A request to a token server.
#[derive(Clone, Debug)]
pub(super) struct TokenRequest {
    pub(super) url: Url,
    login: Option<Login>,
    /// Service and scope, encoded as in a form.
    form: String,
}

#[derive(Deserialize)]
struct TokenReply {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Access {
    pub(super) fn new(login: Option<Login>, repository: &str) -> Access {
        Access { login, repository: repository.to_owned(), proof: Proof::Nothing }
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self, now: Duration) -> Option<HeaderValue> {
        match &self.proof {
            Proof::Password(header) => Some(header.clone()),
            Proof::Token { header, until } if now < *until => Some(header.clone()),
            Proof::Nothing | Proof::Token { .. } => None,
        }
    }

    /// The user, for errors.
    pub(super) fn user(&self) -> Option<String> {
        let login = self.login.as_ref()?;
        Some(login.user().map_or_else(|| "the identity token".to_owned(), |user| format!("'{user}'")))
    }

    /// The registry refused (401). A request that is refused again, with a fresh proof, is given up.
    pub(super) fn challenged(&mut self, refusal: Refusal, here: &Url, again: bool) -> Result<Step, Reason> {
        let Refusal { headers, said } = refusal;
        let challenges: Vec<_> = headers.iter().flat_map(|header| Challenge::read(header)).collect();
        if again || matches!(self.proof, Proof::Password(_)) {
            return Err(self.refused(401, said));
        }
        if let Some(bearer) = challenges.iter().find(|challenge| challenge.is("bearer")) {
            return self.token_request(bearer, here).map(Step::Token);
        }
        match (challenges.iter().any(|challenge| challenge.is("basic")), &self.login) {
            (true, Some(Login::Password { user, password })) => {
                self.proof = Proof::Password(basic(user, password));
                Ok(Step::Again)
            }
            (true, _) => Err(self.refused(401, said)),
            (false, _) => Err(Reason::Challenge(short(headers.first().map_or("", String::as_str)))),
        }
    }

    /// The error of a registry that does not let us have it.
    pub(super) fn refused(&self, status: u16, said: String) -> Reason {
        match self.user() {
            Some(user) => Reason::Refused { user, status, said },
            None => Reason::NoCredentials { said },
        }
    }

    /// The token server has answered.
    pub(super) fn granted(&mut self, reply: &[u8], now: Duration) -> Result<(), Reason> {
        let reply: TokenReply = serde_json::from_slice(reply).map_err(|_| Reason::NoToken)?;
        let token = reply.token.or(reply.access_token).filter(|token| !token.is_empty()).ok_or(Reason::NoToken)?;
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Reason::NoToken)?;
        header.set_sensitive(true);
        let life = reply.expires_in.map_or(TOKEN_LIFE, Duration::from_secs);
        self.proof = Proof::Token { header, until: now.saturating_add(life - life / LAST_PART) };
        Ok(())
    }

    fn token_request(&self, bearer: &Challenge, here: &Url) -> Result<TokenRequest, Reason> {
        let realm = bearer.parameter("realm").ok_or_else(|| Reason::Challenge("Bearer without a realm".to_owned()))?;
        let url = Url::absolute(realm)?;
        if here.scheme == Scheme::Https && url.scheme == Scheme::Http {
            return Err(Reason::Redirect { to: short(realm), why: "where a token would not be safe" });
        }
        let usual = format!("repository:{}:pull", self.repository);
        let mut form = String::new();
        for (name, value) in [("service", bearer.parameter("service")), ("scope", bearer.parameter("scope"))] {
            let value = if name == "scope" { value.or(Some(&usual)) } else { value };
            value.into_iter().for_each(|value| field(&mut form, name, value));
        }
        Ok(TokenRequest { url, login: self.login.clone(), form })
    }
}

impl TokenRequest {
    /// A GET with the password, or a POST with the identity token. Its target is the URL's path.
    pub(super) fn request(&self) -> Result<Request<Full<Bytes>>, Reason> {
        let mut form = self.form.clone();
        let request = Request::builder();
        let request = match &self.login {
            Some(Login::IdentityToken(token)) => {
                for (name, value) in
                    [("client_id", "cygnet"), ("grant_type", "refresh_token"), ("refresh_token", token.as_str())]
                {
                    field(&mut form, name, value);
                }
                let request = request.method(Method::POST).uri(&self.url.path);
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::from(form))
            }
            login => {
                let mut request = request.method(Method::GET);
                if let Some(Login::Password { user, password }) = login {
                    field(&mut form, "account", user);
                    request = request.header(AUTHORIZATION, basic(user, password));
                }
                let separator = if self.url.path.contains('?') { '&' } else { '?' };
                request.uri(format!("{}{separator}{form}", self.url.path)).body(Full::default())
            }
        };
        request.map_err(|_| Reason::Challenge(short(&self.url.path)))
    }
}

fn basic(user: &str, password: &str) -> HeaderValue {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut header = HeaderValue::try_from(format!("Basic {encoded}")).expect("base64 may stand in a header");
    header.set_sensitive(true);
    header
}

fn field(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    for byte in value.bytes() {
        let _never_fails = match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => write!(form, "{}", char::from(byte)),
            byte => write!(form, "%{byte:02X}"),
        };
    }
}

/// As much of somebody's text as an error repeats.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEARER: &str = r#"Bearer realm="https://auth.a.b/token?x=y",service="a b",scope="repository:c/d:pull""#;

    fn here() -> Url {
        Url::absolute("https://a.b/v2/c/d/manifests/latest").unwrap()
    }

    fn access(login: Option<Login>) -> Access {
        Access::new(login, "c/d")
    }

    fn me() -> Option<Login> {
        Some(Login::Password { user: "me".to_owned(), password: "sesame".to_owned() })
    }

    fn refusal(header: &str) -> Refusal {
        Refusal { headers: vec![header.to_owned()], said: "no".to_owned() }
    }

    fn token(access: &mut Access, header: &str) -> Request<Full<Bytes>> {
        match access.challenged(refusal(header), &here(), false).unwrap() {
            Step::Token(request) => request.request().unwrap(),
            Step::Again => panic!("a token is wanted"),
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_asked_for_as_the_challenge_says() {
        let request = token(&mut access(None), BEARER);
        let fields = "service=a%20b&scope=repository%3Ac%2Fd%3Apull";
        assert_eq!((request.method(), request.headers().len()), (&Method::GET, 0));
        assert_eq!(request.uri().to_string(), format!("/token?x=y&{fields}"));
        let request = token(&mut access(me()), BEARER);
        assert_eq!(request.headers()[AUTHORIZATION], "Basic bWU6c2VzYW1l");
        assert_eq!(request.uri().to_string(), format!("/token?x=y&{fields}&account=me"));
        let request = token(&mut access(Some(Login::IdentityToken("t".to_owned()))), BEARER);
        assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, "/token?x=y"));
        let request = token(&mut access(None), "Bearer realm=\"https://x\"");
        assert_eq!(request.uri().to_string(), "/?scope=repository%3Ac%2Fd%3Apull");
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let mut access = access(None);
        assert_eq!(access.authorization(seconds(0)), None);
        for (reply, life) in [
            (r#"{"token": "t", "expires_in": 300}"#, 270),
            (r#"{"access_token": "t"}"#, 54),
            (r#"{"token": "t", "access_token": "u"}"#, 54),
        ] {
            access.granted(reply.as_bytes(), seconds(1000)).unwrap();
            assert_eq!(access.authorization(seconds(1000 + life - 1)).unwrap(), "Bearer t", "{reply}");
            assert_eq!(access.authorization(seconds(1000 + life)), None, "{reply}");
        }
        for reply in ["", "{}", r#"{"token": ""}"#, r#"{"token": "a\nb"}"#, r#"{"token": 1}"#] {
            assert!(matches!(access.granted(reply.as_bytes(), seconds(0)), Err(Reason::NoToken)), "{reply}");
        }
        access.granted(format!(r#"{{"token": "t", "expires_in": {}}}"#, u64::MAX).as_bytes(), seconds(1)).unwrap();
        assert!(access.authorization(seconds(1 << 40)).is_some());
    }

    #[test]
    fn a_password_is_sent_once_and_a_token_renewed_once() {
        let mut access = access(me());
        assert!(matches!(access.challenged(refusal("Basic realm=x"), &here(), false), Ok(Step::Again)));
        assert_eq!(access.authorization(seconds(0)).unwrap(), "Basic bWU6c2VzYW1l");
        let refused = access.challenged(refusal("Basic realm=x"), &here(), false).unwrap_err().to_string();
        assert!(refused.starts_with("it refuses the credentials of 'me' (401), saying 'no'"), "{refused}");
        access.granted(br#"{"token": "t"}"#, seconds(0)).unwrap();
        assert!(matches!(access.challenged(refusal(BEARER), &here(), false), Ok(Step::Token(_))));
        assert!(matches!(access.challenged(refusal(BEARER), &here(), true), Err(Reason::Refused { .. })));
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        for (login, header, why) in [
            (None, "Basic realm=x", "there are none for it, saying 'no'"),
            (
                Some(Login::IdentityToken("t".to_owned())),
                "Basic realm=x",
                "the credentials of the identity token (401)",
            ),
            (me(), "Negotiate", "a way that is not supported: 'Negotiate'"),
            (me(), "", "a way that is not supported: ''"),
            (me(), "Bearer x=y", "Bearer without a realm"),
            (me(), "Bearer realm=\"/token\"", "is no URL"),
            (me(), "Bearer realm=\"ftp://x\"", "neither http nor https"),
            (me(), "Bearer realm=\"http://x\"", "where a token would not be safe"),
        ] {
            let error = access(login).challenged(refusal(header), &here(), false).unwrap_err().to_string();
            assert!(error.contains(why), "{header}: {error}");
        }
    }
}
