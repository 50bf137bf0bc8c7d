//! The trees that have to be copied for a task, where layers cannot be laid over each other. Pure.

use std::path::{Path, PathBuf};

use crate::copy::Copy;
use crate::provision::Provision;
use crate::rootfs::{Volume, VolumeSource};

/// The copies below this directory, and volumes of images become those of their copies.
pub fn copies(provision: &Provision, volumes: &mut [Volume], changes: &Path) -> Vec<Copy> {
    let image = provision.image.iter().map(|image| {
        let layers = image.layers.iter().rev().cloned().collect();
        Copy { layers, to: root(changes) }
    });
    let mut copies: Vec<Copy> = image.collect();
    for (number, volume) in volumes.iter_mut().enumerate() {
        if let VolumeSource::Layers(layers) = &mut volume.source {
            let to = changes.join(format!("volume-{number}"));
            copies.push(Copy { layers: std::mem::take(layers), to: to.clone() });
            volume.source = VolumeSource::Copied(to);
        }
    }
    copies
}

/// The place of the copy that is the root of a container.
pub(super) fn root(changes: &Path) -> PathBuf {
    changes.join("root")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageConfig;
    use crate::provision::ProvisionedImage;

    #[test]
    fn the_image_and_each_volume_of_one_has_a_copy_of_its_own() {
        let config = ImageConfig::parse(b"{}").unwrap();
        let image = ProvisionedImage { reference: "a".to_owned(), layers: vec!["/low".into(), "/high".into()], config };
        let provision = Provision { image: Some(image), ..Provision::default() };
        let layers = VolumeSource::Layers(vec!["/data".into()]);
        let memory = VolumeSource::Memory { size: None, mode: 0o755 };
        let mut volumes =
            [memory.clone(), layers].map(|source| Volume { at: "/x".into(), source, read_only: true }).to_vec();
        let copies = copies(&provision, &mut volumes, Path::new("/c"));
        let copy =
            |layers: &[&str], to: &str| Copy { layers: layers.iter().map(PathBuf::from).collect(), to: to.into() };
        assert_eq!(copies, [copy(&["/high", "/low"], "/c/root"), copy(&["/data"], "/c/volume-1")]);
        assert_eq!(volumes[0].source, memory);
        assert_eq!(volumes[1].source, VolumeSource::Copied("/c/volume-1".into()));
    }
}
