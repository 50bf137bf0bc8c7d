//! Local archives: what `docker save` of all its times writes, OCI layouts, and what is wrong with some.

use std::fs;
use std::path::Path;

use containers::archive::load;
use containers::image::{Digest, Platform};
use containers::store::Image;
use serde_json::{Value, json};

use crate::archive::{Archive, gzip};
use crate::world::{World, list, reference};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("archives_of_every_form_give_the_same_image", archives_of_every_form_give_the_same_image),
    ("of_several_images_the_one_that_is_named_is_taken", of_several_images_the_one_that_is_named_is_taken),
    ("archives_of_no_use_say_why", archives_of_no_use_say_why),
];

/// An image of two layers, in the words of everybody.
struct Example {
    layers: [Vec<u8>; 2],
    config: String,
}

fn blob(content: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::of(content).hex())
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    let media_type = format!("application/vnd.oci.image.{kind}");
    json!({"mediaType": media_type, "digest": Digest::of(content), "size": content.len()})
}

impl Example {
    fn new(content: &str) -> Example {
        Example::on(content, &Platform::here().architecture)
    }

    fn on(content: &str, architecture: &str) -> Example {
        let layers = ["base", content].map(|content| Archive::new().file("content", content).tar());
        let ids = layers.each_ref().map(|layer| Digest::of(layer));
        let config = json!({"os": "linux", "architecture": architecture, "config": {"Cmd": [content]},
            "rootfs": {"type": "layers", "diff_ids": ids}});
        Example { layers, config: config.to_string() }
    }

