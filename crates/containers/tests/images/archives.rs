//! Local archives: what `docker save` of all its times writes, OCI layouts, and what is wrong with some.

use std::fs;
use std::path::Path;

use containers::archive::load;
use containers::image::{Digest, Platform};
use containers::store::Image;
use harness::archive::Archive;
use harness::images::{Image as Saved, Layer, blob, tar, write};
use serde_json::{Value, json};

use crate::world::{World, list, reference};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("archives_of_every_form_give_the_same_image", archives_of_every_form_give_the_same_image),
    ("of_several_images_the_one_that_is_named_is_taken", of_several_images_the_one_that_is_named_is_taken),
    ("archives_of_no_use_say_why", archives_of_no_use_say_why),
];

/// An image of two layers, in the words of everybody.
fn example(content: &str) -> Saved {
    example_on(content, &Platform::here().architecture)
}

fn example_on(content: &str, architecture: &str) -> Saved {
    let [base, own] = ["base", content].map(|content| Archive::new().file("content", content).tar());
    let layers = vec![Layer::plain(base), Layer::compressed(own)];
    Saved::on(architecture, layers, &json!({"Cmd": [content]}))
}

/// Files of `docker save` before version 25, in which the second layer is a link.
fn legacy(image: &Saved) -> Vec<(String, Vec<u8>)> {
    let config = legacy_config(image);
    let manifest = json!([{"Config": config, "RepoTags": ["app:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]);
    vec![
        ("a/VERSION".to_owned(), b"1.0".to_vec()),
        ("a/layer.tar".to_owned(), image.layers[0].tar.clone()),
        ("b/layer.tar -> ../c/layer.tar".to_owned(), Vec::new()),
        ("c/layer.tar".to_owned(), image.layers[1].tar.clone()),
        (config, image.config.clone()),
        ("manifest.json".to_owned(), manifest.to_string().into_bytes()),
        ("repositories".to_owned(), br#"{"app": {"1": "b"}}"#.to_vec()),
    ]
}

fn legacy_config(image: &Saved) -> String {
    format!("{}.json", Digest::of(&image.config).hex())
}

fn contents(image: &Image) -> Vec<String> {
    image.layers.iter().map(|layer| fs::read_to_string(layer.join("content")).unwrap()).collect()
}

fn archives_of_every_form_give_the_same_image() {
    let example = example("own");
    let names = json!({"org.opencontainers.image.ref.name": "1"});
    type Write<'a> = &'a dyn Fn(&Path);
    let forms: [(&str, Write<'_>); 7] = [
        ("legacy", &|at| fs::write(at.join("app:1.tar"), tar(&legacy(&example)).tar()).unwrap()),
        ("legacy, compressed", &|at| fs::write(at.join("app:1.tar.gz"), tar(&legacy(&example)).gzip()).unwrap()),
        ("legacy, compressed under a plain name", &|at| {
            fs::write(at.join("app:1.tar"), tar(&legacy(&example)).gzip()).unwrap();
        }),
        ("both", &|at| fs::write(at.join("app:1.tar"), tar(&example.docker(&[])).tar()).unwrap()),
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
    let (one, two) = (example("one"), example("two"));
    let mut docker = one.docker(&[]);
    docker.extend(two.docker(&[]));
    let entry = |example: &Saved, tag: &str| {
        let layers = example.layers.iter().map(|layer| blob(&layer.tar)).collect::<Vec<_>>();
        json!({"Config": blob(&example.config), "RepoTags": [tag], "Layers": layers})
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
    let example = example("own");
    let with = |name: &str, content: &str| {
        let mut files = legacy(&example);
        files.retain(|(own, _)| own != name);
        files.push((name.to_owned(), content.as_bytes().to_vec()));
        tar(&files).tar()
    };
    let manifest = |layers: &[&str]| {
        let config = legacy_config(&example);
        with("manifest.json", &json!([{"Config": config, "Layers": layers}]).to_string())
    };
    let mut layout = example.oci(&json!({}));
    layout[3].1[0] = b' ';
    let broken = with("c/layer.tar", std::str::from_utf8(&example.layers[1].tar[..600]).unwrap());
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
        (tar(&legacy(&example_on("own", "s390x"))).tar(), "only for linux/s390x"),
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
    fs::write(images.path().join(format!("app:{}.tar", Digest::of(b"other"))), tar(&legacy(&example)).tar()).unwrap();
    let error = load(&world.store(), images.path(), &reference(&other)).unwrap_err().to_string();
    assert!(error.contains(", not docker.io/library/app@sha256:"), "{error}");
}
