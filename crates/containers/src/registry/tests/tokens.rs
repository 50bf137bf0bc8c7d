//! Registries that let another server say who may pull, and hosts that they send us to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::scripted::{Asked, Part, Scripted, answer, good};
use super::*;

fn config(registry: &Scripted, auth: serde_json::Value) -> Registries {
    let config = json!({"auths": {&registry.address: auth}}).to_string();
    Registries { config: DockerConfig::parse(config.as_bytes()).unwrap(), ..once() }
}

fn password() -> serde_json::Value {
    json!({"auth": STANDARD.encode("me:sesame")})
}

fn authorization(asked: &Asked) -> Option<&str> {
    asked.headers.get("authorization").map(String::as_str)
}

/// A token server that gives `t1`, `t2` and so on, each for so many seconds.
async fn token_server(seconds: u64) -> Scripted {
    Scripted::start(move |asked| {
        let token = json!({"token": format!("t{}", asked.before + 1), "expires_in": seconds});
        answer(200, &["content-type: application/json"], token.to_string().as_bytes())
    })
    .await
}

/// A registry that takes these tokens only.
async fn registry(
    server: &Scripted,
    image: &Sample,
    takes: impl Fn(&Asked) -> bool + Send + Sync + 'static,
) -> Scripted {
    let (image, realm) = (image.clone(), format!("http://{}/token?a=b", server.address));
    let challenge = format!(r#"www-authenticate: Bearer realm="{realm}",service="here",scope="repository:a/b:pull""#);
    Scripted::start(move |asked| if takes(asked) { good(&image, asked) } else { refusal(&challenge) }).await
}

fn refusal(challenge: &str) -> Vec<Part> {
    answer(401, &[challenge], br#"{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}"#)
}

#[tokio::test]
async fn one_token_is_enough_for_a_pull() {
    let sample = Sample::new(&[10, 20, 30]);
    for login in [None, Some(password()), Some(json!({"identitytoken": "i d"}))] {
        let mut server = token_server(300).await;
        let mut registry = registry(&server, &sample, |asked| authorization(asked) == Some("Bearer t1")).await;
        let registries = login.clone().map_or_else(once, |login| config(&registry, login));
        assert_eq!(pull(&registries, &registry.image(), None).await.unwrap(), sample);
        assert_eq!(registry.asked().len(), 6, "the first one twice");
        let asked = server.asked();
        let form = "service=here&scope=repository%3Aa%2Fb%3Apull";
        let (line, proof, body) = match &login {
            None => (format!("GET /token?a=b&{form}"), None, String::new()),
            Some(login) if login.get("auth").is_some() => {
                (format!("GET /token?a=b&{form}&account=me"), Some("Basic bWU6c2VzYW1l"), String::new())
            }
            Some(_) => {
                let form = format!("{form}&client_id=cygnet&grant_type=refresh_token&refresh_token=i%20d");
                ("POST /token?a=b".to_owned(), None, form)
            }
        };
        assert_eq!((asked.len(), asked[0].line.as_str(), authorization(&asked[0])), (1, line.as_str(), proof));
        assert_eq!(asked[0].body, body);
    }
}

#[tokio::test]
async fn a_token_that_ends_early_or_is_taken_back_is_renewed_once() {
    let sample = Sample::new(&[10, 20]);
    // Without a life it is never used twice.
    let mut server = token_server(0).await;
    let mut never = registry(&server, &sample, |asked| authorization(asked).is_some()).await;
    let error = failed(&once(), &never.image()).await;
    assert!(error.contains("it wants credentials"), "a token that has ended is not sent: {error}");
    assert_eq!((server.asked().len(), never.asked().len()), (1, 2));
    let mut server = token_server(300).await;
    let takes = |asked: &Asked| match authorization(asked) {
        Some("Bearer t1") => asked.line.contains("/manifests/"),
        Some("Bearer t2") => true,
        _ => false,
    };
    let registry = registry(&server, &sample, takes).await;
    assert_eq!(pull(&once(), &registry.image(), None).await.unwrap(), sample);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_registry_that_is_never_content_is_given_up() {
    let sample = Sample::new(&[10]);
    let mut server = token_server(300).await;
    let mut registry = registry(&server, &sample, |_| false).await;
    let error = failed(&again(), &registry.image()).await;
    assert!(error.contains("there are none for it, saying 'authentication required'"), "{error}");
    assert_eq!((server.asked().len(), registry.asked().len()), (1, 2));
    let registries = config(&registry, password());
    let error = failed(&registries, &registry.image()).await;
    assert!(error.contains("the credentials of 'me' (401), saying 'authentication required'"), "{error}");
    let mut basic = Scripted::start(|_| refusal("www-authenticate: Basic realm=x")).await;
    let error = failed(&config(&basic, password()), &basic.image()).await;
    assert!(error.contains("the credentials of 'me' (401)"), "{error}");
    assert_eq!(basic.asked().len(), 2);
}

#[tokio::test]
async fn a_token_server_that_fails_is_named() {
    for (parts, why) in [
        (answer(401, &[], b""), "it wants credentials, and there are none for it"),
        (answer(404, &[], b"no"), "it answered 404, saying 'no'"),
        (answer(500, &[], b"no"), "it failed (500), saying 'no'"),
        (answer(200, &[], b"{}"), "its answer has no token that could be sent"),
        (answer(302, &["location: /x"], b""), "it answered 302"),
        (
            vec![super::scripted::head(200, &[]), Part::Flood(vec![b' '; 1000])],
            "it sent a document of more than 262144 bytes",
        ),
    ] {
        let server = Scripted::start(move |_| parts.clone()).await;
        let registry = registry(&server, &Sample::new(&[10]), |_| false).await;
        let error = failed(&once(), &registry.image()).await;
        assert!(error.contains(&format!("no token from {}: {why}", server.address)), "{error}");
    }
}

#[tokio::test]
async fn a_host_that_we_are_sent_to_learns_no_secret() {
    let sample = Sample::new(&[10]);
    let image = sample.clone();
    let mut elsewhere = Scripted::start(move |asked| {
        let home = asked.headers.get("host").unwrap();
        let blob = asked.line.trim_start_matches(&format!("GET /{home}/")).to_owned();
        good(&image, &Asked { line: format!("GET /v2/a/b/blobs/{blob}"), ..asked.clone() })
    })
    .await;
    let (image, there) = (sample.clone(), elsewhere.address.clone());
    let script = move |asked: &Asked| match (authorization(asked), asked.line.rsplit_once("/blobs/")) {
        (None, _) => refusal("www-authenticate: Basic realm=x"),
        (Some(_), Some((_, blob))) => answer(307, &[&format!("location: http://{there}/{there}/{blob}")], b""),
        (Some(_), None) => good(&image, asked),
    };
    let mut registry = Scripted::start(script).await;
    let registries = config(&registry, password());
    assert_eq!(pull(&registries, &registry.image(), None).await.unwrap(), sample);
    assert!(registry.asked().iter().skip(1).all(|asked| authorization(asked).is_some()));
    let asked = elsewhere.asked();
    assert!(asked.len() == 2 && asked.iter().all(|asked| authorization(asked).is_none()), "{asked:?}");
    // It may ask for them, and is refused.
    let greedy = Scripted::start(|_| refusal("www-authenticate: Basic realm=x")).await;
    let to = format!("location: http://{}/", greedy.address);
    let registry = Scripted::start(move |_| answer(307, &[&to], b"")).await;
    let error = failed(&config(&registry, password()), &registry.image()).await;
    assert!(error.contains("it failed (401), saying 'authentication required'"), "{error}");
}
