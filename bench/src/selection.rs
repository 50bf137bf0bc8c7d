//! The rows of an experiment that somebody wants: all of them, or those that they name. Pure.

use clap::Args;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// The name of a row, which is then the only one; may be given several times
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
}

impl Selection {
    /// Refuses names that are none of these.
    pub(crate) fn check<'a>(&self, rows: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
        let rows: Vec<&str> = rows.collect();
        match self.only.iter().find(|name| !rows.contains(&name.as_str())) {
            Some(unknown) => anyhow::bail!("no row '{unknown}'; there are: {}", rows.join(", ")),
            None => Ok(()),
        }
    }

    /// True if nobody named any.
    pub(crate) fn is_open(&self) -> bool {
        self.only.is_empty()
    }

    /// True if the row was named.
    pub(crate) fn names(&self, row: &str) -> bool {
        self.only.iter().any(|name| name == row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_there_is_not_is_named() {
        let selection = Selection { only: vec!["http".to_owned(), "thttp".to_owned()] };
        assert!(selection.names("http") && !selection.names("tcp") && !selection.is_open());
        let error = selection.check(["http", "tcp"].into_iter()).unwrap_err().to_string();
        assert_eq!(error, "no row 'thttp'; there are: http, tcp");
        assert!(Selection::default().check(std::iter::empty()).is_ok());
    }
}