    /// Files of `docker save` before version 25, in which the second layer is a link.
    fn legacy(&self) -> Vec<(String, Vec<u8>)> {
        let config = format!("{}.json", Digest::of(self.config.as_bytes()).hex());
        let manifest = json!([{"Config": config, "RepoTags": ["app:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]);
        vec![
            ("a/VERSION".to_owned(), b"1.0".to_vec()),
            ("a/layer.tar".to_owned(), self.layers[0].clone()),
            ("b/layer.tar -> ../c/layer.tar".to_owned(), Vec::new()),
            ("c/layer.tar".to_owned(), self.layers[1].clone()),
            (config, self.config.clone().into_bytes()),
            ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
            ("repositories".to_owned(), br#"{"app": {"1": "b"}}"#.to_vec()),
        ]
    }

    /// Files of an OCI layout with these annotations.
    fn oci(&self, annotations: &Value) -> Vec<(String, Vec<u8>)> {
        let second = gzip(&self.layers[1]);
        let layers = [descriptor("layer.v1.tar", &self.layers[0]), descriptor("layer.v1.tar+gzip", &second)];
        let config = descriptor("config.v1+json", self.config.as_bytes());
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string().into_bytes();
        let mut entry = descriptor("manifest.v1+json", &manifest);
        entry["annotations"] = annotations.clone();
        let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string().into_bytes();
        let blobs = [self.layers[0].clone(), second, self.config.clone().into_bytes(), manifest];
        let mut files: Vec<_> = blobs.into_iter().map(|content| (blob(&content), content)).collect();
        files.push(("index.json".to_owned(), index));
        files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()));
        files
    }

    /// Files of Docker 25 and later: an OCI layout, and what older versions read.
    fn both(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = self.oci(&json!({}));
        files.push((blob(&self.layers[1]), self.layers[1].clone()));
        let layers = self.layers.each_ref().map(|layer| blob(layer));
        let manifest = json!([{"Config": blob(self.config.as_bytes()), "RepoTags": null, "Layers": layers}]);
        files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        files
    }
}

fn tar(files: &[(String, Vec<u8>)]) -> Archive {
    files.iter().fold(Archive::new(), |archive, (name, content)| match name.split_once(" -> ") {
        Some((name, to)) => archive.symlink(name, to),
        None => archive.entry(tar::EntryType::Regular, name, content, |_| {}),
    })
}

fn write(directory: &Path, files: &[(String, Vec<u8>)]) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn contents(image: &Image) -> Vec<String> {
    image.layers.iter().map(|layer| fs::read_to_string(layer.join("content")).unwrap()).collect()
}

fn archives_of_every_form_give_the_same_image() {
    let example = Example::new("own");
    let names = json!({"org.opencontainers.image.ref.name": "1"});
    type Write<'a> = &'a dyn Fn(&Path);
    let forms: [(&str, Write<'_>); 7] = [
        ("legacy", &|at| fs::write(at.join("app:1.tar"), tar(&example.legacy()).tar()).unwrap()),
        ("legacy, compressed", &|at| fs::write(at.join("app:1.tar.gz"), tar(&example.legacy()).gzip()).unwrap()),
        ("legacy, compressed under a plain name", &|at| {
            fs::write(at.join("app:1.tar"), tar(&example.legacy()).gzip()).unwrap();
        }),
        ("both", &|at| fs::write(at.join("app:1.tar"), tar(&example.both()).tar()).unwrap()),
        ("layout in a tar", &|at| fs::write(at.join("app:1.tar"), tar(&example.oci(&names)).tar()).unwrap()),
        ("layout", &|at| write(&at.join("library/app:1"), &example.oci(&names))),
        ("layout of no name", &|at| write(&at.join("app:1"), &example.oci(&Value::Null))),
    ];
    for (form, write) in forms {
        let world = World::new();
        let images = tempfile::tempdir().unwrap();
        write(images.path());
        let store = world.store();
        let image = load(&store, images.path(), &reference("app:1")).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(contents(&image), ["base", "own"], "{form}");
        assert_eq!(image.config.command, ["own"], "{form}");
        assert_eq!(store.lease("c", &reference("app:1")).unwrap(), Some(image.clone()), "{form}");
        assert_eq!(load(&store, images.path(), &reference("app:1")).unwrap(), image, "{form}");
        assert!(world.unfinished().is_empty() && world.is_untouched(), "{form}");
    }
}

fn of_several_images_the_one_that_is_named_is_taken() {
    let world = World::new();
    let store = world.store();
    let images = tempfile::tempdir().unwrap();
    let (one, two) = (Example::new("one"), Example::new("two"));
    let mut docker = one.both();
    docker.extend(two.both());
    let entry = |example: &Example, tag: &str| {
        let layers = example.layers.each_ref().map(|layer| blob(layer));
        json!({"Config": blob(example.config.as_bytes()), "RepoTags": [tag], "Layers": layers})
    };
    let manifest = json!([entry(&one, "app:1"), entry(&two, "docker.io/library/app:2")]).to_string().into_bytes();
    docker.push(("manifest.json".to_owned(), manifest));

    let names = ["docker.io/library/app:1", "2"];
    let mut layouts = [(&one, "io.containerd.image.name"), (&two, "org.opencontainers.image.ref.name")]
        .into_iter()
        .zip(names)
        .map(|((example, key), name)| example.oci(&json!({key: name})));
    let (mut oci, second) = (layouts.next().unwrap(), layouts.next().unwrap());
    let index = |files: &[(String, Vec<u8>)]| {
        let index = files.iter().find(|(name, _)| name == "index.json").unwrap();
        serde_json::from_slice::<Value>(&index.1).unwrap()["manifests"][0].clone()
    };
    let joined = json!({"manifests": [index(&oci), index(&second)]}).to_string().into_bytes();
    oci.extend(second);
    oci.push(("index.json".to_owned(), joined));

    for files in [docker, oci] {
        for (name, content) in [("app:1", "one"), ("app:2", "two")] {
            fs::write(images.path().join(format!("{name}.tar")), tar(&files).tar()).unwrap();
            let image = load(&store, images.path(), &reference(name)).unwrap();
            assert_eq!(contents(&image), ["base", content]);
        }
        fs::write(images.path().join("other.tar"), tar(&files).tar()).unwrap();
        let error = load(&store, images.path(), &reference("other")).unwrap_err().to_string();
        assert!(error.contains("it has ") && error.contains(", not docker.io/library/other:latest"), "{error}");
    }
}

fn archives_of_no_use_say_why() {
    let example = Example::new("own");
    let with = |name: &str, content: &str| {
        let mut files = example.legacy();
        files.retain(|(own, _)| own != name);
        files.push((name.to_owned(), content.as_bytes().to_vec()));
        tar(&files).tar()
    };
    let manifest = |layers: &[&str]| {
        let config = format!("{}.json", Digest::of(example.config.as_bytes()).hex());
        with("manifest.json", &json!([{"Config": config, "Layers": layers}]).to_string())
    };
    let mut layout = example.oci(&json!({}));
    layout[3].1[0] = b' ';
    let broken = with("c/layer.tar", std::str::from_utf8(&example.layers[1][..600]).unwrap());
    for (archive, why) in [
        (b"no archive".repeat(100), "app:1.tar cannot be used: "),
        (Archive::new().file("x", "").tar(), "'index.json' is not in it"),
        (with("manifest.json", "{"), "the manifest cannot be read"),
        (with("manifest.json", "[]"), "not docker.io/library/app:1"),
        (manifest(&["a/layer.tar"; 121]), "has 121 layers; at most 120 are supported"),
        (manifest(&["a/layer.tar"]), "its configuration has 2 layers, its manifest 1"),
        (manifest(&["a/layer.tar", "x/layer.tar"]), "'x/layer.tar' is not in it"),
        (manifest(&["a/layer.tar", "../../etc/passwd"]), "'../../etc/passwd' is not in it"),
        (manifest(&["a/layer.tar", "/etc/passwd"]), "'/etc/passwd' is not in it"),
        (manifest(&["a/layer.tar", "a/layer.tar"]), "has the digest"),
        (broken, "it ends in the middle of an entry"),
        (tar(&Example::on("own", "s390x").legacy()).tar(), "only for linux/s390x"),
        (tar(&layout).tar(), "in it has another digest"),
    ] {
        let world = World::new();
        let store = world.store();
        let images = tempfile::tempdir().unwrap();
        fs::write(images.path().join("app:1.tar"), archive).unwrap();
        let error = load(&store, images.path(), &reference("app:1")).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("app:1.tar"), "{error} ({why})");
        assert!(world.unfinished().is_empty() && list(&world.root().join("images")).is_empty(), "{why}");
    }
    let world = World::new();
    let other = format!("app@{}", Digest::of(b"other"));
    let images = tempfile::tempdir().unwrap();
    fs::write(images.path().join(format!("{other}.tar")), "").unwrap();
    fs::write(images.path().join(format!("app:{}.tar", Digest::of(b"other"))), tar(&example.legacy()).tar()).unwrap();
    let error = load(&world.store(), images.path(), &reference(&other)).unwrap_err().to_string();
    assert!(error.contains(", not docker.io/library/app@sha256:"), "{error}");
}
