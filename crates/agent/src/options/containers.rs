//! The options about containers: images and where they come from, and what every container is given.

use std::path::PathBuf;
use std::time::Duration;

use containers::capabilities::name;
use containers::provision::Settings;
use processes::CapabilitySet;

/// Options about containers. Names and defaults are Mesos' own where it has them.
#[derive(Debug, Clone)]
pub struct ContainerOptions {
    /// The kinds of images that containers may have: `docker`, or nothing.
    pub image_providers: String,
    /// The registry of images whose names have none, as a URL; or a directory with archives of images.
    pub docker_registry: String,
    /// The registries, as names of images have them, that are spoken to without TLS, besides those on this machine.
    pub insecure_registries: Vec<String>,
    /// The credentials for registries: `config.json` of Docker's, or its path.
    pub docker_config: Option<String>,
    /// The directory of images; by default, below the work directory.
    pub docker_store_dir: Option<PathBuf>,
    /// The collection of images that nobody needs.
    pub image_gc: ImageCollection,
    /// The place of the sandbox in a container with an image, and the like.
    pub settings: Settings,
}

/// `--image_gc_config`
#[derive(Debug, Clone)]
pub struct ImageCollection {
    /// The share of the disk that is to stay free.
    pub image_disk_headroom: f64,
    /// The time between two looks at the disk.
    pub image_disk_watch_interval: Duration,
    /// The names of images that stay.
    pub excluded_images: Vec<String>,
}

/// The registry that everybody means.
pub(crate) const DOCKER_HUB: &str = "https://registry-1.docker.io";

impl Default for ContainerOptions {
    fn default() -> ContainerOptions {
        ContainerOptions {
            image_providers: "docker".to_owned(),
            docker_registry: DOCKER_HUB.to_owned(),
            insecure_registries: Vec::new(),
            docker_config: None,
            docker_store_dir: None,
            image_gc: ImageCollection::default(),
            settings: Settings::default(),
        }
    }
}

impl Default for ImageCollection {
    fn default() -> ImageCollection {
        ImageCollection {
            image_disk_headroom: 0.1,
            image_disk_watch_interval: Duration::from_secs(60),
            excluded_images: Vec::new(),
        }
    }
}

impl ContainerOptions {
    /// True if containers may have images.
    pub(crate) fn has_images(&self) -> bool {
        self.image_providers.split(',').any(|kind| kind.trim().eq_ignore_ascii_case("docker"))
    }

    /// As `/flags` shows them. Nobody is shown credentials.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let path = |path: &PathBuf| path.display().to_string();
        let settings = &self.settings;
        let paths: Vec<String> = settings.created_host_paths.iter().map(path).collect();
        let mut flags = vec![
            ("image_providers", self.image_providers.clone()),
            ("docker_registry", self.docker_registry.clone()),
            ("image_gc_config", self.image_gc.flag()),
            ("sandbox_directory", path(&settings.sandbox_directory)),
            ("default_container_shm_size", format!("{}B", settings.shared_memory)),
            ("host_path_volume_force_creation", paths.join(":")),
        ];
        let policy = &settings.capabilities;
        flags.extend(policy.effective.map(|set| ("effective_capabilities", capabilities(set))));
        flags.extend(policy.bounding.map(|set| ("bounding_capabilities", capabilities(set))));
        flags.extend(self.docker_store_dir.as_ref().map(|directory| ("docker_store_dir", path(directory))));
        flags.extend(settings.seccomp_directory.as_ref().map(|directory| ("seccomp_config_dir", path(directory))));
        flags.extend(settings.secrets_directory.as_ref().map(|directory| ("secrets_directory", path(directory))));
        flags.extend(settings.image_backend.map(|backend| ("image_provisioner_backend", backend.name().to_owned())));
        flags.extend(settings.seccomp_profile.clone().map(|name| ("seccomp_profile_name", name)));
        flags.retain(|(_, value)| !value.is_empty());
        flags
    }
}

fn capabilities(set: CapabilitySet) -> String {
    let names: Vec<&str> = set.numbers().filter_map(name).collect();
    serde_json::json!({ "capabilities": names }).to_string()
}

impl ImageCollection {
    fn flag(&self) -> String {
        let image = |name: &String| serde_json::json!({"type": "DOCKER", "docker": {"name": name}});
        serde_json::json!({
            "image_disk_headroom": self.image_disk_headroom,
            "image_disk_watch_interval": {"nanoseconds": self.image_disk_watch_interval.as_nanos() as u64},
            "excluded_images": self.excluded_images.iter().map(image).collect::<Vec<_>>(),
        })
        .to_string()
    }
}
