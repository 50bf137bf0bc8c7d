//! Turns `proto/` into Rust types and into the descriptor set that drives the JSON codec. No `protoc` is needed.

mod unions;

use std::{env, error::Error, fs, path::PathBuf};

use protox::{Compiler, prost_reflect::prost_types::DescriptorProto};

const MESOS: [&str; 12] = [
    "mesos/v1/basic.proto",
    "mesos/v1/command.proto",
    "mesos/v1/container.proto",
    "mesos/v1/health.proto",
    "mesos/v1/resource.proto",
    "mesos/v1/task.proto",
    "mesos/v1/cluster.proto",
    "mesos/v1/offer.proto",
    "mesos/v1/scheduler.proto",
    "mesos/v1/executor.proto",
    "mesos/v1/master.proto",
    "mesos/v1/agent.proto",
];

const CYGNET: [&str; 3] = ["cygnet/v1/agent.proto", "cygnet/v1/health.proto", "cygnet/v1/pool.proto"];

/// Messages that serve as keys: totally ordered, so that they can live in a `BTreeMap`.
const KEYS: [&str; 7] =
    ["FrameworkID", "OfferID", "AgentID", "TaskID", "ExecutorID", "OperationID", "ResourceProviderID"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut compiler = Compiler::new(["proto"])?;
    compiler.include_imports(true).open_files(MESOS)?.open_files(CYGNET)?;
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    let mut all = compiler.include_source_info(true).file_descriptor_set();
    all.file.iter_mut().flat_map(|file| &mut file.message_type).for_each(allow_deprecated);

    let mut config = prost_build::Config::new();
    config.enable_type_names().btree_map(["."]).extern_path(".cygnet.v1", "crate::v1::cygnet");
    for key in KEYS {
        config.message_attribute(format!(".mesos.v1.{key}"), "#[derive(PartialOrd, Ord)]");
    }
    // It refers to itself, which makes prost leave `Eq` out.
    config.message_attribute(".mesos.v1.ContainerID", "#[derive(Eq, Hash, PartialOrd, Ord)]");
    config.compile_fds(all.clone())?;

    // The own package once more, naming the Mesos types by their place in this crate.
    fs::create_dir_all(out.join("own"))?;
    let mut own = prost_build::Config::new();
    own.enable_type_names().btree_map(["."]).extern_path(".mesos.v1", "crate::v1").out_dir(out.join("own"));
    own.compile_fds(all.clone())?;
    for (package, messages) in unions::UNIONS {
        let directory = if package.starts_with("cygnet.") { out.join("own") } else { out.clone() };
        let file = directory.join(format!("{package}.rs"));
        fs::write(&file, unions::with_contents(&all, package, messages, fs::read_to_string(&file)?))?;
    }
    Ok(())
}

/// Deprecated fields only look different in JSON, which goes by the descriptors written above. Whoever serves old
/// frameworks has to set them, and needs no warning for it.
fn allow_deprecated(message: &mut DescriptorProto) {
    message.field.iter_mut().filter_map(|field| field.options.as_mut()).for_each(|options| options.deprecated = None);
    message.nested_type.iter_mut().for_each(allow_deprecated);
}
