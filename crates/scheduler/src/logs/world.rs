//! A log for tests, which grows and is rotated between any two looks at it.

use std::cell::RefCell;
use std::cmp::min;
use std::collections::VecDeque;
use std::convert::Infallible;

use super::stream::{File, Files};

/// The lines that are written.
const LINES: u32 = 3000;

/// The length of a file, and the most that is read at a time.
const FILE: usize = 512;
const READ: u32 = 700;

pub(super) struct World(RefCell<Log>);

struct Log {
    /// The content of each, and the time of its last writing.
    files: VecDeque<(Vec<u8>, i64)>,
    lines: u32,
    now: i64,
    random: u32,
    keeps: usize,
    are_equal: bool,
}

impl World {
    pub(super) fn new(seed: u32, keeps: usize) -> World {
        let files = [(Vec::new(), 0)].into();
        World(RefCell::new(Log { files, lines: 0, now: 0, random: seed, keeps, are_equal: false }))
    }

    pub(super) fn of_equal_lines(seed: u32, keeps: usize) -> World {
        let world = World::new(seed, keeps);
        world.0.borrow_mut().are_equal = true;
        world
    }

    /// So much happens without a look.
    pub(super) fn go_on(&self, steps: u32) {
        (0..steps).for_each(|_| self.0.borrow_mut().go_on());
    }

    /// No more lines come, and all that was rotated is empty.
    pub(super) fn empty_older_files(&self) {
        let mut log = self.0.borrow_mut();
        log.lines = LINES;
        log.files.iter_mut().skip(1).for_each(|(content, _)| content.clear());
    }

    pub(super) fn lines(&self) -> u32 {
        self.0.borrow().lines
    }

    /// No more lines will come.
    pub(super) fn is_over(&self) -> bool {
        self.lines() >= LINES
    }
}

impl Log {
    fn random(&mut self, below: u32) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 8) % below
    }

    /// Goes on for a moment, as long as there are lines to come.
    fn go_on(&mut self) {
        self.now += 1;
        if self.lines < LINES {
            for _ in 0..self.random(6) {
                self.lines += 1;
                let line = if self.are_equal { "tick\n".to_owned() } else { format!("line {}\n", self.lines) };
                self.files[0].0.extend(line.bytes());
                self.files[0].1 = self.now;
            }
        }
        while self.files[0].0.len() > FILE {
            let rest = self.files[0].0.split_off(FILE);
            self.files[0].1 = self.now;
            self.files.push_front((rest, self.now));
            self.files.truncate(self.keeps + 1);
        }
    }
}

impl Files for &World {
    type Error = Infallible;

    async fn list(&self) -> Result<Vec<File>, Infallible> {
        let mut log = self.0.borrow_mut();
        log.go_on();
        let file = |(content, at): &(Vec<u8>, i64)| File { size: content.len() as u64, written_ns: Some(*at) };
        Ok(log.files.iter().map(file).collect())
    }

    async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> Result<Vec<u8>, Infallible> {
        let mut log = self.0.borrow_mut();
        log.go_on();
        let some = log.random(READ).max(1) as usize;
        let most = length.map_or(some, |length| usize::try_from(length).unwrap());
        let file = log.files.get(number).map_or(&[][..], |(content, _)| content.as_slice());
        let rest = file.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        Ok(rest[..min(rest.len(), most)].to_vec())
    }
}
