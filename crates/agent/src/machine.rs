//! The machine the agent runs on: the resources it offers by default.

use std::path::Path;

use mesos::resources::Resources;
use mesos::v1::value::{Range, Ranges, Scalar, Text, Type};
use mesos::v1::{Attribute, Resource};
use rustix::fs::statvfs;
use rustix::system::sysinfo;

use crate::error::AgentError;

const MB: u64 = 1024 * 1024;

/// Reserved for the machine itself: 1 GB of memory and 5 GB of disk, or half if there is not twice as much.
const KEPT_MEM_MB: u64 = 1024;
const KEPT_DISK_MB: u64 = 5 * 1024;

const PORTS: &str = "[31000-32000]";

/// The resources the agent offers: those asked for, and the machine's own for the rest.
pub(crate) fn resources(asked: Option<&str>, work_dir: &Path) -> Result<Vec<Resource>, AgentError> {
    let asked = asked.unwrap_or_default().trim().trim_end_matches(';');
    let named = |name: &str| asked.split(';').any(|part| is_named(part, name));
    let disk = (!named("disk")).then(|| disk_mb(work_dir)).transpose()?;
    let own = [("cpus", cpus().to_string()), ("mem", mem_mb().to_string()), ("ports", PORTS.to_owned())];
    let missing = own.into_iter().filter(|(name, _)| !named(name)).map(|(name, amount)| format!("{name}:{amount}"));
    let missing = missing.chain(disk.map(|megabytes| format!("disk:{megabytes}")));
    let parts: Vec<String> =
        Some(asked.to_owned()).filter(|text| !text.is_empty()).into_iter().chain(missing).collect();
    let wrong = |reason: &dyn std::fmt::Display| AgentError::Option { name: "resources", reason: reason.to_string() };
    let resources: Resources = parts.join(";").parse().map_err(|error| wrong(&error))?;
    Ok(resources.to_wire())
}

/// `cpus:4`, and `cpus(role):4`.
fn is_named(part: &str, name: &str) -> bool {
    let before = part.split(':').next().unwrap_or_default();
    before.split('(').next().unwrap_or_default().trim() == name
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn mem_mb() -> u64 {
    let info = sysinfo();
    less((info.totalram as u64).saturating_mul(info.mem_unit.into()) / MB, KEPT_MEM_MB)
}

fn disk_mb(work_dir: &Path) -> Result<u64, AgentError> {
    let disk = statvfs(work_dir).map_err(|error| AgentError::file("measure the disk of", work_dir)(error.into()))?;
    Ok(less(disk.f_blocks.saturating_mul(disk.f_frsize) / MB, KEPT_DISK_MB))
}

fn less(total: u64, kept: u64) -> u64 {
    if total > 2 * kept { total - kept } else { total / 2 }
}

/// Reads `rack:r1;weight:3;ports:[1-2]`.
pub(crate) fn attributes(text: Option<&str>) -> Result<Vec<Attribute>, AgentError> {
    let parts = text.unwrap_or_default().split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(attribute).collect()
}

fn attribute(part: &str) -> Result<Attribute, AgentError> {
    let wrong = || AgentError::Option { name: "attributes", reason: format!("'{part}' is not name:value") };
    let (name, value) = part.split_once(':').ok_or_else(wrong)?;
    let (name, value) = (name.trim().to_owned(), value.trim());
    if name.is_empty() {
        return Err(wrong());
    }
    let attribute = Attribute { name, ..Attribute::default() };
    if let Some(ranges) = ranges(value) {
        return Ok(Attribute { r#type: Type::Ranges.into(), ranges: Some(ranges), ..attribute });
    }
    Ok(match value.parse::<f64>().ok().filter(|number| number.is_finite()) {
        Some(value) => Attribute { r#type: Type::Scalar.into(), scalar: Some(Scalar { value }), ..attribute },
        None => Attribute { r#type: Type::Text.into(), text: Some(Text { value: value.to_owned() }), ..attribute },
    })
}

fn ranges(value: &str) -> Option<Ranges> {
    let inner = value.strip_prefix('[')?.strip_suffix(']')?;
    let range = |text: &str| {
        let (begin, end) = text.split_once('-')?;
        Some(Range { begin: begin.trim().parse().ok()?, end: end.trim().parse().ok()? })
    };
    inner.split(',').map(range).collect::<Option<Vec<_>>>().map(|range| Ranges { range })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_taken_from_the_machine() {
        let all: Vec<_> = resources(Some("cpus:0.5;mem:100"), Path::new("/")).unwrap();
        let scalar = |name: &str| all.iter().find(|resource| resource.name == name).unwrap().scalar.unwrap().value;
        assert_eq!((scalar("cpus"), scalar("mem")), (0.5, 100.0));
        assert!(scalar("disk") > 0.0);
        assert!(all.iter().any(|resource| resource.name == "ports"));
        assert_eq!(resources(None, Path::new("/")).unwrap().len(), 4);
    }

    #[test]
    fn nonsense_names_the_option() {
        assert!(resources(Some("cpus:many"), Path::new("/")).unwrap_err().to_string().contains("resources"));
        assert!(attributes(Some("rack")).unwrap_err().to_string().contains("attributes"));
    }

    #[test]
    fn attributes_are_numbers_ranges_or_text() {
        let all = attributes(Some("rack:r1; weight:2.5;ports:[1-2, 5-6]")).unwrap();
        let kinds: Vec<_> = all.iter().map(|attribute| (attribute.name.as_str(), attribute.r#type())).collect();
        assert_eq!(kinds, [("rack", Type::Text), ("weight", Type::Scalar), ("ports", Type::Ranges)]);
    }
}
