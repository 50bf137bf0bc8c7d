//! A program without what it has twice: parts that go on alike are one part, that is jumped to.
//!
//! The kernel checks, translates, and tries out a filter whenever one is set, which is for each command of a check: to half
//! the instructions goes half the time. In: a program whose jumps lead forward, as all do. Out: one that answers the same.

use std::collections::HashMap;

use processes::Instruction;

use super::bpf::{GOTO, RETURN, is_branch};

/// The furthest that a branch leads, with room for the two stepping stones that it may need itself.
const REACH: usize = 253;

/// The number of a node; those that it leads to have lower ones.
type Id = usize;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Answer(Instruction),
    /// Goes on with that one.
    Step(Instruction, Id),
    /// Goes on with the first one if its condition holds, else with the second one. Its jumps are nothing here.
    Branch(Instruction, Id, Id),
}

/// A program that is written from its end.
#[derive(Default)]
struct Page {
    reversed: Vec<Instruction>,
    /// The place of each node that is written, in this order.
    places: HashMap<Id, usize>,
}

/// The same program, shorter. Nothing if it leads beyond its end.
pub(super) fn shared(program: &[Instruction]) -> Option<Vec<Instruction>> {
    let (nodes, first) = graph(program)?;
    let mut page = Page::default();
    for (id, node) in reached(&nodes, first) {
        page.write(id, node)?;
    }
    page.reversed.reverse();
    Some(page.reversed)
}

/// All nodes, and the first one of the program. Made from its end, where everything leads to.
fn graph(program: &[Instruction]) -> Option<(Vec<Node>, Id)> {
    let (mut nodes, mut known) = (Vec::new(), HashMap::new());
    // Those of the instructions so far, the last instruction's first.
    let mut ids: Vec<Id> = Vec::new();
    for instruction in program.iter().rev() {
        let after = |skipped: usize| ids.get(ids.len().checked_sub(skipped + 1)?).copied();
        let plain = Instruction { jump_true: 0, jump_false: 0, ..*instruction };
        let node = match instruction.code {
            RETURN => Ok(Node::Answer(plain)),
            GOTO => Err(after(usize::try_from(instruction.value).ok()?)?),
            code if is_branch(code) => {
                match (after(instruction.jump_true.into())?, after(instruction.jump_false.into())?) {
                    (yes, no) if yes == no => Err(yes),
                    (yes, no) => Ok(Node::Branch(plain, yes, no)),
                }
            }
            _ => Ok(Node::Step(plain, after(0)?)),
        };
        let add = |node| {
            *known.entry(node).or_insert_with(|| {
                nodes.push(node);
                nodes.len() - 1
            })
        };
        ids.push(node.map_or_else(|same| same, add));
    }
    Some((nodes, *ids.last()?))
}

/// The nodes that the first one leads to, the last ones first.
fn reached(nodes: &[Node], first: Id) -> Vec<(Id, Node)> {
    let mut is_reached = vec![false; nodes.len()];
    is_reached[first] = true;
    for id in (0..=first).rev() {
        match nodes[id] {
            _ if !is_reached[id] => {}
            Node::Answer(_) => {}
            Node::Step(_, next) => is_reached[next] = true,
            Node::Branch(_, yes, no) => (is_reached[yes], is_reached[no]) = (true, true),
        }
    }
    nodes.iter().copied().enumerate().filter(|(id, _)| is_reached[*id]).collect()
}

impl Page {
    fn write(&mut self, id: Id, node: Node) -> Option<()> {
        let instruction = match node {
            Node::Answer(answer) => answer,
            Node::Step(step, next) => {
                if self.distance(next)? > 0 {
                    self.step_to(next)?;
                }
                step
            }
            Node::Branch(branch, yes, no) => {
                self.come_near(yes)?;
                self.come_near(no)?;
                let jump = |to| u8::try_from(self.distance(to)?).ok();
                Instruction { jump_true: jump(yes)?, jump_false: jump(no)?, ..branch }
            }
        };
        self.places.insert(id, self.reversed.len());
        self.reversed.push(instruction);
        Some(())
    }

    /// The instructions between the next one to be written and that node.
    fn distance(&self, id: Id) -> Option<usize> {
        self.reversed.len().checked_sub(self.places.get(&id)? + 1)
    }

    fn come_near(&mut self, id: Id) -> Option<()> {
        if self.distance(id)? > REACH { self.step_to(id) } else { Some(()) }
    }

    /// A stepping stone to that node, which stands for it from here on.
    fn step_to(&mut self, id: Id) -> Option<()> {
        let far = u32::try_from(self.distance(id)?).ok()?;
        self.places.insert(id, self.reversed.len());
        self.reversed.push(Instruction { code: GOTO, jump_true: 0, jump_false: 0, value: far });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use processes::Filter;

    use super::super::bpf::{NUMBER, give, if_less, load};
    use super::super::profile::Action;
    use super::super::simulator::run;
    use super::*;

    /// Number `n` is answered by `answers[n]`, and all beyond as the last one is.
    fn search(answers: &[u16], first: u32) -> Vec<Instruction> {
        match answers.split_at(answers.len() / 2) {
            ([], rest) => vec![give(Action::Errno(rest[0]))],
            (low, high) => {
                let middle = first + low.len() as u32;
                if_less(middle, search(low, first), search(high, middle))
            }
        }
    }

    fn answers(of: fn(u16) -> u16) -> (Vec<Instruction>, Vec<Instruction>) {
        let all: Vec<u16> = (0..1000).map(of).collect();
        let long = [vec![load(NUMBER)], search(&all, 0)].concat();
        let short = shared(&long).unwrap();
        let (before, after) = (Filter::new(long.clone()), Filter::new(short.clone()));
        for number in 0..1001 {
            assert_eq!(run(&after, 0, number, [0; 6]), run(&before, 0, number, [0; 6]), "{number}");
        }
        (long, short)
    }

    #[test]
    fn an_answer_is_there_once_however_far_it_is() {
        let (long, short) = answers(|number| number % 2);
        assert!(short.len() * 5 < long.len() * 3, "{} of {}", short.len(), long.len());
    }

    #[test]
    fn what_is_nowhere_twice_stays_as_long() {
        let (long, short) = answers(|number| number);
        assert!(short.len() <= long.len(), "{} of {}", short.len(), long.len());
    }

    #[test]
    fn a_question_whose_answers_are_the_same_is_not_asked() {
        assert_eq!(answers(|_| 7).1, [load(NUMBER), give(Action::Errno(7))]);
    }

    #[test]
    fn a_program_that_leads_beyond_its_end_is_none() {
        assert_eq!(shared(&[load(NUMBER)]), None);
        assert_eq!(shared(&[]), None);
    }
}
