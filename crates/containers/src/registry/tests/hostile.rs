//! Registries that are broken, slow, or mean ill.

use harness::patience::soon;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::scripted::{Asked, Part, Scripted, answer, good, head};
use super::*;
use crate::image::Digest;

const FAST: Duration = Duration::from_millis(100);

fn is_manifest(asked: &Asked) -> bool {
    asked.line.contains("/manifests/")
}

fn is_layer(image: &Sample, asked: &Asked) -> bool {
    asked.line.ends_with(&Digest::of(&image.layers[0]).to_string())
}

/// A registry that behaves until the layer is asked for.
async fn bad_layer(image: &Sample, script: impl Fn(&Asked) -> Vec<Part> + Send + Sync + 'static) -> Scripted {
    let image = image.clone();
    Scripted::start(move |asked| if is_layer(&image, asked) { script(asked) } else { good(&image, asked) }).await
}

#[tokio::test]
async fn a_registry_that_answers_nonsense_is_named_with_what_it_did() {
    let flood = |line: &str| vec![head(200, &[]), Part::Flood(line.as_bytes().to_vec())];
    let errors = br#"{"errors": [{"code": "DENIED", "message": "not\u0000 you"}]}"#;
    for (parts, why) in [
        (answer(404, &[], errors), "there is no such image, saying 'not you': correct its name"),
        (answer(403, &[], errors), "it wants credentials, and there are none for it, saying 'not you'"),
        (answer(401, &[], errors), "in a way that is not supported: ''"),
        (answer(401, &["www-authenticate: Negotiate"], b""), "in a way that is not supported: 'Negotiate'"),
        (answer(418, &[], b"a\nb"), "it answered 418, saying 'ab'; is this the address of a registry?"),
        (answer(502, &[], b"<html>"), "it failed (502), saying '<html>': look at its log"),
        (answer(429, &["retry-after: 30"], b""), "(429) and wants to be left alone for 30s; with credentials"),
        (answer(200, &["content-type: text/html"], b"{}"), "manifests of the kind 'text/html' are not supported"),
        (answer(200, &["content-type: text/html"], b"<html>"), "the manifest cannot be read"),
        (answer(200, &[&format!("docker-content-digest: {}", Digest::of(b""))], b"{}"), "was asked for, but sha256:44"),
        (answer(302, &["location: /v2/again"], b""), "it sent us on more than 20 times"),
        (answer(302, &["location: http://[/"], b""), "it sends us to 'http://[/', which is no place"),
        (answer(302, &[], b""), "it sends us to '', which is no place"),
        (answer(302, &["location: ftp://h/"], b""), "it sends us to 'ftp://h/', which is no place"),
        (flood("12345678"), "it sent a document of more than 4194304 bytes"),
        (vec![head(200, &["content-length: 99999999999"])], "it sent a document of more than 4194304 bytes"),
        (vec![head(200, &["content-length: 1", "content-length: 2"])], "broke"),
        (vec![Part::Flood(b"x".to_vec())], "broke"),
        (vec![Part::Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())], "broke"),
        (vec![Part::Send(b"HTTP/1.1 200 X\r\n".to_vec()), Part::Flood(b"a: b\r\n".to_vec())], "broke"),
        (vec![head(200, &["content-length: 100"]), Part::Send(b"{}".to_vec())], "broke"),
        (vec![], "broke"),
    ] {
        let told = format!("{parts:?}");
        let registry = Scripted::start(move |_| parts.clone()).await;
        let error = failed(&once(), &registry.image()).await;
        let named = format!("cannot pull 'a/b:latest' from {}: ", registry.address);
        assert!(error.starts_with(&named) && error.contains(why), "{told}: {error}");
    }
}

