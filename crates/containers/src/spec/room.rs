//! The namespaces of a task, with its file system.

use std::path::{Path, PathBuf};

use mesos::v1::linux_info::IpcMode;
use mesos::v1::{ContainerInfo, LinuxInfo};
use processes::{Birthplace, Namespaces, Network};

use super::{SpecError, copies, working_directory};
use crate::copy::Backend;
use crate::network::files;
use crate::provision::{Provision, ProvisionedNetwork};
use crate::rootfs::{Base, Cgroups, Names, Volume, VolumeSource, Wanted};

const MEBIBYTE: u64 = 1 << 20;

/// The place of shared memory.
const SHARED_MEMORY_AT: &str = "/dev/shm";

/// All that decides about the namespaces of a task.
#[derive(Clone, Debug)]
pub struct Room<'a> {
    /// The container as its framework wants it.
    pub container: Option<&'a ContainerInfo>,
    /// The things that are ready for it.
    pub provision: &'a Provision,
    /// The sandbox, on the host.
    pub sandbox: &'a Path,
    /// The directory in which what it changes of its image is kept: `upper`, beside the empty `work`, or the copy.
    pub changes: &'a Path,
    /// The way in which its image becomes one file system.
    pub backend: Backend,
    /// The things that it has of the host's, or of its sandboxes.
    pub volumes: Vec<Volume>,
    /// The names of the host, for a container in its network.
    pub host_names: Names,
    /// The control groups that it sees.
    pub cgroups: Cgroups,
    /// The user and the group it runs as.
    pub owner: (u32, u32),
    /// True if its program is to be its first process.
    pub init: bool,
    /// True if nothing but what is mounted in it may be written; the host's files stay as they are.
    pub read_only: bool,
}

impl Room<'_> {
    /// The namespaces; nothing if it needs none of its own.
    pub fn namespaces(self) -> Result<Option<Namespaces>, SpecError> {
        let (hostname, init) = (self.hostname(), self.init);
        let network = self.provision.network.as_ref().map(|network| Network::At(network.namespace.clone()));
        let is_plain = self.provision.image.is_none() && network.is_none() && hostname.is_none() && !init;
        let wanted = self.wanted()?;
        if is_plain && wanted.volumes.is_empty() {
            return Ok(None);
        }
        let rootfs = wanted.plan()?;
        Ok(Some(Namespaces { network: network.unwrap_or_default(), hostname, rootfs, init }))
    }

    /// The name that the container has of its own.
    fn hostname(&self) -> Option<String> {
        let network = self.provision.network.as_ref().map(|network| network.hostname.clone());
        network.or_else(|| self.container?.hostname.clone()).filter(|name| !name.is_empty())
    }

    fn linux(&self) -> Option<&LinuxInfo> {
        self.container?.linux_info.as_ref()
    }

    fn wanted(self) -> Result<Wanted, SpecError> {
        let has_image = self.provision.image.is_some();
        if self.linux().is_some_and(|linux| linux.share_pid_namespace() && has_image) {
            return Err(SpecError::Unsupported("Containers with an image and 'share_pid_namespace'"));
        }
        if self.linux().is_some_and(|linux| linux.ipc_mode() == IpcMode::ShareParent && has_image) {
            return Err(SpecError::Unsupported("Containers with an image and the 'ipc_mode' SHARE_PARENT"));
        }
        let settings = &self.provision.settings;
        let shared_memory = self.shared_memory();
        let names = self.names();
        let mut volumes = self.volumes;
        volumes.extend(shared_memory.filter(|_| !has_image).map(memory));
        Ok(Wanted {
            base: base(self.provision, self.backend, self.changes),
            sandbox: self.sandbox.to_owned(),
            sandbox_at: if has_image { settings.sandbox_directory.clone() } else { self.sandbox.to_owned() },
            volumes,
            names,
            shared_memory: shared_memory.unwrap_or(settings.shared_memory),
            cgroups: self.cgroups,
            working_directory: self
                .provision
                .image
                .as_ref()
                .map(|image| working_directory(&image.config, &settings.sandbox_directory)),
            owner: self.owner,
            read_only: self.read_only && has_image,
            privileged: false,
        })
    }

    /// The shared memory in bytes, if the container says a word about it.
    fn shared_memory(&self) -> Option<u64> {
        let linux = self.linux()?;
        let asked = linux.shm_size.map(|mebibytes| u64::from(mebibytes) * MEBIBYTE);
        asked.or_else(|| (linux.ipc_mode() == IpcMode::Private).then_some(self.provision.settings.shared_memory))
    }

    /// Without an image, only the host's files can have another content.
    fn names(&self) -> Names {
        let (hostname, has_image) = (self.hostname(), self.provision.image.is_some());
        let names = match &self.provision.network {
            Some(network) => of_network(network),
            None if hostname.is_none() && !has_image => return Names::default(),
            None => {
                let own = hostname.as_deref().map(files::hostname_file);
                Names { hostname: own.or_else(|| self.host_names.hostname.clone()), ..self.host_names.clone() }
            }
        };
        if has_image { names } else { names.as_far_as(&self.host_names) }
    }
}

