//! Durations in few bits, as floating-point numbers are. In: a duration. Out: one that is near. Pure.
//!
//! Five bits are a power of two, the others the digits that follow its first. What fits into the digits is exact, the rest
//! is rounded: of `DIGITS` bits to a `2 * 2^DIGITS`th.

use std::time::Duration;

/// A duration in units of so many microseconds. Longer ones are in order longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rough<const DIGITS: u32, const UNIT: u64>(u16);

const POWERS: u32 = 5;

impl<const DIGITS: u32, const UNIT: u64> Rough<DIGITS, UNIT> {
    const LAST: u64 = (1 << (POWERS + DIGITS)) - 1;

    /// The longest there is stands for all that are longer.
    pub(super) fn of(duration: Duration) -> Rough<DIGITS, UNIT> {
        let units = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(1 << 56) / UNIT;
        let dropped = (u64::BITS - units.leading_zeros()).saturating_sub(DIGITS + 1);
        let digits = (units + (1 << dropped >> 1)) >> dropped;
        // The first digit carries into the power.
        let bits = (u64::from(dropped) << DIGITS) + digits;
        Rough::of_bits(bits)
    }

    pub(super) fn duration(self) -> Duration {
        let (power, digits) = (self.0 >> DIGITS, u64::from(self.0) & ((1 << DIGITS) - 1));
        let units = match power {
            0 => digits,
            power => (1 << DIGITS | digits) << (power - 1),
        };
        Duration::from_micros(units * UNIT)
    }

    pub(super) fn of_bits(bits: u64) -> Rough<DIGITS, UNIT> {
        Rough(u16::try_from(bits.min(Self::LAST)).unwrap_or(u16::MAX))
    }

    pub(super) fn bits(self) -> u64 {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept<const DIGITS: u32, const UNIT: u64>(duration: Duration) -> Duration {
        let rough = Rough::<DIGITS, UNIT>::of(duration);
        assert_eq!(Rough::of_bits(rough.bits()), rough);
        rough.duration()
    }

    #[test]
    fn what_is_short_is_exact_and_what_is_too_long_is_the_longest() {
        for micros in (0..=1024).chain([1026, 1 << 20, 1 << 39]) {
            assert_eq!(kept::<9, 1>(Duration::from_micros(micros)), Duration::from_micros(micros));
        }
        assert_eq!(kept::<9, 1>(Duration::MAX), Duration::from_micros(1023 << 30));
        assert_eq!(kept::<7, 64>(Duration::MAX), Duration::from_micros((255 * 64) << 30));
        assert_eq!(kept::<9, 1>(Duration::from_micros(2047)), Duration::from_micros(2048), "the digits carry");
        assert_eq!(kept::<7, 64>(Duration::from_nanos(1)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn the_rest_is_rounded(micros in 0_u64..1_000_000_000_000, more in 0_u64..1_000_000) {
            let duration = Duration::from_micros(micros);
            let off = kept::<9, 1>(duration).abs_diff(duration).as_secs_f64();
            prop_assert!(off <= duration.as_secs_f64() / 1024.0, "{duration:?} is {off} off");
            let off = kept::<7, 64>(duration).abs_diff(duration).as_secs_f64();
            prop_assert!(off <= duration.as_secs_f64() / 256.0 + 64e-6, "{duration:?} is {off} off");
            let longer = duration + Duration::from_micros(more);
            prop_assert!(Rough::<9, 1>::of(duration) <= Rough::of(longer));
        }
    }
}
