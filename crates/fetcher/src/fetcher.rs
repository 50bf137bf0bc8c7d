//! All URIs of one sandbox, one after the other, as Mesos fetches them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use checks::spec::Credentials;
use tokio::task::spawn_blocking;

use crate::archive;
use crate::cache::{Answer, Cache, Key};
use crate::error::{FetchError, Reason};
use crate::http::Downloads;
use crate::item::{Item, Source};
use crate::verify::verify;

/// Fetches. Clones share the cache.
#[derive(Clone, Debug)]
pub struct Fetcher {
    downloads: Downloads,
    cache: Cache,
    capacity: u64,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

/// What a fetcher has done since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Sandboxes that got everything they wanted.
    pub succeeded: u64,
    /// Sandboxes that did not.
    pub failed: u64,
    /// What the cache may hold, in bytes.
    pub cache_total: u64,
    /// What it holds.
    pub cache_used: u64,
}

/// What a sandbox wants.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// In this order.
    pub items: Vec<Item>,
    /// Where it goes.
    pub sandbox: PathBuf,
    /// Whom it belongs to, if not this process' user.
    pub user: Option<Credentials>,
}

impl Fetcher {
    /// A fetcher whose cache is `directory`, which it empties, and holds up to `capacity` bytes. To be made on a tokio
    /// runtime.
    pub fn new(directory: &Path, capacity: u64) -> Fetcher {
        let cache = Cache::start(directory, capacity);
        Fetcher { downloads: Downloads::new(), cache, capacity, counters: Arc::default() }
    }

    /// Fetches everything, or says what could not be had.
    pub async fn fetch(&self, want: Want) -> Result<(), FetchError> {
        let result = self.all(&want).await;
        let counter = if result.is_ok() { &self.counters.succeeded } else { &self.counters.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// For metrics.
    pub async fn statistics(&self) -> Statistics {
        Statistics {
            succeeded: self.counters.succeeded.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            cache_total: self.capacity,
            cache_used: self.cache.used().await,
        }
    }

    async fn all(&self, want: &Want) -> Result<(), FetchError> {
        for item in &want.items {
            let fetched =
                if item.cache { self.through_cache(item, want).await } else { self.directly(item, want).await };
            fetched.map_err(|reason| FetchError { uri: item.uri.clone(), reason })?;
        }
        Ok(())
    }

    /// Into the sandbox; an archive stays there beside what was in it.
    async fn directly(&self, item: &Item, want: &Want) -> Result<(), Reason> {
        let target = want.sandbox.join(&item.name);
        prepare(item, want)?;
        self.get(item, &target).await?;
        finish(item, want, &target, true).await
    }

    /// Into the cache, from where it is copied, or unpacked, as often as it is wanted.
    async fn through_cache(&self, item: &Item, want: &Want) -> Result<(), Reason> {
        let user = want.user.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
        let key = Key { user, uri: item.uri.clone(), checksum: item.checksum.clone() };
        let path = match self.cache.want(&key).await {
            Answer::Ready(path) => path,
            Answer::Failed(reason) => return Err(Reason::Shared(reason)),
            Answer::Fetch(path) => {
                let mut promise = Promise { cache: &self.cache, key: Some(&key) };
                let fetched = self.get(item, &path).await.and_then(|()| Ok(fs::metadata(&path)?.len()));
                promise.key = None;
                self.cache.came(&key, fetched.as_ref().map(|size| *size).map_err(Reason::to_string));
                fetched?;
                path
            }
        };
        let _use = Use { cache: &self.cache, key: &key };
        if let Err(spoilt) = verify(item.checksum.as_ref(), &path).await {
            tracing::warn!(uri = item.uri, %spoilt, "the copy in the cache has changed, it is fetched anew");
            return self.directly(item, want).await;
        }
        prepare(item, want)?;
        finish(item, want, &path, false).await
    }

    /// What is not what was meant does not stay.
    async fn get(&self, item: &Item, target: &Path) -> Result<(), Reason> {
        match &item.source {
            Source::Http(url) => self.downloads.get(url, target).await?,
            Source::File(path) => copy(path.clone(), target.to_owned()).await?,
        }
        let verified = verify(item.checksum.as_ref(), target).await;
        if verified.is_err() {
            let _nobody_needs_it = fs::remove_file(target);
        }
        verified
    }
}

/// Whoever is to fetch and is dropped instead has failed.
struct Promise<'a> {
    cache: &'a Cache,
    key: Option<&'a Key>,
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.cache.came(key, Err("whoever fetched it was stopped".to_owned()));
        }
    }
}

/// What is in use is not cleared away.
struct Use<'a> {
    cache: &'a Cache,
    key: &'a Key,
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.cache.release(self.key);
    }
}

/// The directories an output file lies in.
fn prepare(item: &Item, want: &Want) -> Result<(), Reason> {
    let mut directory = want.sandbox.clone();
    for part in item.name.parent().into_iter().flat_map(Path::components) {
        directory.push(part);
        match fs::create_dir(&directory) {
            Ok(()) => give(&directory, want.user.as_ref())?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// From what was fetched to what the sandbox is to have.
async fn finish(item: &Item, want: &Want, fetched: &Path, in_place: bool) -> Result<(), Reason> {
    let (item, want, fetched) = (item.clone(), want.clone(), fetched.to_owned());
    let done = spawn_blocking(move || place(&item, &want, &fetched, in_place)).await;
    done.map_err(|error| Reason::File(std::io::Error::other(error)))?
}

fn place(item: &Item, want: &Want, fetched: &Path, in_place: bool) -> Result<(), Reason> {
    let target = want.sandbox.join(&item.name);
    if !in_place && item.extract.is_none() {
        replace(fetched, &target)?;
    }
    if (in_place || item.extract.is_none()) && target.is_file() {
        let mode = fs::metadata(&target)?.permissions().mode();
        fs::set_permissions(&target, Permissions::from_mode(if item.executable { mode | 0o111 } else { mode }))?;
        give(&target, want.user.as_ref())?;
    }
    match item.extract {
        None => Ok(()),
        Some(format) => {
            archive::extract(format, fetched, &item.name, &want.sandbox, want.user.as_ref())?;
            // What gzip writes, this process has opened.
            let plain = want.sandbox.join(item.name.with_extension(""));
            if format == archive::Format::Gzip { give(&plain, want.user.as_ref()) } else { Ok(()) }
        }
    }
}

fn give(path: &Path, user: Option<&Credentials>) -> Result<(), Reason> {
    match user {
        Some(user) => Ok(chown(path, Some(user.uid), Some(user.gid))?),
        None => Ok(()),
    }
}

async fn copy(from: PathBuf, to: PathBuf) -> Result<(), Reason> {
    let copied = spawn_blocking(move || replace(&from, &to)).await;
    copied.map_err(|error| Reason::File(std::io::Error::other(error)))?
}

/// A copy keeps its mode, so that what only root may read stays unread. Directories are copied whole.
fn replace(from: &Path, to: &Path) -> Result<(), Reason> {
    if !fs::metadata(from)?.is_dir() {
        // What lies there may be a link that leads elsewhere.
        match fs::remove_file(to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        fs::copy(from, to)?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        replace(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
