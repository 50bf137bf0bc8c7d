//! Images on this machine: unpacked layers, configurations, the names of images, and who needs them.
//!
//! ```text
//!   images/SHA256-OF-NAME     which configuration and layers a name means; its time is that of the last use
//!   configs/SHA256            configurations
//!   layers/SHA256/rootfs      layers, by the digest of what they were before compression; `layer.json` has the size
//!   leases/SHA256-SHA256      what a container needs: its id, and the layers that the name of its image meant
//!   staging/                  everything that is not finished: downloads, unpacking, removals, pulls
//! ```
//!
//! The directories are the truth. Each change is one file that is replaced as a whole, or one directory that is renamed
//! when it is complete, so that a kill at any point leaves what was there and something in `staging`, which the next
//! [`Store::open`] removes. There is no state in memory: threads keep out of each other's way by locks on files, which
//! end with their process. All calls may block, [`Pull::claim`] for as long as another pull has the layer.
//!
//! The order that keeps collection away from what is needed: a pull or a lease is written first, then it looks what is
//! there; [`Store::collect`] holds the same lock while it reads who needs what, and until what goes is renamed.

mod choose;
mod claim;
mod collect;
mod error;
mod facts;
mod holds;
mod image;
mod lock;
mod paths;
mod pull;
mod removal;
mod renewal;
mod sweep;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use self::choose::Want;
pub use self::claim::{Claim, Layer};
pub use self::collect::Collected;
pub use self::error::StoreError;
pub use self::image::Image;
pub use self::pull::Pull;

use self::error::At;
use self::holds::{Hold, Holds};
use self::image::Record;
use self::lock::Lock;
use self::paths::Paths;
use crate::image::Reference;
use crate::unpack::Bounds;

/// The store of one agent. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    paths: Paths,
    unpack: Arc<[String]>,
    bounds: Bounds,
    /// Held as long as there is a clone, so that no two processes are in one store.
    _whole: Arc<Lock>,
}

impl Store {
    /// The store in this directory, which is made if there is none; remains of earlier ones are removed. `unpack` is the
    /// program and its first arguments that run [`crate::unpack::main`].
    pub fn open(directory: &Path, unpack: Vec<String>, bounds: Bounds) -> Result<Store, StoreError> {
        let paths = Paths::make(directory)?;
        let whole = Lock::process(&paths.process_lock())?.ok_or_else(|| StoreError::Taken(directory.to_owned()))?;
        sweep::sweep(&paths)?;
        Ok(Store { paths, unpack: unpack.into(), bounds, _whole: Arc::new(whole) })
    }

    /// The image of this name, if all of it is here.
    pub fn image(&self, reference: &Reference) -> Result<Option<Image>, StoreError> {
        Record::read(&self.paths, reference)?.map_or(Ok(None), |record| record.image(&self.paths))
    }

    /// The image of this name, kept for this container until [`Store::release`], if all of it is here.
    pub fn lease(&self, container: &str, reference: &Reference) -> Result<Option<Image>, StoreError> {
        let _lock = Lock::wait(&self.paths.lock())?;
        let Some(record) = Record::read(&self.paths, reference)? else { return Ok(None) };
        let Some(image) = record.image(&self.paths)? else { return Ok(None) };
        let hold = Hold { holder: container.to_owned(), config: Some(record.config), layers: record.layers.clone() };
        hold.write(&self.paths.lease(container, record.distinct()))?;
        record.used(&self.paths)?;
        Ok(Some(image))
    }

    /// Forgets what this container needed.
    pub fn release(&self, container: &str) -> Result<(), StoreError> {
        self.paths.leases_of([container], true)?.iter().try_for_each(|lease| removal::file(lease))
    }

    /// Releases all but these containers: after a restart, those that are still there.
    pub fn release_all_but(&self, containers: &BTreeSet<String>) -> Result<(), StoreError> {
        let gone = self.paths.leases_of(containers.iter().map(String::as_str), false)?;
        gone.iter().try_for_each(|lease| removal::file(lease))
    }

    /// The containers that have leases. A lease that cannot be read is left out.
    pub fn leases(&self) -> Result<BTreeSet<String>, StoreError> {
        let leases = paths::list(&self.paths.leases())?;
        let read = leases.iter().filter_map(|path| Hold::read(path).inspect_err(error::tell).ok().flatten());
        Ok(read.map(|hold| hold.holder).collect())
    }

    /// Space on the disk that the store is on.
    pub fn space(&self) -> Result<(u64, u64), StoreError> {
        let disk = rustix::fs::statvfs(self.paths.root()).at("measure", self.paths.root())?;
        Ok((disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    /// A file without a name for what is too large for memory.
    pub fn scratch(&self) -> Result<File, StoreError> {
        let path = self.paths.unique(&self.paths.staging(), "scratch");
        let file = File::options().create_new(true).read(true).write(true).open(&path).at("make", &path)?;
        removal::file(&path).map(|()| file)
    }

    /// The most that a layer may be.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn holds(&self) -> Result<Holds, StoreError> {
        Holds::read(&[self.paths.leases(), self.paths.pulls()])
    }
}
