//! Files that cannot be used are put aside, with the reason. The last three stay.

use super::{
    disk::Disk,
    names::{CORRUPT, WHY},
};
use std::io;

/// How many files stay.
pub const KEPT: usize = 3;

/// Gives the file a name that says that it is corrupt, and writes the reason beside it.
///
/// # Errors
/// Those of renaming. That the reason cannot be written is no error: the file matters more.
pub fn put_aside(disk: &dyn Disk, name: &str, why: &str, now_ns: u64) -> io::Result<()> {
    let aside = format!("{name}{CORRUPT}{now_ns:020}");
    disk.rename(name, &aside)?;
    if let Ok(mut file) = disk.create(&format!("{aside}{WHY}")) {
        let _ = file.append(format!("{name}: {why}\n").as_bytes());
    }
    Ok(())
}

/// Removes all but the last three that were put aside, with their reasons.
///
/// # Errors
/// Those of listing. What cannot be removed stays until the next time.
pub fn prune_aside(disk: &dyn Disk) -> io::Result<()> {
    let names = disk.list()?;
    let mut aside: Vec<_> = names
        .iter()
        .filter(|name| !name.ends_with(WHY))
        .filter_map(|name| name.split_once(CORRUPT).map(|(_, time)| (time, name)))
        .collect();
    aside.sort_unstable();
    for (_, name) in aside.iter().rev().skip(KEPT) {
        let _ = disk.remove(name);
        let why = format!("{name}{WHY}");
        if names.contains(&why) {
            let _ = disk.remove(&why);
        }
    }
    Ok(())
}
