//! The elements of a table's maps, added and removed over netlink.
//!
//! `nft` would do the same, but each call costs a process, and reads all tables before. The numbers are
//! `linux/netfilter/nfnetlink.h`'s and `linux/netfilter/nf_tables.h`'s.

use rustix::io::Errno;

use super::rules::{Mapped, Table};
use crate::network::netlink::{Message, NLM_F_CREATE, NLM_F_EXCL, Netlink};

const NFNL_MSG_BATCH_BEGIN: u16 = 16;
const NFNL_MSG_BATCH_END: u16 = 17;
pub(super) const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFT_MSG_NEWSETELEM: u16 = 12;
const NFT_MSG_DELSETELEM: u16 = 14;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const AF_INET: u8 = 2;

/// Adds them all, or none.
pub(crate) fn add(socket: &Netlink, table: &Table, mapped: &[Mapped]) -> rustix::io::Result<()> {
    if mapped.is_empty() {
        return Ok(());
    }
    let elements = mapped.iter().map(|mapped| {
        let message = header(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
        with_element(message, table, mapped, true)
    });
    socket.carry_out(&batch(elements))
}

/// Removes each that is there.
pub(crate) fn remove(socket: &Netlink, table: &Table, mapped: &[Mapped]) -> rustix::io::Result<()> {
    for mapped in mapped {
        let message = with_element(header(NFT_MSG_DELSETELEM, 0), table, mapped, false);
        match socket.carry_out(&batch([message].into_iter())) {
            Ok(()) | Err(Errno::NOENT) => {}
            failed => return failed,
        }
    }
    Ok(())
}

/// A transaction.
fn batch(messages: impl Iterator<Item = Message>) -> Vec<Message> {
    let [_, subsystem] = NFNL_SUBSYS_NFTABLES.to_be_bytes();
    let bound = |kind| Message::unacknowledged(kind, 0, &[0, 0, 0, subsystem]);
    [bound(NFNL_MSG_BATCH_BEGIN)].into_iter().chain(messages).chain([bound(NFNL_MSG_BATCH_END)]).collect()
}

fn header(kind: u16, flags: u16) -> Message {
    Message::new((NFNL_SUBSYS_NFTABLES << 8) | kind, flags, &[AF_INET, 0, 0, 0])
}

/// A port is padded to four bytes, as the kernel's registers are.
pub(super) fn with_element(message: Message, table: &Table, mapped: &Mapped, with_data: bool) -> Message {
    let Mapped { mapping, address } = mapped;
    let port = |port: u16| [port.to_be_bytes(), [0, 0]].concat();
    let key = |key: Message| key.put(NFTA_DATA_VALUE, &mapping.host_port.to_be_bytes());
    let data = [address.octets().to_vec(), port(mapping.container_port)].concat();
    let data = |message: Message| message.put(NFTA_DATA_VALUE, &data);
    let element = |element: Message| {
        let element = element.nest(NFTA_SET_ELEM_KEY, key);
        if with_data { element.nest(NFTA_SET_ELEM_DATA, data) } else { element }
    };
    message
        .put_text(NFTA_SET_ELEM_LIST_TABLE, &table.name())
        .put_text(NFTA_SET_ELEM_LIST_SET, Table::map(mapping.transport))
        .nest(NFTA_SET_ELEM_LIST_ELEMENTS, |list| list.nest(NFTA_LIST_ELEM, element))
}
