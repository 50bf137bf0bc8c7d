//! The ways: of each its name, what is done in words and as a definition, what is done besides, and the sign by which one
//! knows that it shows.

use serde_json::Value;

use crate::acts::{canary, cancels, nothing, outlives, pauses, starves, vanishes};
use crate::definitions::{
    braked, checked, crashes, glutton, lost_later, missing_binary, missing_user, nowhere, port_taken, shop, silent,
    sleeps, slow_start, stranger, too_big, unavailable, wrong_port,
};
use crate::peers::Peers;
use crate::signs::{
    Seen, as_before, canary_waits, crashed, forgiven, had_no_memory, held, lost, not_checked, unchecked, unhealthy,
    waits, waits_for,
};
use crate::stage::Stage;

/// The cluster that a way happens in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// `cygnet dev`, with all others.
    Near,
    /// An agent of its own.
    Alone,
    /// An agent of its own whose clock is an hour ahead.
    Ahead,
}

/// A way not to be well.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) done: &'static str,
    pub(crate) place: Where,
    /// Of the app that is looked at, or of its group.
    pub(crate) id: &'static str,
    /// True if it is about a deployment.
    pub(crate) is_change: bool,
    /// The fields of the app beside its id, or of the group.
    pub(crate) definition: fn(&Peers) -> Value,
    /// Done once all apps are there.
    pub(crate) act: fn(&Stage, &Way),
    pub(crate) sign: fn(&Seen) -> bool,
    /// Done once it has been looked at.
    pub(crate) after: fn(&Stage, &Way),
}

/// One that is an app in the cluster of most, and nothing else.
const fn way(
    name: &'static str,
    id: &'static str,
    done: &'static str,
    definition: fn(&Peers) -> Value,
    sign: fn(&Seen) -> bool,
) -> Way {
    Way { name, done, place: Where::Near, id, is_change: false, definition, act: nothing, sign, after: nothing }
}

pub(crate) const WAYS: [Way; 20] = [
    way(
        "wrong port",
        "/wrong-port",
        "The server listens on another port than the one that is checked.",
        wrong_port,
        forgiven,
    ),
    way(
        "slow start",
        "/slow-start",
        "The server needs ten minutes to come up, which is within its grace period.",
        slow_start,
        forgiven,
    ),
    way(
        "503",
        "/unavailable",
        "The server answers 503. A thousand failures in a row are borne.",
        unavailable,
        unhealthy,
    ),
    way("crash at once", "/crashes", "The command says why, and ends.", crashes, crashed),
    way("missing binary", "/missing-binary", "There is no such program.", missing_binary, crashed),
    way("missing user", "/missing-user", "The machine has no such user.", missing_user, crashed),
    way(
        "port taken",
        "/port-taken",
        "The server wants a port that somebody else on the machine has.",
        port_taken,
        crashed,
    ),
    way("too big", "/too-big", "No agent has that much memory.", too_big, waits),
    way("constraint nobody meets", "/nowhere", "No agent has that name.", nowhere, waits),
    way(
        "held by the brake",
        "/held",
        "Both instances are unhealthy. One was killed for it, and not more than one may be within an hour.",
        braked,
        held,
    ),
    Way {
        act: pauses,
        ..way(
            "paused",
            "/paused",
            "The server answers 503, and somebody has paused its checks.",
            unavailable,
            not_checked,
        )
    },
    Way {
        place: Where::Alone,
        act: vanishes,
        ..way("unreachable agent", "/lost", "The agent is killed with `kill -9`.", lost_later, lost)
    },
    way("out of memory", "/glutton", "The task takes more memory than it asked for.", glutton, had_no_memory),
    way("check that times out", "/silent", "The server takes connections and never answers.", silent, unhealthy),
    way(
        "wrong certificate",
        "/stranger",
        "The server has a certificate of its own making, and the check verifies it.",
        stranger,
        unhealthy,
    ),
    Way {
        is_change: true,
        ..way(
            "dependency of a group",
            "/shop",
            "The web server of a group depends on a database that no agent has the memory for.",
            shop,
            waits_for,
        )
    },
    Way {
        is_change: true,
        act: canary,
        ..way(
            "canary waiting",
            "/canary",
            "An app with two instances is changed with `?canary=1`, and the canary is up.",
            sleeps,
            canary_waits,
        )
    },
    Way {
        is_change: true,
        act: cancels,
        ..way(
            "cancelled deployment",
            "/cancelled",
            "An app with two instances is changed to have a check that fails, and the deployment is cancelled with `?force=true`. What ran before runs on, without the check; what was sent stays the app's definition.",
            sleeps,
            as_before,
        )
    },
    Way {
        place: Where::Ahead,
        ..way(
            "clock of another machine",
            "/ahead",
            "The server answers 503, on an agent whose clock is an hour ahead.",
            unavailable,
            unhealthy,
        )
    },
    Way {
        place: Where::Alone,
        act: starves,
        after: outlives,
        ..way(
            "checker starved",
            "/starved",
            "The executor is stopped for some seconds (`kill -STOP`), so that nobody checks. What was found last stands, and whoever looks is told that it is old; the task is not blamed, and nothing is killed once the executor goes on.",
            checked,
            unchecked,
        )
    },
];
