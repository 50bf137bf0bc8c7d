//! Instructions of classic BPF, and conditions on arguments in them. Arguments have 64 bits, the machine has 32: the
//! upper half is compared first. For little-endian machines, as all of those are whose numbers are known.

use processes::Instruction;

use super::ProfileError;
use super::profile::{Action, Comparison, Condition};

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
pub(super) const RETURN: u16 = 0x06;
pub(super) const GOTO: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_GREATER: u16 = 0x25;
const IF_GREATER_OR_EQUAL: u16 = 0x35;

/// The places in what the kernel shows of a call (`struct seccomp_data`).
pub(super) const NUMBER: u32 = 0;
pub(super) const ARCHITECTURE: u32 = 4;
pub(super) const ARGUMENTS: u32 = 16;

pub(super) fn load(place: u32) -> Instruction {
    Instruction { code: LOAD, jump_true: 0, jump_false: 0, value: place }
}

pub(super) fn give(action: Action) -> Instruction {
    let (kind, data) = match action {
        Action::KillProcess => (0x8000_0000, 0),
        Action::KillThread => (0, 0),
        Action::Trap => (0x0003_0000, 0),
        Action::Errno(errno) => (0x0005_0000, errno),
        Action::Trace(message) => (0x7ff0_0000, message),
        Action::Log => (0x7ffc_0000, 0),
        Action::Allow => (0x7fff_0000, 0),
    };
    Instruction { code: RETURN, jump_true: 0, jump_false: 0, value: kind | u32::from(data) }
}

/// True if this instruction goes on in one of two places.
pub(super) fn is_branch(code: u16) -> bool {
    [IF_EQUAL, IF_GREATER, IF_GREATER_OR_EQUAL].contains(&code)
}

fn jump(code: u16, value: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, value }
}

/// `then` if the loaded word equals this, else what comes after.
pub(super) fn if_equal(value: u32, then: Vec<Instruction>) -> Vec<Instruction> {
    let mut program = match u8::try_from(then.len()) {
        Ok(length) => vec![jump(IF_EQUAL, value, 0, length)],
        Err(_) => vec![jump(IF_EQUAL, value, 1, 0), skip(then.len())],
    };
    program.extend(then);
    program
}

/// `low` if the loaded word is less than this, else `high`.
pub(super) fn if_less(value: u32, low: Vec<Instruction>, high: Vec<Instruction>) -> Vec<Instruction> {
    let mut program = match u8::try_from(low.len()) {
        Ok(length) => vec![jump(IF_GREATER_OR_EQUAL, value, length, 0)],
        Err(_) => vec![jump(IF_GREATER_OR_EQUAL, value, 0, 1), skip(low.len())],
    };
    program.extend(low);
    program.extend(high);
    program
}

fn skip(length: usize) -> Instruction {
    // A program that long is refused as a whole.
    jump(GOTO, u32::try_from(length).unwrap_or(u32::MAX), 0, 0)
}

/// `action` if all conditions hold, else what comes after.
pub(super) fn if_all(conditions: &[Condition], action: Action) -> Result<Vec<Instruction>, ProfileError> {
    let mut program = vec![give(action)];
    for condition in conditions.iter().rev() {
        let rest = u8::try_from(program.len()).map_err(|_| ProfileError::TooManyConditions)?;
        let mut tested = test(condition, rest).ok_or(ProfileError::TooManyConditions)?;
        tested.append(&mut program);
        program = tested;
    }
    Ok(program)
}

/// Goes on if the condition holds, else passes over the `rest`; nothing if that is too far for a jump.
fn test(condition: &Condition, rest: u8) -> Option<Vec<Instruction>> {
    let lower = ARGUMENTS + 8 * u32::from(condition.argument);
    let (low, high) = (load(lower), load(lower + 4));
    let halves = |value: u64| [(value >> 32) as u32, value as u32];
    let [upper_value, lower_value] = halves(condition.value);
    // From an instruction with so many of this condition after it.
    let no = |after: u8| rest.checked_add(after);
    Some(match condition.comparison {
        Comparison::Equal => {
            vec![high, jump(IF_EQUAL, upper_value, 0, no(2)?), low, jump(IF_EQUAL, lower_value, 0, no(0)?)]
        }
        Comparison::NotEqual => {
            vec![high, jump(IF_EQUAL, upper_value, 0, 2), low, jump(IF_EQUAL, lower_value, no(0)?, 0)]
        }
        Comparison::MaskedEqual(mask) => {
            let [upper_mask, lower_mask] = halves(mask);
            vec![
                high,
                jump(AND, upper_mask, 0, 0),
                jump(IF_EQUAL, upper_value, 0, no(3)?),
                low,
                jump(AND, lower_mask, 0, 0),
                jump(IF_EQUAL, lower_value, 0, no(0)?),
            ]
        }
        Comparison::Greater | Comparison::GreaterOrEqual => vec![
            high,
            jump(IF_GREATER, upper_value, 3, 0),
            jump(IF_EQUAL, upper_value, 0, no(2)?),
            low,
            jump(ordering(condition.comparison), lower_value, 0, no(0)?),
        ],
        Comparison::Less | Comparison::LessOrEqual => vec![
            high,
            jump(IF_GREATER, upper_value, no(3)?, 0),
            jump(IF_EQUAL, upper_value, 0, 2),
            low,
            jump(ordering(condition.comparison), lower_value, no(0)?, 0),
        ],
    })
}

/// The question of the lower halves: less is not greater or equal.
fn ordering(comparison: Comparison) -> u16 {
    match comparison {
        Comparison::GreaterOrEqual | Comparison::Less => IF_GREATER_OR_EQUAL,
        _ => IF_GREATER,
    }
}
