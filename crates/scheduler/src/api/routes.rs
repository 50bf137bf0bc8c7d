//! The table of all paths: what answers each of their methods. Out: the router, and the methods by path, which `OPTIONS` and
//! refusals tell.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, any};

use super::methods::Methods;
use super::{
    Api, agents, apps, checks, deployments, groups, history, logs, monitoring, overview, page, pods, stream,
    subscriptions, system, tasks,
};

/// A path, its methods, and what answers them.
struct Route {
    path: &'static str,
    methods: Methods,
    answers: MethodRouter<Api>,
}

impl Route {
    fn at(path: &'static str) -> Route {
        Route { path, methods: Methods::These(Vec::new()), answers: MethodRouter::new() }
    }

    /// All paths that begin so: ids may have slashes in them, and the end of a path says what is meant.
    fn below<T: 'static>(
        path: &'static str,
        answer: impl Handler<T, Api>,
        by_end: fn(&str) -> Vec<&'static str>,
    ) -> Route {
        Route { path, methods: Methods::ByEnd(by_end), answers: any(answer) }
    }

    fn get<T: 'static>(self, answer: impl Handler<T, Api>) -> Route {
        self.on("GET", MethodFilter::GET, answer)
    }

    fn post<T: 'static>(self, answer: impl Handler<T, Api>) -> Route {
        self.on("POST", MethodFilter::POST, answer)
    }

    fn put<T: 'static>(self, answer: impl Handler<T, Api>) -> Route {
        self.on("PUT", MethodFilter::PUT, answer)
    }

    fn patch<T: 'static>(self, answer: impl Handler<T, Api>) -> Route {
        self.on("PATCH", MethodFilter::PATCH, answer)
    }

    fn delete<T: 'static>(self, answer: impl Handler<T, Api>) -> Route {
        self.on("DELETE", MethodFilter::DELETE, answer)
    }

    fn on<T: 'static>(mut self, name: &'static str, method: MethodFilter, answer: impl Handler<T, Api>) -> Route {
        if let Methods::These(methods) = &mut self.methods {
            methods.push(name);
        }
        Route { answers: self.answers.on(method, answer), ..self }
    }
}

/// All paths in a router, and their methods.
pub(super) fn all() -> (Router<Api>, BTreeMap<&'static str, Methods>) {
    let mut methods = BTreeMap::new();
    let router = table().into_iter().fold(Router::new(), |router, route| {
        methods.insert(route.path, route.methods);
        router.route(route.path, route.answers)
    });
    (router, methods)
}

fn table() -> Vec<Route> {
    vec![
        Route::at("/v2/apps").get(apps::list).post(apps::create).put(apps::change_many).patch(apps::change_many),
        Route::below("/v2/apps/{*path}", apps::one, apps::methods),
        Route::below("/v2/groups", groups::root, groups::methods),
        Route::below("/v2/groups/{*path}", groups::one, groups::methods),
        Route::at("/v2/pods").get(pods::all).post(pods::create),
        Route::at("/v2/pods::status").get(pods::statuses),
        Route::below("/v2/pods/{*path}", pods::one, pods::methods),
        Route::at("/v2/tasks").get(tasks::list),
        Route::at("/v2/tasks/delete").post(tasks::kill),
        Route::at("/v2/tasks/{id}/checks").put(checks::change).post(checks::make),
        Route::at("/v2/tasks/{id}/history").get(history::show),
        Route::at("/v2/tasks/{id}/logs").get(logs::show),
        Route::at("/v2/deployments").get(deployments::list),
        Route::at("/v2/deployments/{id}").delete(deployments::cancel),
        Route::at("/v2/deployments/{id}/continue").post(deployments::go_on),
        Route::at("/v2/deployments/{id}/undo").post(deployments::undo),
        Route::at("/v2/queue").get(deployments::queue),
        Route::at("/v2/queue/{*path}").delete(deployments::reset_delay),
        Route::at("/v2/overview").get(overview::show),
        Route::at("/v2/agents").get(agents::list),
        Route::at("/v2/agents/{id}").get(agents::one),
        Route::at("/v2/agents/{id}/drain").post(agents::drain).delete(agents::undrain),
        Route::at("/v2/events").get(stream::listen),
        Route::at("/v2/info").get(system::info),
        Route::at("/v2/leader").get(system::leader).delete(system::abdicate),
        Route::at("/ping").get(system::ping),
        Route::at("/v2/openapi.json").get(system::openapi),
        Route::at("/v2/plugins").get(system::no_plugins),
        Route::at("/").get(page::door),
        Route::at("/ui").get(page::index),
        Route::at("/ui/{*name}").get(page::file),
        Route::at("/v2/eventSubscriptions")
            .get(subscriptions::change)
            .post(subscriptions::change)
            .delete(subscriptions::change),
        Route::at("/metrics").get(system::metrics),
        Route::at("/metrics/prometheus").get(system::prometheus),
        Route::at("/cygnet/v1/metrics").get(monitoring::show),
    ]
}
