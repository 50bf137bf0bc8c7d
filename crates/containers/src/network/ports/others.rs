//! Ports that other bridges of this machine have mapped. All agents here share the kernel's tables and nothing else, and
//! those outlive an agent, so they are what is asked.

use rustix::io::Errno;

use super::elements::{NFNL_SUBSYS_NFTABLES, with_element};
use super::rules::{Mapped, Table};
use crate::network::netlink::{Message, NLM_F_DUMP, Netlink};

const NFT_MSG_GETTABLE: u16 = 1;
const NFT_MSG_GETSETELEM: u16 = 13;
const NFTA_TABLE_NAME: u16 = 1;
/// `nfgenmsg` is this long.
const NETFILTER_HEADER: usize = 4;
const AF_INET: u8 = 2;

/// The first of these that a bridge beside this table's has mapped, and that bridge.
pub(crate) fn elsewhere(
    socket: &Netlink,
    own: &Table,
    mapped: &[Mapped],
) -> rustix::io::Result<Option<(Mapped, Table)>> {
    if mapped.is_empty() {
        return Ok(None);
    }
    for other in others(socket, own)? {
        for mapped in mapped {
            if has(socket, &other, mapped)? {
                return Ok(Some((*mapped, other)));
            }
        }
    }
    Ok(None)
}

fn others(socket: &Netlink, own: &Table) -> rustix::io::Result<Vec<Table>> {
    let kind = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE;
    let tables = socket.ask_all(&Message::unacknowledged(kind, NLM_F_DUMP, &[AF_INET, 0, 0, 0]))?;
    let names = tables.iter().filter_map(|table| table.attribute(NETFILTER_HEADER, NFTA_TABLE_NAME));
    let names = names.map(|name| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned());
    Ok(names.filter(|name| *name != own.name()).filter_map(|name| own.beside(&name)).collect())
}

/// A table that has no such map, or another one of that name, or is gone again, maps nothing: anybody may call a table so.
fn has(socket: &Netlink, table: &Table, mapped: &Mapped) -> rustix::io::Result<bool> {
    let kind = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM;
    let question = Message::unacknowledged(kind, 0, &[AF_INET, 0, 0, 0]);
    maps(socket.ask(&with_element(question, table, mapped, false)).map(drop))
}

fn maps(answer: rustix::io::Result<()>) -> rustix::io::Result<bool> {
    match answer {
        Err(Errno::NOENT | Errno::INVAL | Errno::RANGE | Errno::OPNOTSUPP) => Ok(false),
        answer => answer.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_somebody_elses_kind_maps_nothing() {
        assert_eq!(maps(Ok(())), Ok(true));
        assert_eq!(maps(Err(Errno::INVAL)), Ok(false), "its set has other keys");
        assert_eq!(maps(Err(Errno::PERM)), Err(Errno::PERM));
    }
}
