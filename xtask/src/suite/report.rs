//! The output of cargo and of the test runners, read line by line. In: lines. Out: the lines to be shown, the tests that were
//! skipped, and those that failed with the target each belongs to.

const SKIPPED: &str = "SKIPPED ";

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailedTest {
    /// The arguments by which cargo selects its target.
    target: Vec<String>,
    name: String,
}

impl FailedTest {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The arguments of cargo that run this test alone.
    pub(super) fn arguments(&self) -> Vec<&str> {
        let target = self.target.iter().map(String::as_str);
        let fixed = ["test", "--workspace", "--no-fail-fast"].into_iter();
        fixed.chain(target).chain(["--", "--exact", "--test-threads=1", &self.name]).collect()
    }
}

/// Reads what the test runners print.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Between `successes:` and what follows them.
    in_successes: bool,
    skipped: Vec<String>,
    /// The target whose tests are running.
    target: Vec<String>,
    failed: Vec<FailedTest>,
    /// Targets, test programs that began, and those that came to their results.
    targets: usize,
    begun: usize,
    ended: usize,
    /// The numbers of tests in those results. A line of a test may be lost among what others print.
    passed: usize,
    failures: usize,
}

impl Report {
    /// One line; gives it back if it is to be shown.
    pub(super) fn read<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        self.skipped.extend(line.strip_prefix(SKIPPED).map(str::to_owned));
        if let Some(target) = target(line) {
            self.target = target;
            self.targets += 1;
        }
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            line if line.starts_with("test result:") => {
                self.in_successes = false;
                self.ended += 1;
                self.passed += number(line, " passed");
                self.failures += number(line, " failed");
            }
            line if begins(line) => self.begun += 1,
            line => self.read_result(line),
        }
        (!self.in_successes).then_some(line)
    }

    fn read_result(&mut self, line: &str) {
        let test = line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED"));
        let target = self.target.clone();
        self.failed.extend(test.map(|name| FailedTest { target, name: name.trim().to_owned() }));
    }

    /// The tests that failed; none if a test program broke off, or if something failed that is not a test that is known.
    pub(super) fn failed(&self) -> Option<&[FailedTest]> {
        let all_ended = self.begun == self.ended && self.targets <= self.ended;
        (all_ended && self.failures == self.failed.len() && self.failures > 0).then_some(&self.failed)
    }

    /// True if tests have run, and all of them passed.
    pub(super) fn has_passed(&self) -> bool {
        self.failures == 0 && self.passed > 0
    }

    pub(super) fn summary(&self) -> String {
        let lines = self.skipped.iter().map(|skipped| format!("\n  {skipped}"));
        format!("skipped: {}{}", self.skipped.len(), lines.collect::<String>())
    }
}

/// The number before these words, in `test result: ok. 3 passed; 0 failed; ...`.
fn number(result: &str, words: &str) -> usize {
    let before = result.split_once(words).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// True for `running 3 tests`.
fn begins(line: &str) -> bool {
    let count = line.strip_prefix("running ").and_then(|rest| rest.split_once(" test"));
    count.is_some_and(|(count, _)| count.parse::<usize>().is_ok())
}

/// The target whose tests come next, if cargo says so in this line.
fn target(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start();
    if line.starts_with("Doc-tests ") {
        return Some(vec!["--doc".to_owned()]);
    }
    let (source, program) = line.strip_prefix("Running ")?.split_once(" (")?;
    if source.starts_with("unittests ") {
        return Some(vec!["--lib".to_owned(), "--bins".to_owned()]);
    }
    // The program's name is the target's, and a hash.
    let (name, _) = program.rsplit_once('/')?.1.rsplit_once('-')?;
    Some(vec!["--test".to_owned(), name.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::Report;

    const OUTPUT: &str = "     Running unittests src/lib.rs (target/debug/deps/one-0a1b2c3d4e5f6071)

running 3 tests
test a ... ok
test b ... FAILED

successes:

---- a stdout ----
a word of a test
SKIPPED a: no network namespaces here


successes:
    a

failures:

---- b stdout ----
why

test result: FAILED. 1 passed; 1 failed
     Running tests/rows/main.rs (target/debug/deps/rows-0a1b2c3d4e5f6072)

running 1 test
test wide   ... FAILED
test result: FAILED. 0 passed; 1 failed
error: 2 targets failed:";

    fn read(output: &str) -> Report {
        let mut report = Report::default();
        for line in output.lines() {
            report.read(line);
        }
        report
    }

    #[test]
    fn only_what_matters_is_shown() {
        let mut report = Report::default();
        let shown: Vec<_> = OUTPUT.lines().filter_map(|line| report.read(line)).collect();
        assert!(!shown.contains(&"a word of a test") && !shown.contains(&"    a"));
        for line in ["running 3 tests", "test a ... ok", "why", "test result: FAILED. 1 passed; 1 failed"] {
            assert!(shown.contains(&line), "{line}");
        }
    }

    #[test]
    fn skipped_tests_are_named() {
        assert_eq!(read(OUTPUT).summary(), "skipped: 1\n  a: no network namespaces here");
        assert_eq!(Report::default().summary(), "skipped: 0");
    }

    #[test]
    fn failed_tests_are_known_by_name_and_target() {
        let report = read(OUTPUT);
        let failed = report.failed().unwrap();
        assert_eq!(failed.len(), 2);
        let alone =
            ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--", "--exact", "--test-threads=1", "b"];
        assert_eq!(failed[0].arguments(), alone);
        let alone =
            ["test", "--workspace", "--no-fail-fast", "--test", "rows", "--", "--exact", "--test-threads=1", "wide"];
        assert_eq!(failed[1].arguments(), alone);
    }

    #[test]
    fn a_program_without_results_is_no_test_that_failed() {
        assert_eq!(read(&format!("{OUTPUT}\nrunning 7 tests\ntest c ... ok")).failed(), None);
        assert_eq!(read("error: could not compile").failed(), None);
        let lost = OUTPUT.replace("test wide   ... FAILED", "test wide   ... a word FAILED of it");
        assert_eq!(read(&lost).failed(), None, "a line that is lost");
        assert_eq!(read(&format!("{OUTPUT}\n     Running tests/more.rs (target/debug/deps/more-0a)")).failed(), None);
    }

    #[test]
    fn a_test_that_did_not_run_has_not_passed() {
        let passed = "running 1 test\ntest b ... a word of its own\nok\ntest result: ok. 1 passed; 0 failed";
        assert!(read(passed).has_passed());
        assert!(!read("running 0 tests\ntest result: ok. 0 passed; 0 failed").has_passed());
        assert!(!read("running 1 test\ntest b ... FAILED\ntest result: FAILED. 0 passed; 1 failed").has_passed());
    }
}
