//! Signals by the names that images have for them.

/// The number of a signal by its name, with or without `SIG`, or by its number.
pub(crate) fn signal(text: &str) -> Option<i32> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];
    const FIRST_REALTIME: i32 = 34;
    const LAST_REALTIME: i32 = 64;
    if let Ok(number) = text.parse() {
        return (1..=LAST_REALTIME).contains(&number).then_some(number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    let realtime = |offset: &str, from: i32| from.checked_add(offset.parse().ok()?).filter(|it| *it <= LAST_REALTIME);
    match name.strip_prefix("RTMIN") {
        Some("") => Some(FIRST_REALTIME),
        Some(offset) => realtime(offset, FIRST_REALTIME).filter(|it| *it >= FIRST_REALTIME),
        None => NAMES.iter().position(|known| *known == name).and_then(|index| i32::try_from(index + 1).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, number) in [
            ("SIGTERM", Some(15)),
            ("TERM", Some(15)),
            ("9", Some(9)),
            ("SIGRTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
        ] {
            assert_eq!(signal(text), number, "{text}");
        }
        for nonsense in ["", "SIG", "0", "65", "-1", "SIGRTMIN+40", "SIGRTMIN-9", "RTMINx"] {
            assert_eq!(signal(nonsense), None, "{nonsense}");
        }
    }
}