#[tokio::test]
async fn a_configuration_that_is_none_is_refused() {
    for (config, sent, why) in [
        (&b"{}"[..], &b"{ }"[..], "the registry, or something on the way to it, is broken"),
        (b"1", b"1", "the image's configuration cannot be read: invalid type"),
    ] {
        let sample = Sample::with(config, &[10]);
        let sent = sent.to_vec();
        let script =
            move |asked: &Asked| if is_manifest(asked) { good(&sample, asked) } else { answer(200, &[], &sent) };
        let registry = Scripted::start(script).await;
        let error = failed(&once(), &registry.image()).await;
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_layer_that_is_not_what_the_manifest_says_is_refused() {
    let sample = Sample::new(&[1000]);
    let mut other = sample.layers[0].clone();
    other[999] ^= 1;
    let long = [&sample.layers[0][..], b"x"].concat();
    for (parts, why) in [
        (answer(200, &[], &other), "the registry, or something on the way to it, is broken"),
        (answer(200, &[], &long), "has more than the 1000 bytes that the manifest says"),
        (vec![head(200, &[]), Part::Flood(vec![1; 1000])], "has more than the 1000 bytes that the manifest says"),
        (answer(200, &[], &other[..10]), "ended after 10 of 1000 bytes"),
        (answer(200, &[], b""), "ended after 0 of 1000 bytes"),
        (vec![head(200, &["content-length: 1000"]), Part::Send(vec![1; 10])], "broke"),
        (answer(404, &[], b""), "it has no blob sha256:"),
        (answer(206, &["content-range: bytes 5-9/10"], b"x"), "not the range that was asked for"),
        (answer(416, &[], b""), "it answered 416"),
    ] {
        let told = format!("{parts:?}");
        let registry = bad_layer(&sample, move |_| parts.clone()).await;
        let error = failed(&once(), &registry.image()).await;
        assert!(error.contains(why), "{told}: {error}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_begun() {
    let sample = Sample::new(&[1000]);
    let mut registry = Scripted::start(move |asked| good(&sample, asked)).await;
    let registries = Registries { most_bytes: 999, ..once() };
    let error = failed(&registries, &registry.image()).await;
    assert!(error.contains("its layers have 1000 bytes; at most 999 are fetched here"), "{error}");
    assert_eq!(registry.asked().len(), 1);
}

#[tokio::test]
async fn silence_ends_a_pull_wherever_it_sets_in() {
    let sample = Sample::new(&[1000]);
    let half = vec![head(200, &["content-length: 1000"]), Part::Send(vec![1; 500]), Part::Hang];
    let registries = Registries { stall: FAST, ..once() };
    for (at_layer, parts) in [(false, vec![Part::Hang]), (false, half.clone()), (true, vec![Part::Hang]), (true, half)]
    {
        let image = sample.clone();
        let silent =
            move |asked: &Asked| if is_manifest(asked) == at_layer { good(&image, asked) } else { parts.clone() };
        let registry = Scripted::start(silent).await;
        let error = failed(&registries, &registry.image()).await;
        assert!(error.ends_with(&format!("{} said nothing for 100ms", registry.address)), "{error}");
    }
}

/// The time of silence is as long as a busy machine may need for the next byte; the layer takes longer.
#[tokio::test]
async fn a_slow_layer_is_waited_for_and_a_slow_document_is_not() {
    let sample = Sample::new(&[60]);
    let stall = Duration::from_secs(2);
    let layer = sample.layers[0].clone();
    let slow = move |_: &Asked| vec![head(200, &[]), Part::Drip(layer.clone(), stall / 40)];
    let registry = bad_layer(&sample, slow).await;
    assert_eq!(pull(&Registries { stall, ..once() }, &registry.image(), None).await.unwrap(), sample);
    let endless = || vec![head(200, &[]), Part::Drip(vec![b' '; 100_000], FAST / 10)];
    let registry = Scripted::start(move |_| endless()).await;
    let error = failed(&Registries { document: FAST, ..once() }, &registry.image()).await;
    assert!(error.ends_with("did not send a whole document within 100ms"), "{error}");
}

#[tokio::test]
async fn a_layer_that_breaks_off_goes_on_where_it_was() {
    let sample = Sample::new(&[1000]);
    for with_ranges in [true, false] {
        let layer = sample.layers[0].clone();
        let cut = move |asked: &Asked| {
            let first =
                asked.headers.get("range").map(|range| range.trim_matches(|letter: char| !letter.is_ascii_digit()));
            let first = first.map_or(0, |first| first.parse::<usize>().unwrap());
            let from = if with_ranges { first } else { 0 };
            let status = if from > 0 { 206 } else { 200 };
            let range = format!("content-range: bytes {from}-999/1000");
            let length = format!("content-length: {}", 1000 - from);
            let end = (first + 300).min(1000);
            vec![head(status, &[&range, &length]), Part::Send(layer[from..end].to_vec())]
        };
        let mut registry = bad_layer(&sample, cut).await;
        assert_eq!(pull(&again(), &registry.image(), None).await.unwrap(), sample);
        let ranges = registry.asked().into_iter().filter_map(|asked| asked.headers.get("range").cloned());
        assert_eq!(ranges.collect::<Vec<_>>(), ["bytes=300-", "bytes=600-", "bytes=900-"], "{with_ranges}");
    }
}

#[tokio::test]
async fn a_registry_that_comes_back_is_asked_again_and_the_wait_is_told() {
    let sample = Sample::new(&[10]);
    let script = move |asked: &Asked| match asked.before {
        0 => answer(503, &[], b"starting"),
        1 => answer(429, &["retry-after: 0"], b""),
        2 => vec![],
        _ => good(&sample, asked),
    };
    let mut registry = Scripted::start(script).await;
    let (meter, mut progress) = Meter::new();
    let mut repository = again().repository(&registry.image().parse().unwrap(), None, meter).unwrap();
    let told = async {
        let seen = progress.wait_for(|progress| progress.trouble.is_some()).await.unwrap();
        seen.to_string()
    };
    let (described, told) = tokio::join!(repository.describe(), told);
    assert_eq!(described.unwrap().manifest.layers.len(), 1);
    assert!(told.contains("manifest: it failed (503), saying 'starting': look at its log (tried again "), "{told}");
    assert_eq!((registry.asked().len(), progress.borrow().trouble.clone()), (5, None));
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = failed(&once(), &format!("{free}/a")).await;
    assert!(
        error.contains(&format!("'a:latest' from {free}: cannot connect to {free}: Connection refused")),
        "{error}"
    );
    let registries = Registries { insecure: vec!["registry.invalid:5000".to_owned()], ..once() };
    let error = failed(&registries, "registry.invalid:5000/a").await;
    assert!(error.contains("the host registry.invalid is not known: correct the image's name"), "{error}");
    let error = failed(&once(), "localhost:0/a").await;
    assert!(error.contains("there is no port 0"), "{error}");
}

#[tokio::test]
async fn a_file_that_takes_nothing_ends_the_pull() {
    let sample = Sample::new(&[1000]);
    let image = sample.clone();
    let registry = Scripted::start(move |asked| good(&image, asked)).await;
    let mut repository = again().repository(&registry.image().parse().unwrap(), None, Meter::new().0).unwrap();
    let layer = repository.describe().await.unwrap().manifest.layers[0].blob.clone();
    let mut full = std::io::Cursor::new(vec![0; 10].into_boxed_slice());
    let error = repository.fetch(&layer, Beginning::default(), &mut full).await;
    assert!(matches!(error.unwrap_err().reason, Reason::Store(_)));
    let mut beginning = Beginning::default();
    beginning.add(&[1; 2000]);
    let error = repository.fetch(&layer, beginning, &mut Vec::new()).await;
    assert!(matches!(error.unwrap_err().reason, Reason::Digest { .. }), "what is there is not its beginning");
}

#[tokio::test]
async fn a_pull_that_nobody_wants_any_more_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let image = format!("{}/a", listener.local_addr().unwrap()).parse().unwrap();
    let mut repository = once().repository(&image, None, Meter::new().0).unwrap();
    let pull = tokio::spawn(async move { repository.describe().await.map(drop) });
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'G');
    pull.abort();
    soon("the connection to end", stream.read_to_end(&mut Vec::new())).await.unwrap();
}
