//! The secrets of a program, which its shim is given on standard input: they are on no disk.
//!
//! In: a program. Out: the same without its secrets, for `spec.json`, and a file in memory that has them; in the shim, the
//! program that is whole again.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::stdio::{dup2_stdin, stdin};
use serde::{Deserialize, Serialize};

use crate::program::Program;
use crate::rootfs::{Content, Kind};

/// The secrets of a program.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    variables: Vec<(String, String)>,
    /// The contents of files, in the order of the container's entries.
    files: Vec<Vec<u8>>,
}

impl Secrets {
    /// Takes them out of a program.
    pub(crate) fn taken_from(program: &mut Program) -> Secrets {
        let variables = std::mem::take(&mut program.secrets);
        Secrets { variables, files: contents(program).map(std::mem::take).collect() }
    }

    /// Gives them back to the program.
    fn give_to(self, program: &mut Program) {
        program.secrets = self.variables;
        contents(program).zip(self.files).for_each(|(content, file)| *content = file);
    }

    /// The standard input of the shim.
    pub(crate) fn input(&self) -> io::Result<OwnedFd> {
        if *self == Secrets::default() {
            return Ok(File::open("/dev/null")?.into());
        }
        let mut memory = File::from(memfd_create("secrets", MemfdFlags::CLOEXEC)?);
        memory.write_all(&serde_json::to_vec(self)?)?;
        memory.rewind()?;
        Ok(memory.into())
    }
}

/// Makes the program whole by what is on standard input, of which nothing is left afterwards.
pub(super) fn complete(program: &mut Program) -> io::Result<()> {
    let mut text = Vec::new();
    File::from(stdin().try_clone_to_owned()?).read_to_end(&mut text)?;
    dup2_stdin(File::open("/dev/null")?.as_fd())?;
    if !text.is_empty() {
        serde_json::from_slice::<Secrets>(&text)?.give_to(program);
    }
    Ok(())
}

fn contents(program: &mut Program) -> impl Iterator<Item = &mut Vec<u8>> {
    let entries = program.namespaces.iter_mut().flat_map(|namespaces| &mut namespaces.rootfs.entries);
    entries.filter_map(|entry| match &mut entry.kind {
        Kind::File { content: Content::Bytes(bytes), .. } => Some(bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pause::{Namespaces, Network};
    use crate::rootfs::{Entry, Flags, Root, Rootfs};

    #[test]
    fn a_program_is_written_without_its_secrets_and_whole_again_with_them() {
        let file = |content| {
            let kind = Kind::File { content, mode: 0o400, owner: (0, 0), flags: Flags::default() };
            Entry { path: "/secret".into(), kind }
        };
        let entries =
            [Content::Bytes(b"first".to_vec()), Content::Text("plain".to_owned()), Content::Bytes(b"second".to_vec())];
        let rootfs = Rootfs { root: Root::Tree("/".into()), entries: entries.map(file).to_vec(), read_only: false };
        let namespaces = Namespaces { network: Network::Host, hostname: None, rootfs, init: false };
        let secrets = vec![("PASSWORD".to_owned(), "hunter2".to_owned())];
        let whole = Program { secrets, namespaces: Some(Box::new(namespaces)), ..Program::default() };
        let mut program = whole.clone();
        let secrets = Secrets::taken_from(&mut program);
        let mut read: Program = serde_json::from_slice(&serde_json::to_vec(&program).unwrap()).unwrap();
        assert!(read == program && read.secrets.is_empty() && contents(&mut read).all(|content| content.is_empty()));
        let mut text = Vec::new();
        File::from(secrets.input().unwrap()).read_to_end(&mut text).unwrap();
        serde_json::from_slice::<Secrets>(&text).unwrap().give_to(&mut read);
        assert_eq!(read, whole);
    }
}
