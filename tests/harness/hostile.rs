//! An image that waits for whoever enters it: its shell is the one who starts it, and its first program keeps hold of that.

use tar::EntryType;

use crate::archive::Archive;

/// The loop of a task: whatever is neither the first process nor busybox is about to be, so it is opened to be written. It
/// says `tried`, and before that `changed` or `written` if it could.
pub const KEEPS: &str = "while true; do for p in /proc/[0-9]*; do case $p:$(readlink $p/exe) in /proc/1:*|*/busybox|*:) ;; \
    *) { chmod 777 /proc/self/fd/5 2>/dev/null && echo changed; (: >> /proc/self/fd/5) && echo written; echo tried; \
    exec sleep 1000; } 5<$p/exe;; esac; done; done";

/// The files of such an image, each with its place. Scripts are not to be trusted there.
pub fn files() -> [(&'static str, Vec<u8>); 2] {
    [("bin/sh", b"#!/proc/self/exe\n".to_vec()), ("lib64/ld-linux-x86-64.so.2", loader())]
}

/// The same as a layer.
pub fn layer() -> Archive {
    let add = |archive: Archive, (name, content): (&str, Vec<u8>)| {
        archive.entry(EntryType::Regular, name, &content, |header| header.set_mode(0o755))
    };
    files().into_iter().fold(Archive::new().directory("lib64/"), add)
}

/// The interpreter with which the kernel starts such a program: it waits for ever.
fn loader() -> Vec<u8> {
    const CODE: [u8; 9] = [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];
    let size = 120 + CODE.len() as u64;
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let head = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    let kind = words(&[0, 1 << 32 | 62 << 16 | 3, 120, 64, 0, (56 << 16 | 64) << 32, 1 | 64 << 16]);
    let segment = words(&[5 << 32 | 1, 0, 0, 0, size, size, 0x1000]);
    [&head[..], &kind, &segment, &CODE].concat()
}
