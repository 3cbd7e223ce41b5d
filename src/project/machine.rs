//! What identifies this machine, its current boot, and the user of this process.

use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use xxhash_rust::xxh3::xxh3_64;

/// The machine that a record was written on, and its boot at that time. A member is missing if the system did not
/// provide it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(super) struct Machine {
    /// Changes whenever the machine starts. All containers of a machine see the same one.
    #[serde(default)]
    pub(super) boot_id: String,
    /// A hash of the machine's id, which stays the same. The id itself must not be published. Containers often have no
    /// machine id, or one of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) machine: Option<String>,
    /// The machine's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
}

/// What two records of a machine say about each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compared {
    /// The same boot of the same machine, or nothing speaks against that.
    Same,
    /// The same machine, after a restart.
    Restarted,
    /// Another machine.
    Other,
    /// Not the same boot. Whether it is the same machine cannot be known.
    Unknown,
}

impl Machine {
    /// This machine and its current boot.
    pub(super) fn current() -> Self {
        Self {
            boot_id: line("/proc/sys/kernel/random/boot_id").unwrap_or_default(),
            machine: line("/etc/machine-id").and_then(|id| hashed(&id)),
            host: line("/proc/sys/kernel/hostname").filter(|name| name != "(none)"),
        }
    }

    /// Compares this machine with the recorded one. The boot decides first, because containers of one machine share it
    /// although they may have machine ids and names of their own.
    pub(super) fn compare(&self, recorded: &Self) -> Compared {
        // An id that the system does not provide proves nothing.
        let is_known = !self.boot_id.is_empty() && !recorded.boot_id.is_empty();
        if is_known && self.boot_id == recorded.boot_id {
            return Compared::Same;
        }
        match (&self.machine, &recorded.machine) {
            (Some(now), Some(then)) if !is_known && now != then => Compared::Other,
            _ if !is_known => Compared::Same,
            (Some(now), Some(then)) if now == then => Compared::Restarted,
            (Some(_), Some(_)) => Compared::Other,
            _ if self.host.is_some() && self.host == recorded.host => Compared::Restarted,
            _ => Compared::Unknown,
        }
    }
}

fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// `None` for what is not a machine id, such as `uninitialized`, which many machines have.
fn hashed(id: &str) -> Option<String> {
    let is_id = id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| format!("{:016x}", xxh3_64(format!("slateboard {id}").as_bytes())))
}

/// The user id with which this process accesses files.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a file of this user id certainly belongs to the user of this process. In a user namespace, all users without a
/// mapping have one and the same id.
pub(super) fn is_own(uid: u32) -> bool {
    uid == own_uid() && is_mapped(uid)
}

/// Whether the user id stands for one user in this process's namespace.
pub(super) fn is_mapped(uid: u32) -> bool {
    // Without the file, there are no user namespaces.
    fs::read_to_string("/proc/self/uid_map").map_or(true, |map| maps(&map, uid))
}

/// Each line of the map has the first id inside, the first id outside, and their number.
fn maps(map: &str, uid: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_ascii_whitespace().map(|number| number.parse().unwrap_or(0));
        let (first, count): (u64, u64) = (numbers.next().unwrap_or(0), numbers.nth(1).unwrap_or(0));
        (first..first.saturating_add(count)).contains(&u64::from(uid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(boot: &str, machine: Option<&str>, host: Option<&str>) -> Machine {
        Machine { boot_id: boot.into(), machine: machine.map(Into::into), host: host.map(Into::into) }
    }

    #[test]
    fn the_boot_decides_then_the_machine_then_the_name() {
        let here = machine("boot", Some("id"), Some("host"));
        for (recorded, compared) in [
            (machine("boot", Some("another"), Some("another")), Compared::Same),
            (machine("before", Some("id"), Some("another")), Compared::Restarted),
            (machine("before", Some("another"), Some("host")), Compared::Other),
            (machine("before", None, Some("host")), Compared::Restarted),
            (machine("before", None, Some("another")), Compared::Unknown),
            (machine("before", None, None), Compared::Unknown),
        ] {
            assert_eq!(here.compare(&recorded), compared, "{recorded:?}");
        }
        for (recorded, compared) in [
            (machine("", Some("id"), None), Compared::Same),
            (machine("", None, Some("another")), Compared::Same),
            (machine("", Some("another"), Some("host")), Compared::Other),
        ] {
            assert_eq!(here.compare(&recorded), compared, "a boot that is unknown proves nothing");
            assert_eq!(recorded.compare(&here), compared);
        }
        let nameless = machine("boot", None, None);
        assert_eq!(nameless.compare(&machine("before", None, None)), Compared::Unknown);
    }

    #[test]
    fn only_a_machine_id_is_hashed() {
        let id = "0123456789abcdef0123456789abcdef";
        let hash = hashed(id).expect("an id");
        assert!(hash.len() == 16 && !id.contains(&hash), "{hash}");
        assert_eq!((hashed("uninitialized"), hashed("")), (None, None));
    }

    #[test]
    fn a_user_id_without_a_mapping_stands_for_many_users() {
        assert!(maps("         0          0 4294967295\n", 65_534));
        assert!(maps("0 1000 1\n1 100000 65536\n", 1) && maps("0 1000 1\n", 0));
        assert!(!maps("0 1000 1\n", 65_534) && !maps("", 65_534) && !maps("0 1000 1\n", 1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn this_machine_is_itself() {
        let here = Machine::current();
        assert!(here.boot_id.len() == 36, "{here:?}");
        assert_eq!(here.compare(&Machine::current()), Compared::Same);
    }
}
