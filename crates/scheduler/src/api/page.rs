//! The page for people at `/ui/`, and the way there. In: requests of browsers. Out: embedded files, which browsers keep
//! and ask about, with the policy that lets them load nothing else.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use page::File;

use super::system::not_found;

/// `/`: to the page for who reads pages; there is nothing for others.
pub(super) async fn door(request: Request<Body>) -> Response {
    match request.method() == Method::GET && reads_pages(request.headers()) {
        true => ([(header::VARY, "accept")], Redirect::temporary("/ui/")).into_response(),
        false => not_found().await,
    }
}

fn reads_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| kind.split(';').next().is_some_and(is_page))
}

fn is_page(kind: &str) -> bool {
    kind.trim().eq_ignore_ascii_case("text/html")
}

/// `/ui/`.
pub(super) async fn index(headers: HeaderMap) -> Response {
    named(page::INDEX, &headers).await
}

/// `/ui/{name}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    named(&name, &headers).await
}

async fn named(name: &str, headers: &HeaderMap) -> Response {
    match page::file(name) {
        Some(file) => sent(file, headers),
        None => not_found().await,
    }
}

/// The file, or the news that there are none.
fn sent(file: &File, headers: &HeaderMap) -> Response {
    let tag = file.tag();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|known| [tag.as_str(), "*"].contains(&known.trim()));
    let told = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, told).into_response(),
        false => (told, [(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, accept: &str) -> Request<Body> {
        Request::builder().uri(uri).header(header::ACCEPT, accept).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn browsers_are_sent_to_the_page_and_others_get_what_they_got() {
        let browser = door(asked("/", "text/html,application/xhtml+xml,*/*;q=0.8")).await;
        assert_eq!(browser.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(browser.headers()[header::LOCATION], "/ui/");
        for accept in ["*/*", "application/json"] {
            assert_eq!(door(asked("/", accept)).await.status(), StatusCode::NOT_FOUND);
        }
    }

    #[tokio::test]
    async fn what_a_browser_has_is_not_sent_again() {
        let first = index(HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let again = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        let second = index(again).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        for headers in [first.headers(), second.headers()] {
            assert_eq!(headers[header::CONTENT_SECURITY_POLICY], page::CONTENT_SECURITY_POLICY);
        }
    }

    #[tokio::test]
    async fn nothing_but_the_files_of_the_page_is_there() {
        for name in ["", "nothing.js", "../lib.rs", "vendor", "vendor/"] {
            assert_eq!(file(Path(name.to_owned()), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND);
        }
    }
}
