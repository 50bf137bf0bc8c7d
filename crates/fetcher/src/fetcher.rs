//! All URIs of one sandbox, one after the other, as Mesos fetches them.

use std::fs::{self, File};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use processes::Credentials;

use crate::archive::{Format, extract};
use crate::cache::{Answer, Cache, Key, Promise, Use};
use crate::error::{FetchError, Reason};
use crate::http;
use crate::identity::as_user;
use crate::item::{Item, Source};
use crate::local::{self, Allowance};
use crate::space::{Space, set_mode};
use crate::verify::verify;

/// The most that is fetched at once unless somebody says otherwise, in bytes.
pub const MOST: u64 = 16 << 30;

/// Fetches. Clones share the cache.
#[derive(Clone, Debug)]
pub struct Fetcher {
    cache: Option<Cache>,
    capacity: u64,
    most: u64,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

/// The work of a fetcher since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Sandboxes that got everything they wanted.
    pub succeeded: u64,
    /// Sandboxes that did not.
    pub failed: u64,
    /// The most the cache may hold, in bytes.
    pub cache_total: u64,
    /// The bytes it holds.
    pub cache_used: u64,
}

/// The wishes of a sandbox.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// In this order.
    pub items: Vec<Item>,
    /// The sandbox.
    pub sandbox: PathBuf,
    /// Whom it belongs to, if not this process' user.
    pub user: Option<Credentials>,
}

impl Fetcher {
    /// A fetcher whose cache is `directory`, which it empties, and holds up to `capacity` bytes. To be made on a tokio
    /// runtime.
    pub fn new(directory: &Path, capacity: u64) -> Fetcher {
        Fetcher { cache: Some(Cache::start(directory, capacity)), capacity, ..Fetcher::uncached() }
    }

    /// A fetcher that keeps nothing for others.
    pub fn uncached() -> Fetcher {
        Fetcher { cache: None, capacity: 0, most: MOST, counters: Arc::default() }
    }

