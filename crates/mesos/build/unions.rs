//! Messages whose `type` says which of their other fields counts. In: descriptors, and prost's code for a package.
//! Out: that code with `union!` in the module of each message's nested types, which makes the enum `Content` there.

use protox::prost_reflect::prost_types::{DescriptorProto, FileDescriptorSet};

/// The messages, by package.
pub(crate) const UNIONS: [(&str, &[&str]); 6] = [
    ("mesos.v1", &["Offer.Operation"]),
    ("mesos.v1.scheduler", &["Call", "Event"]),
    ("mesos.v1.executor", &["Call", "Event"]),
    ("mesos.v1.master", &["Call", "Response", "Event"]),
    ("mesos.v1.agent", &["Call", "Call.AttachContainerInput", "Response", "ProcessIO", "ProcessIO.Control"]),
    ("cygnet.v1", &["AgentCall", "AgentEvent", "PoolCall", "PoolEvent"]),
];

/// The parts that may be absent although the type asks for them.
const OPTIONAL: [&str; 8] = [
    "mesos.v1.scheduler.Call.revive",
    "mesos.v1.scheduler.Call.suppress",
    "mesos.v1.agent.Call.get_containers",
    "mesos.v1.agent.Call.prune_images",
    "mesos.v1.agent.Call.AttachContainerInput.process_io",
    "mesos.v1.agent.ProcessIO.Control.heartbeat",
    "mesos.v1.master.Response.get_weights",
    "cygnet.v1.AgentEvent.shutdown",
];

/// The code of a package with the `Content` of each of its unions in the module where it belongs.
pub(crate) fn with_contents(files: &FileDescriptorSet, package: &str, messages: &[&str], mut code: String) -> String {
    for message in messages {
        let path: Vec<_> = message.split('.').collect();
        let declared = files.file.iter().filter(|file| file.package() == package).flat_map(|file| &file.message_type);
        let union = path[1..].iter().fold(named(declared, path[0]), |of, inner| named(&of.nested_type, inner));
        let module = format!("pub mod {} {{\n", snake(path[path.len() - 1]));
        assert_eq!(code.matches(&module).count(), 1, "{message} has a module of its own");
        let content = content(&format!("{package}.{message}"), union);
        code = code.replace(&module, &format!("{module}{content}"));
    }
    code
}

fn named<'a>(declared: impl IntoIterator<Item = &'a DescriptorProto>, name: &str) -> &'a DescriptorProto {
    declared.into_iter().find(|message| message.name() == name).unwrap_or_else(|| panic!("{name} is declared"))
}

/// `union! { Event: Heartbeat heartbeat, Launch launch(launch: PART), Revive revive[revive: OPTIONAL PART] }`
fn content(full_name: &str, union: &DescriptorProto) -> String {
    let kinds = union.enum_type.iter().find(|kinds| kinds.name() == "Type").expect("a union has types");
    let variants = kinds.value.iter().map(|kind| {
        let name = kind.name().to_ascii_lowercase();
        let part = union.field.iter().find(|field| field.name() == name).map(|field| rust_type(field.type_name()));
        let part =
            part.map_or_else(String::new, |part| match OPTIONAL.contains(&format!("{full_name}.{name}").as_str()) {
                true => format!("[{name}: {part}]"),
                false => format!("({name}: {part})"),
            });
        format!("    {} {name}{part},\n", camel(&name))
    });
    format!("crate::union::union! {{ {}:\n{}}}\n", camel(&snake(union.name())), variants.collect::<String>())
}

/// The type that prost makes of a message: `.mesos.v1.agent.Call.ReadFile` is `crate::v1::agent::call::ReadFile`.
fn rust_type(full_name: &str) -> String {
    let path = full_name.trim_start_matches(".mesos.v1.").trim_start_matches('.').replace("cygnet.v1.", "cygnet.");
    let parts: Vec<_> = path.split('.').map(snake).collect();
    let (name, modules) = parts.split_last().expect("a message has a name");
    let modules: String = modules.iter().map(|module| format!("{module}::")).collect();
    format!("crate::v1::{modules}{}", camel(name))
}

/// `TTYInfo` as `tty_info`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        let (before, after) = (&name[..at], &name[at + letter.len_utf8()..]);
        let begins = before.ends_with(char::is_lowercase) || after.starts_with(char::is_lowercase);
        if letter.is_uppercase() && begins && !before.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn camel(name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}
