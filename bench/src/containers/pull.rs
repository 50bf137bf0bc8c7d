//! An image of one large layer, from a registry on loopback until it is unpacked, beside `tar` of the same layer and its
//! digest by `sha256sum`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use containers::image::Reference;
use containers::registry::{Beginning, Meter, Registries};
use containers::store::{Claim, Store};
use containers::unpack::Bounds;
use harness::archive::Archive;
use harness::images::{Image, Layer};
use harness::registry::Registry;
use serde_json::json;

use super::finding::{Cost, Finding, Side, compare};
use super::ground::Ground;
use crate::clock::Moment;
use crate::cpu;

const OWN: &str = "pull and unpack";
const TAR: &str = "sha256sum, tar";

/// The length of a file. A third of it cannot be compressed.
const FILE: usize = 30_000;

pub(crate) fn measure(ground: &Ground, quick: bool) -> anyhow::Result<Finding> {
    let (rounds, files) = if quick { (2, 1200) } else { (5, 6000) };
    let image = Image::new(vec![Layer::compressed(layer(files))], &json!({}));
    let blob = &image.layers[0].blob;
    let file = ground.path("layer.tar.gz");
    fs::write(&file, blob)?;
    let registry = Registry::start(OWN);
    let own = match &registry {
        Some(registry) => {
            registry.push("large", "1", &image);
            let name: Reference = registry.image("large:1").parse()?;
            Side::new(OWN, move || counted(|| pull(ground, &name), &ground.path("store")))
        }
        None => Side::lacking(OWN, "docker-registry is not installed"),
    };
    let place = ground.path("unpacked");
    let tar = Side::new(TAR, || counted(|| tar(&file, &place), &place));
    let megabytes = blob.len() as f64 / 1e6;
    let title =
        format!("a layer of {megabytes:.0} MB, {files} files, from a registry on loopback until it is unpacked");
    let finding = compare("pull", title, rounds, vec![own, tar])?;
    // Without a registry, `tar` would be compared with itself.
    Ok(if registry.is_some() { finding.time_at_most(TAR, 1.5) } else { finding })
}

fn layer(files: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    let text = "a line that every file has, over and over again\n".repeat(FILE / 48);
    let mut archive = Archive::new();
    for number in 0..files {
        let mut content = text.as_bytes()[..FILE * 2 / 3].to_vec();
        content.extend(std::iter::repeat_with(|| random.u8(..)).take(FILE / 3));
        let name = format!("usr/share/{}/{number}", number % 50);
        archive = archive.entry(tar::EntryType::Regular, &name, &content, |_| {});
    }
    archive.tar()
}

/// The cost of an action; what it made is removed.
fn counted(action: impl FnOnce() -> anyhow::Result<()>, made: &Path) -> anyhow::Result<Cost> {
    let spent = || cpu::with_children("self");
    let (before, from) = (spent()?, Moment::now());
    action()?;
    let cost =
        Cost { seconds: Some(from.age().as_secs_f64()), cpu_us: spent()?.saturating_sub(before).as_secs_f64() * 1e6 };
    fs::remove_dir_all(made)?;
    Ok(cost)
}

fn pull(ground: &Ground, name: &Reference) -> anyhow::Result<()> {
    let unpack = vec![ground.cygnet().display().to_string(), "unpack".to_owned()];
    let store = Store::open(&ground.path("store"), unpack, Bounds::default())?;
    ground.block_on(async {
        let mut repository = Registries::default().repository(name, None, Meter::new().0)?;
        let described = repository.describe().await?;
        let pull = store.pull(name, described.digest, &described.config_text)?;
        for (diff_id, layer) in pull.layers().iter().zip(&described.manifest.layers) {
            let Claim::Yours(claimed) = pull.claim(diff_id)? else { continue };
            let mut file = tokio::fs::File::from_std(claimed.archive()?);
            repository.fetch(&layer.blob, Beginning::default(), &mut file).await?;
            let mut archive = file.into_std().await;
            let length = std::io::Seek::stream_position(&mut archive)?;
            std::io::Seek::rewind(&mut archive)?;
            claimed.unpack(&archive, length)?;
        }
        pull.finish()?;
        Ok(())
    })
}

fn tar(layer: &Path, place: &Path) -> anyhow::Result<()> {
    fs::create_dir(place)?;
    for (program, arguments) in
        [("sha256sum", vec![]), ("tar", vec!["-C".as_ref(), place.as_os_str(), "-xzf".as_ref()])]
    {
        let mut command = Command::new(program);
        let output = command.args(arguments).arg(layer).output().with_context(|| format!("there is no {program}"))?;
        anyhow::ensure!(output.status.success(), "{program} fails: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
