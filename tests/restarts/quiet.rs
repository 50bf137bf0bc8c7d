//! The rows that need no line in the log, each kind with its reason. Nothing else is forgiven them.

use crate::damage::Damage;
use crate::place::Place;

/// The end of a place's name, the damages, and the reason.
const REASONS: &[(&str, &[Damage], &str)] = &[
    ("/endpoint", &Damage::ALL, "written anew at every start, before anybody reads it"),
    ("agent/fetch/*", &Damage::ALL, "a cache, which is empty after every start"),
    ("/pools/*.log", &Damage::ALL, "a log: nothing is read from it"),
    (
        "/docker/images/*",
        &[Damage::Absent],
        "an image without a name is one that was never brought: it is brought again",
    ),
    ("/docker/configs/*", &[Damage::Absent], "an image without a configuration is brought again"),
    (".seen", &Damage::ALL, "tells only what is missing from the store beside it, and nothing is"),
];

/// Why this needs no line in the log, if it does not.
pub(crate) fn reason(place: &Place, damage: Damage) -> Option<&'static str> {
    if damage == Damage::Older && !place.kind().ends_with(".redb") {
        return Some("a whole file that was true once; only stores count their changes");
    }
    let found = REASONS.iter().find(|(ending, damages, _)| place.kind().ends_with(ending) && damages.contains(&damage));
    found.map(|(_, _, reason)| *reason)
}