fn of_network(network: &ProvisionedNetwork) -> Names {
    Names {
        hosts: Some(network.hosts.clone()),
        resolv_conf: Some(network.dns.text()),
        hostname: Some(files::hostname_file(&network.hostname)),
    }
}

fn base(provision: &Provision, backend: Backend, changes: &Path) -> Base {
    let Some(image) = &provision.image else { return Base::Host };
    if backend == Backend::Copy {
        return Base::Copy(copies::root(changes));
    }
    let layers: Vec<PathBuf> = image.layers.iter().rev().cloned().collect();
    Base::Image { layers, upper: changes.join("upper"), work: changes.join("work") }
}

fn memory(size: u64) -> Volume {
    let source = VolumeSource::Memory { size: Some(size), mode: 0o1777 };
    Volume { at: SHARED_MEMORY_AT.into(), source, read_only: false }
}

/// The control groups that a container sees: those its processes are born in. `mounts` is where the hierarchies are.
pub fn cgroups(mounts: &Path, birthplace: Option<&Birthplace>) -> Cgroups {
    match birthplace {
        None => Cgroups::Nothing,
        Some(Birthplace::Directory(directory)) => Cgroups::Version2(directory.clone()),
        Some(Birthplace::Tasks(tasks)) => {
            let own = |file: &PathBuf| {
                let hierarchy = file.strip_prefix(mounts).ok()?.components().next()?;
                Some((hierarchy.as_os_str().to_str()?.to_owned(), file.parent()?.to_owned()))
            };
            Cgroups::Version1(tasks.iter().filter_map(own).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use processes::rootfs::Root;

    use super::*;
    use crate::image::ImageConfig;
    use crate::provision::ProvisionedImage;

    fn image() -> Provision {
        let layers = vec!["/low".into(), "/high".into()];
        let config = ImageConfig::parse(b"{}").unwrap();
        let image = ProvisionedImage { reference: "web".to_owned(), layers, config };
        Provision { image: Some(image), ..Provision::default() }
    }

    fn room<'a>(provision: &'a Provision, container: &'a ContainerInfo) -> Room<'a> {
        Room {
            container: Some(container),
            provision,
            sandbox: Path::new("/host/sandbox"),
            changes: Path::new("/state/changes"),
            backend: Backend::Overlay,
            volumes: Vec::new(),
            host_names: Names { hosts: Some("h".to_owned()), resolv_conf: Some("r".to_owned()), hostname: None },
            cgroups: Cgroups::Nothing,
            owner: (1, 2),
            init: false,
            read_only: false,
        }
    }

    fn places(namespaces: &Namespaces) -> Vec<&str> {
        namespaces.rootfs.entries.iter().map(|entry| entry.path.to_str().unwrap()).collect()
    }

    #[test]
    fn who_asks_for_nothing_stays_where_its_executor_is() {
        let (nothing, provision) = (ContainerInfo::default(), Provision::default());
        assert_eq!(room(&provision, &nothing).namespaces().unwrap(), None);
        let named = ContainerInfo { hostname: Some("web".to_owned()), ..nothing.clone() };
        let own = room(&provision, &named).namespaces().unwrap().unwrap();
        assert_eq!((own.hostname.as_deref(), &own.rootfs.root), (Some("web"), &Root::Tree("/".into())));
        let linux = LinuxInfo { shm_size: Some(2), ..LinuxInfo::default() };
        let memory = ContainerInfo { linux_info: Some(linux), ..nothing };
        assert!(places(&room(&provision, &memory).namespaces().unwrap().unwrap()).contains(&"/dev/shm"));
    }

    #[test]
    fn the_root_of_an_image_may_be_read_only_and_the_hosts_is_not() {
        let nothing = ContainerInfo::default();
        for (provision, expected) in [(image(), Some(true)), (Provision::default(), None)] {
            let room = Room { read_only: true, ..room(&provision, &nothing) };
            assert_eq!(room.namespaces().unwrap().map(|own| own.rootfs.read_only), expected);
        }
    }

    #[test]
    fn an_image_brings_its_layers_and_the_host_its_names() {
        let (provision, nothing) = (image(), ContainerInfo::default());
        let own = room(&provision, &nothing).namespaces().unwrap().unwrap();
        let lower = vec!["/high".into(), "/low".into()];
        let expected =
            Root::Overlay { lower, upper: "/state/changes/upper".into(), work: "/state/changes/work".into() };
        assert_eq!((&own.rootfs.root, &own.network), (&expected, &Network::Host));
        let copied = Room { backend: Backend::Copy, ..room(&provision, &nothing) }.namespaces().unwrap().unwrap();
        assert_eq!(copied.rootfs.root, Root::Directory("/state/changes/root".into()));
        assert!(places(&own).contains(&"/etc/hosts") && places(&own).contains(&"/mnt/mesos/sandbox"));
        let linux = LinuxInfo { share_pid_namespace: Some(true), ..LinuxInfo::default() };
        let shares = ContainerInfo { linux_info: Some(linux), ..nothing };
        assert!(room(&provision, &shares).namespaces().unwrap_err().to_string().contains("share_pid_namespace"));
    }

    #[test]
    fn a_network_has_its_own_names_also_over_the_hosts_files() {
        let network = ProvisionedNetwork {
            namespace: "/run/n".into(),
            networks: Vec::new(),
            hostname: "web".to_owned(),
            hosts: "10.0.0.2 web\n".to_owned(),
            dns: files::Dns::default(),
        };
        let (provision, nothing) =
            (Provision { network: Some(network), ..Provision::default() }, ContainerInfo::default());
        let own = room(&provision, &nothing).namespaces().unwrap().unwrap();
        assert_eq!((own.network.clone(), own.hostname.as_deref()), (Network::At("/run/n".into()), Some("web")));
        assert_eq!(places(&own), ["/proc", "/etc/hosts", "/etc/resolv.conf"], "the host has no /etc/hostname");
    }

    #[test]
    fn a_container_sees_the_cgroups_it_is_born_in() {
        let tasks = ["memory", "cpu,cpuacct"].map(|name| PathBuf::from(format!("/cg/{name}/mesos/c/tasks"))).to_vec();
        let expected = ["memory", "cpu,cpuacct"].map(|name| (name.to_owned(), format!("/cg/{name}/mesos/c").into()));
        let found = cgroups(Path::new("/cg"), Some(&Birthplace::Tasks(tasks)));
        assert_eq!(found, Cgroups::Version1(expected.to_vec()));
        assert_eq!(cgroups(Path::new("/cg"), None), Cgroups::Nothing);
    }
}
