//! The use that is made of an agent, in words: the same for whoever shows it. In: what the master tells, and how far its drain
//! is. Out: a kind for programs, a text for people. Pure.

use crate::known_agent::KnownAgent;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    InUse,
    Away,
    Deactivated,
    /// Its instances leave it by themselves.
    Moving,
    /// The master did not want to drain it.
    Refused,
    Draining,
    Drained,
}

impl Standing {
    /// `drain` is the state of its drain, if there is one.
    pub(super) fn of(agent: &KnownAgent, drain: Option<&str>) -> Standing {
        match drain {
            Some("MOVING") => Standing::Moving,
            Some("REFUSED") => Standing::Refused,
            Some("DRAINED") => Standing::Drained,
            Some(_) => Standing::Draining,
            // Masters call what is deactivated not active, too.
            None if agent.deactivated => Standing::Deactivated,
            None if agent.active => Standing::InUse,
            None => Standing::Away,
        }
    }

    pub(super) fn kind(self) -> &'static str {
        self.words().0
    }

    pub(super) fn text(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Standing::InUse => ("inUse", "in use"),
            Standing::Away => ("away", "away"),
            Standing::Deactivated => ("deactivated", "deactivated"),
            Standing::Moving => ("moving", "instances move away"),
            Standing::Refused => ("refused", "the master refuses to drain it"),
            Standing::Draining => ("draining", "being drained"),
            Standing::Drained => ("drained", "drained"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_drain_says_more_than_what_the_master_makes_of_the_agent() {
        let of = |active: bool, deactivated: bool, drain: Option<&str>| {
            let told = json!({"id": "S", "hostname": "box", "active": active, "deactivated": deactivated,
                "registered_time": 1.5, "resources": {}, "used_resources": {}, "offered_resources": {}});
            Standing::of(&serde_json::from_value(told).unwrap(), drain).kind()
        };
        assert_eq!((of(true, false, None), of(false, false, None)), ("inUse", "away"));
        assert_eq!((of(false, true, None), of(true, true, None)), ("deactivated", "deactivated"));
        for (state, kind) in
            [("MOVING", "moving"), ("REFUSED", "refused"), ("DRAINING", "draining"), ("DRAINED", "drained")]
        {
            assert_eq!(of(false, true, Some(state)), kind);
        }
    }
}
