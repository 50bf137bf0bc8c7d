//! `/v2/overview`: totals, and what is not well. Not one of Marathon's.

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;

use super::Api;
use super::answer::{Answer, Query, Rejected, shown};
use crate::ids::AppId;
use crate::view::{Page, Place};

/// The entries of a page, if nobody says how many, and the most there may be.
const USUAL: usize = 50;
const MOST: usize = 1000;

/// `?group=` has it about the apps in a group, `?limit=` and `?after=` page by page. With `?embed=checkers` agents are waited for
/// who are asked whether checks are made.
pub(super) async fn show(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let limit = query.get("limit").map_or(Ok(USUAL), str::parse);
    let limit = limit.map_err(|_| Rejected::new(400, "limit must be a number of entries"))?.min(MOST);
    let malformed = || Rejected::new(400, "after must be the 'next' of the page before");
    let after = query.get("after").map(|text| Place::parse(text).ok_or_else(malformed)).transpose()?;
    api.looked(query.all("embed").any(|name| name == "checkers")).await;
    let group = query.get("group").map_or_else(AppId::root, AppId::new);
    shown(&api.ask(move |view, now| view.overview(&Page { group, limit, after }, now)).await??)
}
