//! How checks of apps and of pods are made where a definition does not say: Marathon's defaults.

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

/// How many failures in a row kill an instance.
pub(crate) fn failures() -> u32 {
    3
}
