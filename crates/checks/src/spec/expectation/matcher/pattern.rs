//! A regular expression that cannot be searched for without end. Pure.
//!
//! In: the text of a pattern; later, bodies. Out: whether it is found. A search in linear time is still one of seconds for a
//! pattern of thousands of states in a large body. So the states are bounded before a pattern is accepted; bodies are
//! searched with an automaton that is made as it is needed, and given up where it would have to be made anew all the
//! time; and the slow search without it is only made where states times bytes are few.

use std::error::Error;
use std::sync::Arc;

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{BuildError, Compiler, Config, NFA};
use regex_automata::util::pool::Pool;
use regex_automata::util::syntax;

/// The longest pattern, in bytes.
const LENGTH: usize = 4096;

/// The deepest nesting of groups, and the largest size of a compiled pattern, in bytes.
const DEPTH: u32 = 32;
const SIZE: usize = 1024 * 1024;

/// The memory of the automaton of one pattern, in bytes.
const AUTOMATON: usize = 256 * 1024;

/// The number of bytes that each new state has to be good for, after the memory was full once.
const BYTES_PER_STATE: usize = 200;

/// States times bytes that are searched without the automaton: some 30 ms.
const STEPS: usize = 4_000_000;

/// A pattern that is not searched for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadPattern {
    #[error("is longer than {LENGTH} bytes")]
    TooLong,
    #[error("is no regular expression: {}", words(.0))]
    Malformed(#[source] Box<BuildError>),
    #[error("is no regular expression that can be searched for here: {0}")]
    Unsearchable(#[source] Box<regex_automata::hybrid::BuildError>),
}

/// The last line of what the parser draws, which is the one that says what is wrong.
fn words(error: &BuildError) -> String {
    let drawn = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let last = drawn.lines().last().unwrap_or(&drawn);
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// A body in which a pattern would take too long to be searched for.
#[derive(Debug)]
pub(crate) struct TooCostly;

#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    automaton: Arc<Automaton>,
}

struct Automaton {
    nfa: NFA,
    dfa: DFA,
    memory: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl Pattern {
    pub(crate) fn compile(text: &str) -> Result<Pattern, BadPattern> {
        if text.len() > LENGTH {
            return Err(BadPattern::TooLong);
        }
        let nfa = Compiler::new()
            .syntax(syntax::Config::new().utf8(false).nest_limit(DEPTH))
            .configure(Config::new().utf8(false).nfa_size_limit(Some(SIZE)))
            .build(text)
            .map_err(|error| BadPattern::Malformed(Box::new(error)))?;
        let dfa = DFA::builder()
            .configure(limits())
            .build_from_nfa(nfa.clone())
            .map_err(|error| BadPattern::Unsearchable(Box::new(error)))?;
        let maker = dfa.clone();
        let memory: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>> =
            Pool::new(Box::new(move || maker.create_cache()));
        Ok(Pattern { text: text.into(), automaton: Arc::new(Automaton { nfa, dfa, memory }) })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Searches a body for the pattern, which may be anywhere in it.
    pub(crate) fn is_in(&self, body: &[u8]) -> Result<bool, TooCostly> {
        let automaton = &*self.automaton;
        let mut memory = automaton.memory.get();
        match automaton.dfa.try_search_fwd(&mut memory, &Input::new(body).earliest(true)) {
            Ok(found) => Ok(found.is_some()),
            Err(_it_gave_up) => automaton.is_in_small(body),
        }
    }
}

impl Automaton {
    /// Searches without the automaton, as far as states times bytes are few.
    fn is_in_small(&self, body: &[u8]) -> Result<bool, TooCostly> {
        if self.nfa.states().len().saturating_mul(body.len()) > STEPS {
            return Err(TooCostly);
        }
        let Ok(search) = PikeVM::new_from_nfa(self.nfa.clone()) else { return Err(TooCostly) };
        Ok(search.is_match(&mut search.create_cache(), body))
    }
}

/// An automaton that needs more memory than it has may start over once; then it has to be worth it.
fn limits() -> regex_automata::hybrid::dfa::Config {
    DFA::config()
        .cache_capacity(AUTOMATON)
        .skip_cache_capacity_check(true)
        .unicode_word_boundary(true)
        .minimum_cache_clear_count(Some(1))
        .minimum_bytes_per_state(Some(BYTES_PER_STATE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A mebibyte of `a` and `b` in no order.
    fn coins() -> Vec<u8> {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut coin = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state & 1 == 0 { b'a' } else { b'b' }
        };
        (0..1 << 20).map(|_| coin()).collect()
    }

    #[test]
    fn a_pattern_of_a_thousand_states_does_not_take_seconds() {
        let (body, pattern) = (coins(), Pattern::compile("(?:a|b)*a(?:a|b){1000}c").unwrap());
        assert!(pattern.is_in(&body).is_err(), "it is said to be too costly");
        assert!(!pattern.is_in(&body[..3000]).unwrap(), "small ones are searched all the same");
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        let objection = |text: &str| Pattern::compile(text).unwrap_err().to_string();
        assert_eq!(objection("("), "is no regular expression: unclosed group");
        assert_eq!(
            objection(r"(?=a)"),
            "is no regular expression: look-around, including look-ahead and look-behind, is not supported"
        );
        assert!(objection("(((a{1000}){1000}){1000})").contains("limit"));
    }

    #[test]
    fn words_of_all_languages_have_boundaries() {
        let pattern = Pattern::compile(r"\bgrün\b").unwrap();
        assert!(pattern.is_in("alles grün hier".as_bytes()).unwrap());
        assert!(!pattern.is_in("alles grünlich".as_bytes()).unwrap());
    }

    proptest! {
        #[test]
        fn it_finds_as_any_other_engine_does(body in "[ab \u{e9}\n]{0,40}", pattern in 0..6_usize) {
            let pattern = ["a+b", "^a", r"(?m)^b.*a$", r"\ba\b", "é{2}|b{3}", r"a\s(?-u:\xc3)"][pattern];
            let other = regex::bytes::Regex::new(pattern).unwrap();
            prop_assert_eq!(Pattern::compile(pattern).unwrap().is_in(body.as_bytes()).unwrap(), other.is_match(body.as_bytes()));
        }
    }
}
