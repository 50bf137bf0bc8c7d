//! A container to launch, and whether this agent can. Pure.

use std::collections::BTreeMap;

use ::containers::cgroup::{Demand, Limits, Policy};
use fetcher::Link;
use mesos::command::{TooLarge, terminal};
use mesos::v1::value::Scalar;
use mesos::v1::{CommandInfo, ContainerId, ContainerInfo, Resource, Volume};
use processes::Terminal;

use crate::supported;

/// The longest value of a container id, as in Mesos.
const LONGEST_ID: usize = 242;

/// The relation of a container to the one it is nested in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It has a sandbox of its own below its parent's. Mesos: DEFAULT.
    Task,
    /// It joins its parent. Mesos: DEBUG.
    Session,
}

/// A container to launch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) id: ContainerId,
    pub(crate) class: Class,
    pub(crate) command: CommandInfo,
    pub(crate) container: Option<ContainerInfo>,
    pub(crate) resources: Vec<Resource>,
    /// Limits beside what it requests.
    pub(crate) limits: BTreeMap<String, Scalar>,
}

impl Order {
    pub(crate) fn terminal(&self) -> Result<Option<Terminal>, TooLarge> {
        terminal(self.container.as_ref())
    }

    /// The limits of a cgroup of its own. One that is nested shares its parent's unless it says otherwise.
    pub(crate) fn limits(&self, policy: Policy) -> Option<Limits> {
        let linux = self.container.as_ref().and_then(|container| container.linux_info.as_ref());
        let own = self.id.parent.is_none() || linux.is_some_and(|linux| linux.share_cgroups == Some(false));
        let own = (own || !self.limits.is_empty()) && self.class == Class::Task;
        own.then(|| policy.limits(&[Demand::limited(&self.resources, &self.limits)]))
    }

    /// Returns the first part of the order that this agent does not support, by name.
    pub(crate) fn unsupported(&self) -> Option<String> {
        if self.command.value.as_deref().unwrap_or_default().is_empty() && !self.has_image() {
            return Some("The container has no command".to_owned());
        }
        if let Some(secret) = supported::unsupported_variable(&self.command) {
            return Some(secret);
        }
        let container = self.container.as_ref()?;
        let terminal = || self.terminal().err().map(|error| error.to_string());
        let network = || supported::unsupported_network(container);
        let inherited = || match self.class {
            Class::Task => None,
            // Everything is that of the container it joins.
            Class::Session => supported::unsupported_image(container)
                .or_else(|| supported::unsupported_isolation(container))
                .or_else(|| supported::unsupported_volumes(container)),
        };
        supported::unsupported_kind(container).or_else(network).or_else(inherited).or_else(terminal)
    }

    /// The parts of sandboxes it wants to see in its own.
    pub(crate) fn links(&self) -> Vec<Link> {
        self.volumes().filter(|volume| self.is_link(volume)).filter_map(Link::of).collect()
    }

    /// The volumes that are more than links.
    pub(crate) fn unlinked(&self) -> impl Iterator<Item = &Volume> {
        self.volumes().filter(|volume| !self.is_link(volume))
    }

    fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.container.iter().flat_map(|container| &container.volumes)
    }

    /// Only what is nested has a sandbox that others see, and what has an image sees nothing outside of that.
    fn is_link(&self, volume: &Volume) -> bool {
        self.id.parent.is_some() && !self.has_image() && Link::of(volume).is_some()
    }

    fn has_image(&self) -> bool {
        self.container.as_ref().is_some_and(|container| container.image().is_some())
    }
}

/// Why an id cannot name a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'ContainerID.value' '{}' {reason}", value.escape_debug())]
pub(crate) struct BadContainerId {
    value: String,
    reason: &'static str,
}

/// Refuses ids of which some part cannot become part of a path.
pub(crate) fn check_id(id: &ContainerId) -> Result<(), BadContainerId> {
    let value = &id.value;
    let reason = match value.as_str() {
        "" => "must not be empty",
        value if value.len() > LONGEST_ID => "is too long",
        value if value.chars().any(|letter| letter.is_control() || matches!(letter, '/' | '\\' | '.' | ' ')) => {
            "contains invalid characters"
        }
        _ => return id.parent.as_deref().map_or(Ok(()), check_id),
    };
    Err(BadContainerId { value: value.clone(), reason })
}

#[cfg(test)]
mod tests {
    use mesos::v1::container_info::{self, MesosInfo};
    use mesos::v1::{Image, TtyInfo, tty_info};
    use processes::Window;

    use super::*;

    fn order(container: ContainerInfo) -> Order {
        let command = CommandInfo { value: Some("true".to_owned()), ..CommandInfo::default() };
        let container = Some(ContainerInfo { r#type: container_info::Type::Mesos.into(), ..container });
        let (resources, limits) = (Vec::new(), BTreeMap::new());
        Order { id: "c".into(), class: Class::Task, command, container, resources, limits }
    }

    #[test]
    fn ids_are_those_of_mesos() {
        let nested = ContainerId::from("a-b_c").child("check-1");
        assert_eq!(check_id(&nested), Ok(()));
        for bad in ["", "a.b", "a/b", "..", "a b", "a\\b", "a\n", &"x".repeat(243)] {
            assert!(check_id(&bad.into()).is_err(), "{bad}");
            assert!(check_id(&ContainerId::from(bad).child("c")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_has_the_image_of_what_it_joins_and_terminals_have_a_size() {
        let image = MesosInfo { image: Some(Image::default()) };
        let task = order(ContainerInfo { mesos: Some(image), ..ContainerInfo::default() });
        assert_eq!(
            Order { command: CommandInfo::default(), ..task.clone() }.unsupported(),
            None,
            "its image's command"
        );
        let refused = Order { class: Class::Session, ..task }.unsupported().unwrap();
        assert!(refused.contains("images"), "{refused}");
        let terminal = |rows| {
            let window_size = Some(tty_info::WindowSize { rows, columns: 80 });
            order(ContainerInfo { tty_info: Some(TtyInfo { window_size }), ..ContainerInfo::default() })
        };
        let window = Some(Window { rows: 24, columns: 80 });
        assert_eq!(terminal(24).terminal(), Ok(Some(Terminal { window })));
        assert_eq!(terminal(24).unsupported(), None);
        let refused = terminal(70_000).unsupported().unwrap();
        assert!(refused.contains("'tty_info.window_size' is 70000 rows"), "{refused}");
    }
}
