//! Marathon's defaults for checks of apps and of pods, where a definition does not say.

use super::seconds::Seconds;

/// For how long failures do not count before the first success.
pub(crate) fn grace() -> Seconds {
    Seconds::whole(300)
}

pub(crate) fn interval() -> Seconds {
    Seconds::whole(60)
}

pub(crate) fn timeout() -> Seconds {
    Seconds::whole(20)
}

pub(crate) fn delay() -> Seconds {
    Seconds::whole(15)
}

pub(crate) fn failures() -> u32 {
    3
}
