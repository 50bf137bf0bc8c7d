//! Volumes of messages, and what is said of those that cannot be had.

use mesos::v1::{Parameter, Parameters};

use mesos::v1::Image;
use mesos::v1::volume::Source;
use mesos::v1::volume::source::{self, DockerVolume, SandboxPath, sandbox_path};

use super::*;

fn sandboxes() -> Sandboxes<'static> {
    Sandboxes { own: Path::new("/own"), parent: Some(Path::new("/parent")) }
}

fn at_host(path: &str, to: &str) -> Message {
    Message {
        mode: Mode::Rw.into(),
        container_path: to.to_owned(),
        host_path: Some(path.to_owned()),
        ..Message::default()
    }
}

fn of(source: Source, to: &str) -> Message {
    Message { source: Some(source), host_path: None, ..at_host("", to) }
}

fn part(whose: sandbox_path::Type, path: &str, to: &str) -> Message {
    let sandbox_path = Some(SandboxPath { r#type: Some(whose.into()), path: path.to_owned() });
    of(Source { r#type: Some(source::Type::SandboxPath.into()), sandbox_path, ..Source::default() }, to)
}

fn driver(name: &str, options: &[(&str, &str)]) -> Message {
    let parameter = |(key, value): &(&str, &str)| Parameter { key: (*key).to_owned(), value: (*value).to_owned() };
    let docker_volume = Some(DockerVolume {
        driver: Some(name.to_owned()),
        name: "v".to_owned(),
        driver_options: Some(Parameters { parameter: options.iter().map(parameter).collect() }),
    });
    of(Source { r#type: Some(source::Type::DockerVolume.into()), docker_volume, ..Source::default() }, "/m")
}

fn found(message: &Message) -> Result<Volumes, String> {
    Volumes::of([message], &Provision::default(), sandboxes()).map_err(|error| error.to_string())
}

#[test]
fn paths_are_the_hosts_or_of_a_sandbox() {
    let volumes = found(&at_host("/srv", "data")).unwrap();
    assert_eq!(volumes.host_paths, [PathBuf::from("/srv")]);
    assert_eq!(volumes.mounts[0].at, Path::new("/own/data"), "without an image, it is a path of the host");
    for (message, sandbox) in [
        (at_host("data", "/data"), "/own"),
        (part(sandbox_path::Type::Self_, "data", "/data"), "/own"),
        (part(sandbox_path::Type::Parent, "data", "mine"), "/parent"),
    ] {
        assert_eq!(found(&message).unwrap().parts, [(sandbox.into(), "data".into())]);
    }
}

#[test]
fn a_directory_in_memory_has_a_size_and_a_mode() {
    let source =
        |options: &[(&str, &str)]| found(&driver("tmpfs", options)).map(|volumes| volumes.mounts[0].source.clone());
    assert_eq!(source(&[]), Ok(VolumeSource::Memory { size: None, mode: 0o1777 }));
    let options = [("size", "2m"), ("mode", "0750")];
    assert_eq!(source(&options), Ok(VolumeSource::Memory { size: Some(2 << 20), mode: 0o750 }));
    for (key, value) in [("size", "0"), ("size", "much"), ("mode", "9"), ("mode", "77777"), ("uid", "1")] {
        let error = source(&[(key, value)]).unwrap_err();
        assert_eq!(error, format!("The option '{key}' of a tmpfs volume cannot be '{value}'"));
    }
}

#[test]
fn what_cannot_be_had_is_named_in_mesos_words_where_it_has_some() {
    let csi = Source { r#type: Some(source::Type::CsiVolume.into()), ..Source::default() };
    let unset = Source { r#type: Some(source::Type::Secret.into()), ..Source::default() };
    let both = Message { host_path: Some("/x".to_owned()), ..of(Source::default(), "/x") };
    let image = Message { image: Some(Image::default()), mode: Mode::Ro.into(), host_path: None, ..at_host("", "/i") };
    for (message, words) in [
        (both, "Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'"),
        (of(Source::default(), "/x"), "Invalid volume: 'source.type' is unknown"),
        (of(unset, "/x"), "Invalid volume: 'source.secret' is not set for SECRET volume"),
        (of(csi, "/x"), "CSI volumes are not supported by this executor"),
        (driver("rexray", &[]), "Docker volumes of the driver 'rexray' are not supported by this executor"),
        (part(sandbox_path::Type::Self_, "/a", "/b"), "Path '/a' in SANDBOX_PATH volume is absolute"),
        (part(sandbox_path::Type::Self_, "a", "b"), "'container_path' is relative for SANDBOX_PATH volume SELF type"),
        (at_host("../x", "/x"), "Path '../x' of a volume leads out of the sandbox"),
        (at_host("/x", "../x"), "Path '../x' of a volume leads out of the sandbox"),
        (image, "The image '' of a volume was not made ready by the agent"),
    ] {
        assert_eq!(found(&message), Err(words.to_owned()));
    }
    let alone = Sandboxes { parent: None, ..sandboxes() };
    let parent = part(sandbox_path::Type::Parent, "a", "b");
    let error = Volumes::of([&parent], &Provision::default(), alone).unwrap_err().to_string();
    assert_eq!(error, "SANDBOX_PATH volume PARENT type only works for nested container");
}
