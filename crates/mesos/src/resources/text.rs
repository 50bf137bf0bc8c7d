//! Resources as text. In: `cpus:4;mem(web):1024;ports:[31000-32000];zones:{a,b}`, as on a command line. Out: resources,
//! and the text in which Mesos names them in messages.

use std::{fmt, str::FromStr};

use super::{
    Key, Ranges, Resources, UNRESERVED,
    amount::{Amount, to_double, to_thousandths},
    wire::ResourceError,
};

impl FromStr for Resources {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Resources, ResourceError> {
        let mut resources = Resources::new();
        for item in text.split([';', '\n']).map(str::trim).filter(|item| !item.is_empty()) {
            let (key, amount) = parse(item).ok_or_else(|| ResourceError::Text(item.to_owned()))?;
            resources.put(key, amount);
        }
        Ok(resources)
    }
}

fn parse(item: &str) -> Option<(Key, Amount)> {
    let (name, value) = item.split_once(':')?;
    let (name, role) = match name.trim().split_once('(') {
        Some((name, role)) => (name.trim(), role.strip_suffix(')')?.trim()),
        None => (name.trim(), UNRESERVED),
    };
    let amount = parse_amount(value.trim())?;
    let reserved = (role != UNRESERVED).then(|| role.to_owned());
    let valid = !name.is_empty() && !role.is_empty();
    valid.then(|| (Key { name: name.to_owned(), kind: amount.kind(), reserved, allocated: None }, amount))
}

fn parse_amount(value: &str) -> Option<Amount> {
    if let Some(ranges) = value.strip_prefix('[') {
        let ranges = ranges.strip_suffix(']')?.split(',').map(str::trim).filter(|range| !range.is_empty());
        Some(Amount::Ranges(Ranges::new(ranges.map(parse_range).collect::<Option<Vec<_>>>()?)))
    } else if let Some(items) = value.strip_prefix('{') {
        let items = items.strip_suffix('}')?.split(',').map(str::trim).filter(|item| !item.is_empty());
        Some(Amount::Set(items.map(str::to_owned).collect()))
    } else {
        to_thousandths(value.parse().ok()?).map(Amount::Scalar)
    }
}

fn parse_range(range: &str) -> Option<(u64, u64)> {
    let (begin, end) = range.split_once('-')?;
    let (begin, end) = (begin.trim().parse().ok()?, end.trim().parse().ok()?);
    (begin <= end).then_some((begin, end))
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("{}");
        }
        for (position, (key, amount)) in self.amounts.iter().enumerate() {
            write!(f, "{}{key}:{amount}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(role) = &self.allocated {
            write!(f, "(allocated: {role})")?;
        }
        if let Some(role) = &self.reserved {
            write!(f, "(reservations: [(STATIC,{role})])")?;
        }
        Ok(())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Scalar(value) => write!(f, "{}", to_double(*value)),
            Amount::Ranges(ranges) => write!(f, "{ranges}"),
            Amount::Set(items) => {
                f.write_str("{")?;
                for (position, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}