    /// The same, fetching files and directories of this size at most.
    pub fn with_bound(self, bytes: u64) -> Fetcher {
        Fetcher { most: bytes, ..self }
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
            cache_used: match &self.cache {
                Some(cache) => cache.used().await,
                None => 0,
            },
        }
    }

    async fn all(&self, want: &Want) -> Result<(), FetchError> {
        for item in &want.items {
            let fetched = match self.cache.as_ref().filter(|_| item.cache) {
                Some(cache) => self.through(cache, item, want).await,
                None => self.directly(item, want).await,
            };
            fetched.map_err(|reason| FetchError { uri: item.uri.clone(), reason })?;
        }
        Ok(())
    }

    /// Into the sandbox; an archive stays there beside what was in it.
    async fn directly(&self, item: &Item, want: &Want) -> Result<(), Reason> {
        match &item.source {
            Source::Http(url) => {
                let file = in_space(item, want, |space, item| Ok(space.create(&item.name)?)).await?;
                http::get(url, file.into(), self.most).await?;
                in_space(item, want, |space, item| Ok(set_mode(&space.read(&item.name)?, 0o644)?)).await?;
            }
            Source::File(path) => {
                let (path, mut allowance) = (path.clone(), Allowance::new(self.most));
                in_space(item, want, move |space, item| allowance.take_in(&path, space, &item.name)).await?;
            }
        }
        if item.checksum.is_some() {
            self.keep_if_meant(item, want).await?;
        }
        let archive = match item.extract {
            Some(format) => Some((format, in_space(item, want, |space, item| Ok(space.read(&item.name)?)).await?)),
            None => None,
        };
        finish(item, want, archive).await
    }

    /// A file that is not the one that was meant does not stay.
    async fn keep_if_meant(&self, item: &Item, want: &Want) -> Result<(), Reason> {
        let file = in_space(item, want, |space, item| Ok(space.read(&item.name)?)).await?;
        let verified = verify(item.checksum.as_ref(), file).await;
        if verified.is_err() {
            let _nobody_needs_it = in_space(item, want, |space, item| Ok(space.remove(&item.name)?)).await;
        }
        verified
    }

    /// Into the cache, from where it is copied, or unpacked, as often as it is wanted.
    async fn through(&self, cache: &Cache, item: &Item, want: &Want) -> Result<(), Reason> {
        let user = want.user.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
        let key = Key { user, uri: item.uri.clone(), checksum: item.checksum.clone() };
        let cached = match cache.want(&key).await {
            Answer::Ready(cached) => cached,
            Answer::Failed(reason) => return Err(Reason::Shared(reason)),
            Answer::Fetch(promise) => self.fulfil(promise, item, want).await?,
        };
        let path = cached.path();
        if let Err(spoilt) = verify(item.checksum.as_ref(), File::open(path)?).await {
            tracing::warn!(uri = item.uri, %spoilt, "the copy in the cache has changed, it is fetched anew");
            return self.directly(item, want).await;
        }
        let copy = File::open(path)?;
        if let Some(format) = item.extract {
            return finish(item, want, Some((format, copy))).await;
        }
        let mut allowance = Allowance::new(self.most);
        in_space(item, want, move |space, item| allowance.copy(&copy, &mut space.create(&item.name)?)).await?;
        finish(item, want, None).await
    }

    async fn fulfil(&self, promise: Promise, item: &Item, want: &Want) -> Result<Use, Reason> {
        let stored = self.store(item, want, promise.path()).await;
        let size = stored.and_then(|()| Ok(fs::metadata(promise.path())?.len()));
        promise.keep(size)
    }

    /// A file that the user may read goes to a place that only the cache may read.
    async fn store(&self, item: &Item, want: &Want, copy: &Path) -> Result<(), Reason> {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(copy)?;
        match &item.source {
            Source::Http(url) => {
                http::get(url, file.try_clone()?.into(), self.most).await?;
                set_mode(&file, 0o644)?;
            }
            Source::File(path) => {
                let path = path.clone();
                let source = as_user(want.user.as_ref(), move || local::open(&path)).await?;
                if source.metadata()?.is_dir() {
                    return Err(Reason::DirectoryCached);
                }
                let mut allowance = Allowance::new(self.most);
                as_user(None, move || allowance.copy(&source, &mut file)).await?;
            }
        }
        let verified = verify(item.checksum.as_ref(), File::open(copy)?).await;
        if verified.is_err() {
            let _nobody_needs_it = fs::remove_file(copy);
        }
        verified
    }
}

/// Works on the sandbox as its user.
async fn in_space<T: Send + 'static>(
    item: &Item,
    want: &Want,
    work: impl FnOnce(&Space, &Item) -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let (item, sandbox) = (item.clone(), want.sandbox.clone());
    as_user(want.user.as_ref(), move || work(&Space::open(&sandbox)?, &item)).await
}

/// From what was fetched to what the sandbox is to have.
async fn finish(item: &Item, want: &Want, archive: Option<(Format, File)>) -> Result<(), Reason> {
    let Some((format, archive)) = archive else {
        return if item.executable { in_space(item, want, make_executable).await } else { Ok(()) };
    };
    let plain = |space: &Space, item: &Item| Ok(space.create(&item.name.with_extension(""))?);
    let output = if format == Format::Gzip { Some(in_space(item, want, plain).await?) } else { None };
    let want = want.clone();
    as_user(None, move || {
        let space = Space::open(&want.sandbox)?;
        extract(format, &archive, output.as_ref(), (&space, &want.sandbox), want.user.as_ref())?;
        output.map_or(Ok(()), |output| Ok(set_mode(&output, 0o644)?))
    })
    .await
}

fn make_executable(space: &Space, item: &Item) -> Result<(), Reason> {
    let file = space.read(&item.name)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        set_mode(&file, metadata.permissions().mode() | 0o111)?;
    }
    Ok(())
}
