//! The kernel's interpreter of filters, for tests.

use processes::{Filter, Instruction};

/// The answer of a filter to a call of this number with these arguments.
pub(super) fn run(filter: &Filter, audit: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let data = |place: u32| match place {
        0 => number,
        4 => audit,
        place => {
            let argument = arguments[usize::try_from((place - 16) / 8).unwrap()];
            if place % 8 == 0 { argument as u32 } else { (argument >> 32) as u32 }
        }
    };
    let (mut word, mut next) = (0, 0);
    loop {
        let Instruction { code, jump_true, jump_false, value } = filter.instructions()[next];
        let jump = |condition: bool| usize::from(if condition { jump_true } else { jump_false });
        next += 1;
        match code {
            0x20 => word = data(value),
            0x54 => word &= value,
            0x05 => next += usize::try_from(value).unwrap(),
            0x15 => next += jump(word == value),
            0x25 => next += jump(word > value),
            0x35 => next += jump(word >= value),
            0x06 => return value,
            other => panic!("no instruction {other:#x}"),
        }
    }
}
